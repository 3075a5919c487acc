"""RapidOCR as a line reader and a line finder: PP-OCRv6 models on the CPU, from the package's own wheel.

This is the only module that imports RapidOCR (Apache-2.0, models included), and it does so only when a reader or a
finder is made. Pages are not turned upright, and nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from finscribe_assets.errors import UserError
from finscribe_assets.rendering.pages import Box

RECOGNITION_MODEL = "PP-OCRv6_rec_small.onnx"
DETECTION_MODEL = "PP-OCRv6_det_small.onnx"
MAX_PAGE_SIDE = 1600  # pixels; detection scales larger pages down to this
RECOGNITION_SHAPE = [3, 48, 160]  # channels, height, least width of a line image; narrower ones are padded to the width
_INSTALL = "run pip install 'rapidocr>=3.10,<4' onnxruntime"


def model_path(name: str) -> Path:
    """Return the path of a model in the installed wheel of RapidOCR.

    Raises:
        UserError: RapidOCR is not installed, or its wheel lacks the model; the message says what to do.
    """
    missing = [package for package in ("rapidocr", "onnxruntime") if find_spec(package) is None]
    if missing:
        raise UserError(f"the OCR engine needs {' and '.join(missing)}, not installed; {_INSTALL}")
    spec = find_spec("rapidocr")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0] if folders else ".") / "models" / name
    if not path.is_file():
        raise UserError(f"{path}: the installed rapidocr has no such model, and none is downloaded; {_INSTALL}")
    return path


class RapidOcrReader:
    """Reads images of single lines; implements `line_protocols.LineReader`."""

    def __init__(self, threads: int = 1) -> None:
        """Load the recognition model.

        Args:
            threads: number of threads for one line.

        Raises:
            UserError: RapidOCR is not installed, or its wheel lacks the model.
        """
        model = model_path(RECOGNITION_MODEL)
        from rapidocr import RapidOCR

        self._engine = RapidOCR(
            params={
                **_common_settings(threads),
                "Rec.model_path": str(model),  # with a path nothing is downloaded; the model contains its alphabet
                "Rec.rec_img_shape": RECOGNITION_SHAPE,
                # The lines of a batch are padded to its longest. On a CPU that costs more time than batching saves, and
                # the text read in one box would depend on the other boxes.
                "Rec.rec_batch_num": 1,
            }
        )

    def read(self, crops: Sequence[np.ndarray]) -> list[str]:
        """Return the text of each crop (height × width, uint8, grey); the engine scales crops to 48 pixels high."""
        if not crops:
            return []
        with_channels = [np.repeat(pixels[:, :, np.newaxis], 3, axis=2) for pixels in crops]
        return [str(text) for text in self._engine.recognize_txt(with_channels).txts or ()]

    def read_scored(self, crops: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """Return the text of each crop, and the mean confidence of its characters, from 0 to 1."""
        if not crops:
            return []
        with_channels = [np.repeat(pixels[:, :, np.newaxis], 3, axis=2) for pixels in crops]
        output = self._engine.recognize_txt(with_channels)
        return [(str(text or ""), float(score or 0)) for text, score in zip(output.txts, output.scores, strict=True)]


class RapidOcrFinder:
    """Finds the printed lines of a page; implements `line_protocols.LineFinder`."""

    def __init__(self, threads: int = 1) -> None:
        """Load the detection model.

        Args:
            threads: number of threads for one page.

        Raises:
            UserError: RapidOCR is not installed, or its wheel lacks the model.
        """
        model = model_path(DETECTION_MODEL)
        from rapidocr import RapidOCR

        self._engine = RapidOCR(
            params={
                **_common_settings(threads),
                "Det.model_path": str(model),
                "Global.max_side_len": MAX_PAGE_SIDE,
            }
        )

    def find(self, page: np.ndarray) -> list[Box]:
        """Return upright boxes around the lines of a page (height × width, uint8, grey), in no particular order.

        Texts that stand close together share a box: it may hold a label with its value, or either of them.
        """
        output = self._engine(np.repeat(page[:, :, np.newaxis], 3, axis=2), use_det=True, use_cls=False, use_rec=False)
        height, width = page.shape
        quadrilaterals = [] if output.boxes is None else output.boxes  # each 4 × 2: x, y of the corners
        boxes = [
            Box(
                max(0.0, float(corners[:, 0].min())),
                max(0.0, float(corners[:, 1].min())),
                min(float(width), float(corners[:, 0].max())),
                min(float(height), float(corners[:, 1].max())),
            )
            for corners in quadrilaterals
        ]
        return [box for box in boxes if box.width >= 1 and box.height >= 1]


def _common_settings(threads: int) -> dict[str, object]:
    return {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
