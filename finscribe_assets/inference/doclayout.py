"""PP-DocLayout as a layout, where PaddleX is installed: the blocks of a page, for models that read blocks.

Paddle runs in a process of its own, which this module is too: ``python -m finscribe_assets.inference.doclayout PAGE…``.
**Not run by this project's tests**: PaddleX is no dependency, and fetches its model when it is first used. The blocks'
names and the form of the answer are those of PaddleX's layout_detection module, version 3.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from finscribe_assets.errors import UserError
from finscribe_assets.inference.region_layout import TABLE, TEXT, Region
from finscribe_assets.instructions.crops import CROP_MARGIN
from finscribe_assets.rendering.pages import Box, RenderedDocument

DOCLAYOUT_MODEL = "PP-DocLayoutV2"  # which PaddleOCR-VL works with
DOCLAYOUT_TIMEOUT_SECONDS = 600  # for a document, loading the model included
# Blocks without text of their own to read.
_UNREAD = frozenset({"image", "chart", "seal", "header_image", "footer_image", "figure"})


@dataclass(frozen=True)
class DocLayout:
    """The blocks that PP-DocLayout finds, tables among them; text blocks have several lines."""

    name: str = f"blocks ({DOCLAYOUT_MODEL} of PaddleX)"
    margin: int = CROP_MARGIN
    of_lines: bool = False

    def __post_init__(self) -> None:
        """See to it that PaddleX is there.

        Raises:
            UserError: it is not.
        """
        if find_spec("paddlex") is None:
            raise UserError(
                "layout: blocks need PaddleX, which is not installed; see its own documentation, or take --layout lines"
            )

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the blocks with text, as the model orders them.

        Raises:
            UserError: PaddleX failed; the message ends with what it said last.
        """
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{number}.png" for number in range(len(document.pages))]
            for file, page in zip(files, document.pages, strict=True):
                page.open().save(file)
            run = subprocess.run(  # noqa: S603, our own module and our own files
                [sys.executable, "-m", __name__, *map(str, files)],
                capture_output=True,
                text=True,
                timeout=DOCLAYOUT_TIMEOUT_SECONDS,
                check=False,
            )
        if run.returncode:
            raise UserError(f"{DOCLAYOUT_MODEL} failed on {document.id}: {run.stderr.strip()[-500:]}")
        return to_regions(json.loads(run.stdout.splitlines()[-1]))


def to_regions(pages: list[list[dict[str, object]]]) -> list[Region]:
    """Return the regions of PaddleX's boxes, ``{"label", "score", "coordinate": [x0, y0, x1, y1]}``, page by page."""
    return [
        Region(
            "",
            ((number, Box(*map(float, block["coordinate"]))),),  # type: ignore[call-overload]
            TABLE if block["label"] == TABLE else TEXT,
        )
        for number, blocks in enumerate(pages)
        for block in blocks
        if block["label"] not in _UNREAD
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
