"""Suspect causes of failures of documents that were not drawn, where a sample is too small to prove any.

A value is suspected if most of the failing documents show it, far more than documents of the recipe do: the reader was
trained on few of them. It is no proof: all documents of a company may share it, failing or not. A plan may follow it,
and a probe (`finscribe probe`) can prove it.
"""

from __future__ import annotations

from collections.abc import Collection

from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.value_types import Element
from finscribe_assets.mining.attribution import DrawnValues
from finscribe_assets.mining.error_cells import ErrorCell
from finscribe_assets.mining.prevalence import prevalence

MAX_SUSPECTS = 2  # of a cell
LEAST_SHARE = 0.5  # of the failing documents that show a suspected value
LEAST_LIFT = 2.0  # times the share of the recipe's documents that show it
_LEAST_PREVALENCE = 0.005  # rarer values are taken to be as frequent as this

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
