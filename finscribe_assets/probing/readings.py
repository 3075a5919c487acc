"""What a probed reader is asked, and what its answers come to: failures and fields by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.evaluation.field_comparison import Status, compare
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.response_parsing import read_response

ElementCounts = Mapping[str, tuple[int, int]]
"""Element → failures and fields of one document."""


@dataclass(frozen=True)
class ReadingTask:
    """A document to read, and the paths of the fields that count; a reader of whole pages may predict others."""

    document: DrawnDocument
    fields: tuple[str, ...]


class ProbedReader(Protocol):
    """Something that reads drawn documents: a model that is shown their pages, or a simulation of one."""

    @property
    def identity(self) -> str:
        """Return what predictions depend on besides the task: a cache keeps them under this name."""
        ...

    @property
    def fields_per_document(self) -> int | None:
        """Return the number of fields worth reading of one document; None where all cost as much as one."""
        ...

    def read(self, tasks: Sequence[ReadingTask]) -> list[Prediction]:
        """Return the predictions for tasks, in their order."""
        ...


def count_failures(task: ReadingTask, prediction: Prediction) -> dict[str, tuple[int, int]]:
    """Return failures and fields of each element: a field fails unless its canonical value is the true one.

    What a reader of whole pages makes up where nothing is printed counts as one field more that failed.
    """
    drawn = task.document
    truth = Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed))
    outcomes = compare(truth, read_response(prediction.response).document, prediction.confidence).outcomes
    wanted = set(task.fields)
    counts: dict[str, tuple[int, int]] = {}
    for outcome in outcomes:
        # An extra row is a row that was not matched: its true fields are counted as missing already.
        if outcome.path in wanted or (outcome.status is Status.EXTRA and "[" not in outcome.path):
            failures, fields = counts.get(outcome.element, (0, 0))
            counts[outcome.element] = failures + (outcome.status is not Status.CORRECT), fields + 1
    return counts
