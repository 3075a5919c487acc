"""Suspect causes of failures of documents that were not drawn, where a sample is too small to prove any.

A value is suspected if most of the failing documents show it, far more than documents of the recipe do: the reader was
trained on few of them. It is no proof: all documents of a company may share it, failing or not. A plan may follow it,
and a probe (`finscribe probe`) can prove it.
"""

from __future__ import annotations

from collections.abc import Collection

from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.value_types import Element
from finscribe_assets.mining.attribution import DrawnValues
from finscribe_assets.mining.error_cells import ErrorCell
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.prevalence import prevalence

MAX_SUSPECTS = 2  # of a cell
LEAST_SHARE = 0.5  # of the failing documents that show a suspected value
LEAST_LIFT = 2.0  # times the share of the recipe's documents that show it
_LEAST_PREVALENCE = 0.005  # rarer values are taken to be as frequent as this

MAX_DESIGNED = 4  # knobs that are named for a cell of whose documents nothing is known

# The causes that an error type may have. Each knob is designed for a cause, and for elements.
_CAUSES: dict[ErrorType, tuple[FailureCause, ...]] = {
    ErrorType.MISSING: (FailureCause.MISSING_FIELD, FailureCause.OCCLUSION),
    ErrorType.HALLUCINATED: (FailureCause.HALLUCINATED_FIELD, FailureCause.MISSING_FIELD),
    ErrorType.DECOY_TAKEN: (FailureCause.HALLUCINATED_FIELD,),
    ErrorType.ROW_MISSING: (FailureCause.ROWS_MISSED_OR_DUPLICATED, FailureCause.PAGE_JOIN),
    ErrorType.ROW_EXTRA: (FailureCause.ROWS_MISSED_OR_DUPLICATED, FailureCause.PAGE_JOIN),
    ErrorType.ROW_MERGED: (FailureCause.ROWS_MERGED_OR_SPLIT,),
    ErrorType.ROW_SPLIT: (FailureCause.ROWS_MERGED_OR_SPLIT,),
    ErrorType.ROW_SHIFT: (FailureCause.ROWS_MERGED_OR_SPLIT, FailureCause.COLUMN_SHIFT),
    ErrorType.COLUMN_SWAP: (FailureCause.COLUMN_SHIFT,),
    ErrorType.PARTY_SWAP: (FailureCause.PARTY_SWAP,),
    ErrorType.CURRENCY: (FailureCause.CURRENCY,),
    ErrorType.WRONG_TOTAL: (FailureCause.WRONG_TOTAL_CHOSEN, FailureCause.NET_AND_GROSS_CONFUSION),
    ErrorType.LABEL_SWAP: (FailureCause.HALLUCINATED_FIELD, FailureCause.MISSING_FIELD),
    ErrorType.SIGN: (FailureCause.SIGN,),
    ErrorType.SEPARATOR: (FailureCause.DECIMAL_AND_THOUSANDS_SEPARATORS,),
    ErrorType.DATE_ORDER: (FailureCause.DATE_ORDER,),
    ErrorType.DATE_YEAR: (FailureCause.DATE_ORDER,),
    ErrorType.DIGIT_COUNT: (FailureCause.DROPPED_OR_INSERTED_DIGIT,),
    ErrorType.TRUNCATED: (FailureCause.OUTPUT_LENGTH,),
}
# Everything else is a character or word that was misread.
_MISREAD = (FailureCause.CHARACTER_CONFUSION, FailureCause.DEGRADATION, FailureCause.OCCLUSION)

SUSPECTED = "suspected, not proven, as most failing documents show it and few of the recipe's do: "


def suspects_of(cell: ErrorCell, values: DrawnValues, recipe: Recipe, known: Collection[str]) -> dict[str, float]:
    """Return values that may have made a cell fail, with how many times more frequent they are than in the recipe.

    Args:
        cell: the cell, with the documents that failed so.
        values: values by document id, as they were measured.
        recipe: what the reader was trained on.
        known: values that the failures are attributed to already.
    """
    failing = [values[name] for name in cell.documents if name in values]
    if not failing or known:
        return {}
    lifts: dict[str, float] = {}
    for name in sorted({name for shown in failing for name in shown}):
        if not _concerns(name, cell.element):
            continue
        share = sum(shown.get(name, 0.0) > 0 for shown in failing) / len(failing)
        lift = share / max(prevalence(recipe, name), _LEAST_PREVALENCE)
        if share >= LEAST_SHARE and lift >= LEAST_LIFT:
            lifts[name] = round(lift, 2)
    return dict(sorted(lifts.items(), key=lambda item: (-item[1], item[0]))[:MAX_SUSPECTS])


def _concerns(name: str, element: str) -> bool:
    """Return whether a value can make an element harder to read: a knob states its elements, choices concern all."""
    facts = KNOB_FACTS.get(name)
    return facts is None or element not in set(Element) or Element(element) in facts.elements


def knobs_designed_for(element: str, error_type: str) -> tuple[str, ...]:
    """Return knobs that are designed for failures of an element in one way, those for the likeliest cause first.

    They are named where nothing is known of the failing documents: a probe of them finds out whether one is the cause.
    """
    causes = _CAUSES.get(ErrorType(error_type), _MISREAD)
    if element not in set(Element):
        return ()
    fitting = [
        name
        for cause in causes
        for name, facts in KNOB_FACTS.items()
        if facts.cause is cause and _concerns(name, element)
    ]
    return tuple(fitting[:MAX_DESIGNED])
