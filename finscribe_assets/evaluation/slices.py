"""Documents by what they are and how they look: where a reader is good, and where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.metrics import Figure, figures
from finscribe_assets.splitting.exposure import page_count_label
from finscribe_assets.splitting.split_table import SplitRow

MEASURED = ("field_accuracy", "field_f1", "teds", "numeric_consistency", "exact_match")
OF_THE_TRUTH = ("document_type", "locale")

Circumstances = Mapping[str, Mapping[str, str]]
"""What is known of each document besides its truth, by id: exposure, pages, degradation, or whatever the user counts
by."""


class Slice(BaseModel):
    """The documents that share these values, measured."""

    model_config = ConfigDict(frozen=True)

    of: dict[str, str] = Field(description="dimension → value, such as locale → de_AT; one dimension or all of them")
    documents: int
    figures: dict[str, Figure | None]

    def row(self) -> dict[str, str | int | float | None]:
        """Return the slice as a row of a table."""
        row: dict[str, str | int | float | None] = {**self.of, "documents": self.documents}
        for name, figure in self.figures.items():
            row[name] = figure.value if figure else None
        lowest = self.figures["field_f1"]
        return row | {"field_f1_low": lowest.low if lowest else None, "field_f1_high": lowest.high if lowest else None}


def circumstances_of(rows: Iterable[SplitRow]) -> dict[str, dict[str, str]]:
    """Return what a data set's splits tell of each document: exposure, pages and degradation."""
    return {
        row.document_id: {
            "exposure": str(row.exposure),
            "pages": page_count_label(row.pages),
            "degradation": row.degradation,
        }
        for row in rows
    }


def slices(scored: Sequence[ScoredDocument], circumstances: Circumstances) -> list[Slice]:
    """Return documents by each dimension, and by all of them crossed, in the order of the values.

    A document of which a dimension is not known is in no slice of it.
    """
    known = [_values(one, circumstances.get(one.truth.id, {})) for one in scored]
    dimensions = [*OF_THE_TRUTH, *sorted({name for values in known for name in values} - set(OF_THE_TRUTH))]
    there = [name for name in dimensions if any(name in values for values in known)]
    found = [made for name in there for made in _by(scored, known, (name,))]
    return found + (_by(scored, known, tuple(there)) if len(there) > 1 else [])


def _values(one: ScoredDocument, known: Mapping[str, str]) -> dict[str, str]:
    document = one.truth.document
    return {name: str(document[name]) for name in OF_THE_TRUTH if isinstance(document.get(name), str)} | dict(known)


def _by(scored: Sequence[ScoredDocument], known: Sequence[Mapping[str, str]], names: tuple[str, ...]) -> list[Slice]:
    groups: dict[tuple[str, ...], list[ScoredDocument]] = {}
    for one, values in zip(scored, known, strict=True):
        if all(name in values for name in names):
            groups.setdefault(tuple(values[name] for name in names), []).append(one)
    return [
        Slice(of=dict(zip(names, key, strict=True)), documents=len(members), figures=figures(members, MEASURED))
        for key, members in sorted(groups.items())
    ]
