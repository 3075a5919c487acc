"""How the failed fields of a report failed: counts of each error type, with examples, the most frequent first.

What belongs here: counting. Which error type a failure has is decided by the caller (`mining/error_classification.py`),
since the rules need more than the evaluation knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldOutcome

ClassifyErrors = Callable[[ScoredDocument], Iterable[tuple[FieldOutcome, str]]]
"""Returns every failed field of a document with its error type."""

MAX_FAILURE_EXAMPLES = 20  # of each error type, each of another document
MAX_EXAMPLE_VALUE = 120  # characters
MAX_NAMED_ELEMENTS = 3


class FailureExample(BaseModel):
    """A failed field of a document."""

    model_config = ConfigDict(frozen=True)

    document: str
    path: str
    element: str
    truth: str | None
    predicted: str | None


class LeadingFailure(BaseModel):
    """One error type: how many fields failed so, and in which elements."""

    model_config = ConfigDict(frozen=True)

    error_type: str
    failures: int = Field(description="number of failed fields")
    share: float = Field(description="of all failed fields")
    documents: int = Field(description="number of documents with such a failure")
    elements: dict[str, int] = Field(description="failures by element, the most first")
    examples: tuple[FailureExample, ...] = Field(description="of the element that fails most, one for each document")


def leading_failures(scored: Sequence[ScoredDocument], classify: ClassifyErrors) -> list[LeadingFailure]:
    """Count the failures of documents by error type, the most frequent first."""
    failures: dict[str, list[FailureExample]] = {}
    for document in scored:
        for outcome, error_type in classify(document):
            example = FailureExample(
                document=document.truth.id,
                path=outcome.path,
                element=outcome.element,
                truth=_excerpt(outcome.truth),
                predicted=_excerpt(outcome.predicted),
            )
            failures.setdefault(str(error_type), []).append(example)
    total = sum(map(len, failures.values()))
    found = [_leading(error_type, examples, total) for error_type, examples in failures.items()]
    return sorted(found, key=lambda one: (-one.failures, one.error_type))


def _leading(error_type: str, failed: Sequence[FailureExample], total: int) -> LeadingFailure:
    counts = Counter(example.element for example in failed)
    elements = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    first = {example.document: example for example in reversed(failed) if example.element == next(iter(elements))}
    return LeadingFailure(
        error_type=error_type,
        failures=len(failed),
        share=round(len(failed) / total, 4),
        documents=len({example.document for example in failed}),
        elements=elements,
        examples=tuple(reversed(first.values()))[:MAX_FAILURE_EXAMPLES],
    )


def _excerpt(value: str | None) -> str | None:
    return None if value is None else value[:MAX_EXAMPLE_VALUE]
