"""What a probed reader is asked, and what its predictions come to: failures and fields by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import element_of, field_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.normalise import TRUTH_CONTEXT, ValueContext, canonical_value
from finscribe_assets.probing.factors import ACTING_FIELDS

ElementCounts = Mapping[str, tuple[int, int]]
"""Element → failures and fields of one document; a part of an element has its name followed by / and a knob's."""


@dataclass(frozen=True)
class ReadingTask:
    """A document to read, and the paths of the fields that count."""

    document: DrawnDocument
    fields: tuple[str, ...]


@dataclass(frozen=True)
class FieldPredictions:
    """What was read of one document, by field path: values as they are printed, and confidences in [0, 1].

    Rows of a table stand at the positions of the true rows that they were read from.
    """

    values: Mapping[str, str | None]  # None, or no entry, where nothing was read
    confidence: Mapping[str, float] = field(default_factory=dict)
    not_asked: frozenset[str] = frozenset()  # fields that a reader that writes a user's keys has no key for


class ProbedReader(Protocol):
    """Something that reads drawn documents: a model that is shown their pages, or a simulation of one."""

    @property
    def identity(self) -> str:
        """Return what predictions depend on besides the task; readings are cached under this name."""
        ...

    @property
    def fields_per_document(self) -> int | None:
        """Return the number of fields worth reading of one document; None where all cost as much as one."""
        ...

    def read(self, tasks: Sequence[ReadingTask]) -> list[FieldPredictions]:
        """Return the predictions for each task, in order."""
        ...


def count_failures(task: ReadingTask, predictions: FieldPredictions) -> dict[str, tuple[int, int]]:
    """Return failures and fields of elements and their parts: a field fails unless its canonical value is the true one.

    A value of the header that is predicted where the document has none is one field more that failed. What is predicted
    of true fields that do not count here is ignored, and so are fields that the reader was not asked for.
    """
    document = task.document.document.to_json()
    truth = flatten(document)
    context = ValueContext.of(document).with_decimal_mark_of(
        {path: value for path, value in predictions.values.items() if value}
    )
    invented = [path for path, value in predictions.values.items() if value and path not in truth and "[" not in path]
    counts: dict[str, tuple[int, int]] = {}
    for path in (*(path for path in task.fields if path not in predictions.not_asked), *invented):
        element = element_of(path)
        if element is None:
            continue
        predicted = canonical_value(path, predictions.values.get(path), context)
        expected = canonical_value(path, truth.get(path), TRUTH_CONTEXT)
        is_right = predicted is not None and expected is not None and predicted.text == expected.text
        for name in (str(element), *parts_of(path, str(element))):
            failures, fields = counts.get(name, (0, 0))
            counts[name] = failures + (not is_right), fields + 1
    return counts


def parts_of(path: str, element: str) -> list[str]:
    """Return the parts of its element that a field belongs to: those on which single knobs act."""
    return [f"{element}/{knob}" for knob, fields in ACTING_FIELDS.items() if field_of(path) in fields]
