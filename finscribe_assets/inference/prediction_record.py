"""Define the prediction record: a line of a predictions file, which `extract` and `predict` write.

What belongs here: the members of a record and their JSON form. `evaluation.prediction_files` reads records, and other
people's files, leniently; the queue of documents to correct and the exports to labelling tools take the same records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from finscribe_assets.rendering.located_boxes import LocatedBoxes, boxes_to_json


@dataclass(frozen=True)
class PredictionRecord:
    """What a reader read of one document.

    Attributes:
        id: of the document. That of a file of unknown origin is `file_ids.document_id`'s, as in an imported workspace.
        response: values as printed, nested as the schema nests them; or the raw text of a model that reads pages.
        confidence: by field path, in [0, 1]; of values that were assigned to fields, the probability that they are
            right, the assignment included. None, or left out, if the reader does not know it.
        reading_confidence: of such values, the reader's confidence in their characters alone.
        boxes: where values are, by field path; None if the reader found none itself.
        file: the file that was read; None for documents of a workspace.
        pages: number of pages; None for documents of a workspace.
        layout: name of the layout that found the regions; None if the pages were read whole.
        reader: what read the texts: base and adapter, or the OCR engine; None for documents of a workspace.
        truncated: whether the raw text stopped at the token limit; None for values that were read region by region.
        labels: locale of the labels that identified fields.
        sources: number, from 1, of the line that each field's value was read in.
        lines: the text lines, blocks and tables that were read, each with number, page, box in pixels, text and
            confidence.
        not_assigned: the remaining fields of the schema, grouped by the reason.
    """

    id: str
    response: dict[str, Any] | str
    confidence: Mapping[str, float | None] = field(default_factory=dict)
    boxes: LocatedBoxes | None = None
    file: str | None = None
    pages: int | None = None
    layout: str | None = None
    reader: str | None = None
    truncated: bool | None = None
    labels: str | None = None
    sources: Mapping[str, int] | None = None
    lines: Sequence[Mapping[str, Any]] | None = None
    not_assigned: Sequence[Mapping[str, Any]] | None = None
    reading_confidence: Mapping[str, float | None] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object: ``id``, ``response`` and ``confidence``, and what else is known."""
        members = {
            "id": self.id,
            "file": self.file,
            "pages": self.pages,
            "layout": self.layout,
            "reader": self.reader,
            "labels": self.labels,
            "response": self.response,
            "confidence": _known(self.confidence),
            "reading_confidence": None if self.reading_confidence is None else _known(self.reading_confidence),
            "boxes": None if self.boxes is None else boxes_to_json(self.boxes),
            "sources": self.sources,
            "truncated": self.truncated,
            "not_assigned": self.not_assigned,
            "lines": self.lines,
        }
        return {name: value for name, value in members.items() if value is not None}


def _known(confidence: Mapping[str, float | None]) -> dict[str, float]:
    return {path: value for path, value in confidence.items() if value is not None}
