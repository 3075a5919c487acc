"""The files of a log of readings: one for each day.

What belongs here: finding and reading them. This module is light, so that a sensor can look at a log; what is written
to it is in `readings_log`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from finscribe_assets.errors import UserError

DAYS_FOLDER = "readings"
LOG_FORM = 1  # of the lines; raised when a member changes its meaning
_DAY_FILE = re.compile(r"(\d{4}-\d{2}-\d{2})\.jsonl")


def day_of(name: str) -> date | None:
    """Return the day that a file or folder is named after; None for other names."""
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def day_files(folder: Path) -> list[tuple[date, Path]]:
    """Return the days of a log with their files, oldest first."""
    readings = folder / DAYS_FOLDER
    found = []
    for path in readings.iterdir() if readings.is_dir() else ():
        named = _DAY_FILE.fullmatch(path.name)
        day = day_of(named[1]) if named else None
        if day is not None:
            found.append((day, path))
    return sorted(found)


def read_log(
    folder: Path, first: date | None = None, last: date | None = None
) -> Iterator[tuple[date, dict[str, Any]]]:
    """Yield the readings of a log with their day, oldest first.

    A line that was not written to its end, as when the machine lost its power, is left out.

    Args:
        folder: Of the log.
        first: First day; the oldest unless given.
        last: Last day; the newest unless given.

    Raises:
        UserError: The folder is not a log.
    """
    files = day_files(folder)
    if not files:
        raise UserError(f"{folder}: no log of readings; `finscribe serve --log {folder}` writes one")
    for day, path in files:
        if (first is None or day >= first) and (last is None or day <= last):
            with path.open("rb") as stream:
                for line in stream:
                    try:
                        reading = json.loads(line)
                    except ValueError:
                        continue
                    if isinstance(reading, dict) and reading.get("form") == LOG_FORM:
                        yield day, reading
