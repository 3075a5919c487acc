"""Metrics of slices: documents that share a document type, a locale or another attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.metrics import Estimate, estimate_metrics, with_verbatim
from finscribe_assets.splitting.exposure import page_count_label
from finscribe_assets.splitting.split_table import SplitRow

SLICE_METRICS = ("field_accuracy", "field_f1", "teds", "numeric_consistency", "exact_match")
TRUTH_DIMENSIONS = ("document_type", "locale")

DocumentAttributes = Mapping[str, Mapping[str, str]]
"""Further attributes of documents, by document id and dimension: exposure, pages, degradation, or a user's own."""


class Slice(BaseModel):
    """Metrics of the documents that share the values of one dimension, or of all dimensions."""

    model_config = ConfigDict(frozen=True)

    attributes: dict[str, str] = Field(description="shared values by dimension, such as locale: de_AT")
    documents: int
    metrics: dict[str, Estimate | None] = Field(description="by metric; None for one without observations")

    def row(self) -> dict[str, str | int | float | None]:
        """Return the slice as a row of a table."""
        row: dict[str, str | int | float | None] = {**self.attributes, "documents": self.documents}
        for name, estimate in self.metrics.items():
            row[name] = estimate.value if estimate else None
        f1 = self.metrics["field_f1"]
        return row | {"field_f1_low": f1.low if f1 else None, "field_f1_high": f1.high if f1 else None}


def split_attributes(rows: Iterable[SplitRow]) -> dict[str, dict[str, str]]:
    """Return what slices need of the documents of a data set, by document id."""
    return {
        row.document_id: {
            "exposure": str(row.exposure),
            "item_names": row.item_names,
            "pages": page_count_label(row.pages),
            "degradation": row.degradation,
        }
        for row in rows
    }


def slice_documents(scored: Sequence[ScoredDocument], attributes: DocumentAttributes) -> list[Slice]:
    """Slice documents by each dimension, and by all dimensions crossed.

    A document whose value of a dimension is unknown is in no slice of that dimension.

    Args:
        scored: the documents.
        attributes: what is known of them besides document type and locale.

    Returns:
        The slices, dimension by dimension in the order of their values, the crossed ones last.
    """
    known = [_attributes(document, attributes.get(document.truth.id, {})) for document in scored]
    dimensions = [*TRUTH_DIMENSIONS, *sorted({name for values in known for name in values} - set(TRUTH_DIMENSIONS))]
    present = [name for name in dimensions if any(name in values for values in known)]
    single = [made for name in present for made in _slices(scored, known, (name,))]
    return single + (_slices(scored, known, tuple(present)) if len(present) > 1 else [])


def _attributes(document: ScoredDocument, others: Mapping[str, str]) -> dict[str, str]:
    truth = document.truth.document
    stated = {name: str(truth[name]) for name in TRUTH_DIMENSIONS if isinstance(truth.get(name), str)}
    return stated | dict(document.truth.attributes) | dict(others)


def _slices(
    scored: Sequence[ScoredDocument], known: Sequence[Mapping[str, str]], names: tuple[str, ...]
) -> list[Slice]:
    groups: dict[tuple[str, ...], list[ScoredDocument]] = {}
    for document, values in zip(scored, known, strict=True):
        if all(name in values for name in names):
            groups.setdefault(tuple(values[name] for name in names), []).append(document)
    return [
        Slice(
            attributes=dict(zip(names, values, strict=True)),
            documents=len(documents),
            metrics=estimate_metrics(documents, with_verbatim(SLICE_METRICS, documents)),
        )
        for values, documents in sorted(groups.items())
    ]
