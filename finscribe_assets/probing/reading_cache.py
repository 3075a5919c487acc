"""Readings that were made before, by reader and document: a probe that is run again reads nothing twice."""

from __future__ import annotations

from collections.abc import Mapping

from finscribe_assets.files import AnyPath, read_json, sha256_of, write_json
from finscribe_assets.probing.readings import ElementCounts, ReadingTask

COUNTING_VERSION = 1  # raise it with every change to what `count_failures` counts


class ReadingCache:
    """Failures and fields of one reader by document, in one file of a folder; without a folder, in memory."""

    def __init__(self, folder: AnyPath | None, identity: str) -> None:
        """Load what the reader has read before."""
        name = sha256_of(f"{COUNTING_VERSION}:{identity}")[:16]
        self._path = folder / f"readings-{name}.json" if folder else None
        self._counts: dict[str, dict[str, list[int]]] = {}
        if self._path and self._path.exists():
            self._counts = read_json(self._path)["readings"]
        self._identity = identity

    def key(self, task: ReadingTask) -> str:
        """Return what a reading is stored under: a hash of the document's content and of the fields that count."""
        return sha256_of(f"{task.document.model_dump_json()}:{task.fields}")

    def get(self, key: str) -> ElementCounts | None:
        """Return the counts of a reading, None where there was none."""
        counts = self._counts.get(key)
        return (
            None if counts is None else {element: (failures, fields) for element, (failures, fields) in counts.items()}
        )

    def add(self, counts: Mapping[str, ElementCounts]) -> None:
        """Store the counts of readings by key."""
        self._counts |= {key: {name: list(pair) for name, pair in one.items()} for key, one in counts.items()}
        if self._path and counts:
            write_json(self._path, {"reader": self._identity, "readings": self._counts})
