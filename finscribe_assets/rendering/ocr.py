"""RapidOCR as a reader of lines: PP-OCRv6's recognition model, from the package's own wheel, on the processor.

The only module that imports the extra `verify` (Apache-2.0, models included), and only where a reader is made. Nothing
is detected, turned or downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

MODEL = "PP-OCRv6_rec_small.onnx"
SHAPE = [3, 48, 160]  # channels, height of a line, least width: a shorter line is filled up to it
_INSTALL = "run pip install 'finscribe-assets[verify]'"


def model_path() -> Path:
    """Return where the recognition model of the installed wheel is.

    Raises:
        ValueError: the extra is not installed, or its wheel has no such model; the message says what to do.
    """
    missing = [name for name in ("rapidocr", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ValueError(f"reading pages needs {' and '.join(missing)}, not installed; {_INSTALL}")
    spec = find_spec("rapidocr")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0] if folders else ".") / "models" / MODEL
    if not path.is_file():
        raise ValueError(f"{path}: the installed rapidocr has no such model, and none is downloaded; {_INSTALL}")
    return path


class RapidReader:
    """Reads lines of text; see `verification.LineReader`."""

    def __init__(self, threads: int = 1) -> None:
        """Load nothing yet but the settings; ``threads`` is for one line.

        Raises:
            ValueError: the extra is not installed, or its wheel has no model.
        """
        model = model_path()
        from rapidocr import RapidOCR

        self._engine = RapidOCR(params={
            "Global.log_level": "error",
            "Rec.model_path": str(model),  # given, it is not looked for elsewhere; its alphabet is in it
            "Rec.rec_img_shape": SHAPE,
            # Lines of a batch are filled up to its longest: on a processor that costs more than batching saves, and
            # what is read in one box would depend on the others.
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        })  # fmt: skip

    def read(self, crops: Sequence[np.ndarray]) -> list[str]:
        """Return the text of each crop (height × width, uint8, grey), which the engine scales to its 48 pixels."""
        if not crops:
            return []
        coloured = [np.repeat(pixels[:, :, np.newaxis], 3, axis=2) for pixels in crops]
        return [str(text) for text in self._engine.recognize_txt(coloured).txts or ()]
