"""RapidOCR as a reader and as a finder of lines: PP-OCRv6's models, from the package's own wheel, on the processor.

The only module that imports the extra `verify` (Apache-2.0, models included), and only where a reader or a finder is
made. Nothing is turned or downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from finscribe_assets.errors import UserError
from finscribe_assets.rendering.pages import Box

MODEL, FINDER = "PP-OCRv6_rec_small.onnx", "PP-OCRv6_det_small.onnx"
LARGEST_SIDE = 1600  # pixels of a page that lines are looked for on; a larger one is scaled down for it
SHAPE = [3, 48, 160]  # channels, height of a line, least width: a shorter line is filled up to it
_INSTALL = "run pip install 'finscribe-assets[verify]'"


def model_path(name: str) -> Path:
    """Return where a model of the installed wheel is.

    Raises:
        UserError: the extra is not installed, or its wheel has no such model; the message says what to do.
    """
    missing = [name for name in ("rapidocr", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise UserError(f"reading pages needs {' and '.join(missing)}, not installed; {_INSTALL}")
    spec = find_spec("rapidocr")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0] if folders else ".") / "models" / name
    if not path.is_file():
        raise UserError(f"{path}: the installed rapidocr has no such model, and none is downloaded; {_INSTALL}")
    return path


class RapidOcrReader:
    """Reads lines of text; see `verification.LineReader`."""

    def __init__(self, threads: int = 1) -> None:
        """Load nothing yet but the settings; ``threads`` is for one line.

        Raises:
            UserError: the extra is not installed, or its wheel has no model.
        """
        model = model_path(MODEL)
        from rapidocr import RapidOCR

        self._engine = RapidOCR(
            params={
                **_common(threads),
                "Rec.model_path": str(model),  # given, it is not looked for elsewhere; its alphabet is in it
                "Rec.rec_img_shape": SHAPE,
                # Lines of a batch are filled up to its longest: on a processor that costs more than batching saves, and
                # what is read in one box would depend on the others.
                "Rec.rec_batch_num": 1,
            }
        )

    def read(self, crops: Sequence[np.ndarray]) -> list[str]:
        """Return the text of each crop (height × width, uint8, grey), which the engine scales to its 48 pixels."""
        if not crops:
            return []
        coloured = [np.repeat(pixels[:, :, np.newaxis], 3, axis=2) for pixels in crops]
        return [str(text) for text in self._engine.recognize_txt(coloured).txts or ()]


class RapidOcrFinder:
    """Finds the lines of text on a page."""

    def __init__(self, threads: int = 1) -> None:
        """Load nothing yet but the settings.

        Raises:
            UserError: the extra is not installed, or its wheel has no model.
        """
        model = model_path(FINDER)
        from rapidocr import RapidOCR

        self._engine = RapidOCR(
            params={
                **_common(threads),
                "Det.model_path": str(model),
                "Global.max_side_len": LARGEST_SIDE,
            }
        )

    def find(self, page: np.ndarray) -> list[Box]:
        """Return upright boxes around the lines of a page (height × width, uint8, grey), in no order.

        A box holds what stands close together: a label with its value, or either of them.
        """
        found = self._engine(np.repeat(page[:, :, np.newaxis], 3, axis=2), use_det=True, use_cls=False, use_rec=False)
        height, width = page.shape
        corners = [] if found.boxes is None else found.boxes  # each 4 × 2, x and y
        boxes = [
            Box(
                max(0.0, float(quad[:, 0].min())),
                max(0.0, float(quad[:, 1].min())),
                min(float(width), float(quad[:, 0].max())),
                min(float(height), float(quad[:, 1].max())),
            )
            for quad in corners
        ]
        return [box for box in boxes if box.width >= 1 and box.height >= 1]


def _common(threads: int) -> dict[str, object]:
    return {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
