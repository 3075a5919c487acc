"""Find the blocks of a page with PaddleX's PP-DocLayout model, which PaddleOCR-VL works with.

PaddleX is an optional dependency. It runs in a process of its own, started as
``python -m finscribe_assets.inference.doclayout PAGE…``, so that Paddle never enters this process. Block labels and the
output format are those of PaddleX 3's ``layout_detection`` module.

**This project's tests do not run PaddleX**, which downloads its model at first use, but a stand-in with its interface.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from finscribe_assets.errors import MissingExtraError, UserError
from finscribe_assets.inference.region_layout import Region, RegionType
from finscribe_assets.instructions.crops import CROP_MARGIN
from finscribe_assets.rendering.pages import Box, RenderedDocument

DOCLAYOUT_MODEL = "PP-DocLayoutV2"
DOCLAYOUT_TIMEOUT_SECONDS = 600  # for one document, including the loading of the model
_LABELS_WITHOUT_TEXT = frozenset({"image", "chart", "seal", "header_image", "footer_image", "figure"})


@dataclass(frozen=True)
class DocLayout:
    """The blocks that PP-DocLayout finds: tables, and text blocks of one or more lines."""

    name: str = f"blocks ({DOCLAYOUT_MODEL} of PaddleX)"
    margin: int = CROP_MARGIN
    boxes_are_lines: bool = False
    names_fields: bool = False

    def __post_init__(self) -> None:
        """Check that PaddleX is installed.

        Raises:
            MissingExtraError: PaddleX is not installed.
        """
        if find_spec("paddlex") is None:
            raise MissingExtraError(
                "layout: blocks need PaddleX, which is not installed; see https://github.com/PaddlePaddle/PaddleX, "
                "or use --layout lines"
            )

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the blocks that hold text or tables, in the model's order.

        Raises:
            UserError: PaddleX took too long, or failed: the message ends with the last 500 characters of its errors.
        """
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{index}.png" for index in range(len(document.pages))]
            for file, page in zip(files, document.pages, strict=True):
                page.open().save(file)
            command = [sys.executable, "-m", __name__, *map(str, files)]
            timeout = DOCLAYOUT_TIMEOUT_SECONDS
            try:
                run = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)  # noqa: S603
            except subprocess.TimeoutExpired as error:
                raise UserError(
                    f"layout: {DOCLAYOUT_MODEL} took more than {timeout} seconds on {document.id}; "
                    "read fewer pages at once, or use --layout lines"
                ) from error
        if run.returncode:
            raise UserError(f"layout: {DOCLAYOUT_MODEL} failed on {document.id}: {run.stderr.strip()[-500:]}")
        return regions_from_paddlex(json.loads(run.stdout.splitlines()[-1]))


def regions_from_paddlex(pages: list[list[dict[str, object]]]) -> list[Region]:
    """Convert PaddleX's boxes to regions.

    Args:
        pages: For each page its boxes, ``{"label", "score", "coordinate": [x0, y0, x1, y1]}``, in pixels.
    """
    return [
        Region(
            "",
            ((index, Box(*map(float, block["coordinate"]))),),  # type: ignore[call-overload]
            RegionType.TABLE if block["label"] == "table" else RegionType.TEXT,
        )
        for index, blocks in enumerate(pages)
        for block in blocks
        if block["label"] not in _LABELS_WITHOUT_TEXT
    ]


def _main(files: list[str]) -> None:
    from paddlex import create_model

    model = create_model(DOCLAYOUT_MODEL)
    pages = [
        [{key: block[key] for key in ("label", "score", "coordinate")} for block in result["boxes"]]
        for file in files
        for result in model.predict(file)
    ]
    sys.stdout.write("\n" + json.dumps(pages, default=float))


if __name__ == "__main__":
    _main(sys.argv[1:])
