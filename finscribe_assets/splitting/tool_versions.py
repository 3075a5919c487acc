"""Collect the versions that the bytes of a data set depend on: this project's stages, Python and packages."""

from __future__ import annotations

import platform
from importlib.metadata import version

from finscribe_assets.documents.document_batch import GENERATOR_VERSION
from finscribe_assets.instructions.pair_batch import PAIRS_VERSION
from finscribe_assets.rendering.page_batch import RENDERER_VERSION
from finscribe_assets.splitting.page_hashes import HASH_VERSION
from finscribe_assets.stage_versions import SPLITS_VERSION

VERSIONED_PACKAGES = (
    "babel",
    "isal",
    "jinja2",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "plutoprint",
    "pyarrow",
    "pypdfium2",
    "weasyprint",
)


def tool_versions() -> dict[str, str]:
    """Return the version of each stage, of Python and of each package, by name."""
    stages = {
        "generator": GENERATOR_VERSION,
        "renderer": RENDERER_VERSION,
        "pairs": PAIRS_VERSION,
        "page_hashes": HASH_VERSION,
        "splits": SPLITS_VERSION,
    }
    return {
        **{name: str(number) for name, number in stages.items()},
        "python": platform.python_version(),
        **{name: version(name) for name in VERSIONED_PACKAGES},
    }
