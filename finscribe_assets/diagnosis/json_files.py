"""Read JSON of unknown state: a file that is not there or broken is not an object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finscribe_assets.files import read_json


def read_object(file: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file; None if there is none."""
    try:
        value = read_json(file)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
