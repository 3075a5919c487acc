"""Mine the scored documents of a reader: from failures to weak cells, their causes and the next plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from finscribe_assets.documents.plan import Plan
from finscribe_assets.evaluation.calibration import (
    MAX_LOW_CONFIDENCE_FIELDS,
    LowConfidenceField,
    low_confidence_fields,
)
from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.mining.attribution import Attribution, CellAttribution, DrawnValues, drawable_values
from finscribe_assets.mining.error_cells import MAX_CELL_EXAMPLES, ErrorCell, find_cells, tally_failures
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.error_types import NOT_TEACHABLE, ErrorType
from finscribe_assets.mining.learning_history import LEARNING_ASSUMPTION, EarlierIteration, cell_progress
from finscribe_assets.mining.planning import (
    ALL_LEFT_OUT,
    DRAWN_VALUES_UNKNOWN,
    NOTHING_WEAK,
    make_plan,
    mark_left_out,
    normalise_disabled,
    plan_rows,
    weak_cell_rows,
)
from finscribe_assets.mining.suspects import SUSPECTED, knobs_designed_for, suspects_of
from finscribe_assets.mining.weak_cell import WeakCell, weak_cells_of

NOTHING_READ = (
    "no prediction has any value, so nothing was read and documents cannot teach it: check what the reader was given "
    "(layout, prompt, adapter), and that `response` holds its answers"
)


@dataclass(frozen=True)
class MiningReport:
    """What mining found, and the plan that follows from it.

    Attributes:
        cells: all cells with a failure.
        weak: the weak cells, with the documents that are planned for them or why none are.
        unread: number of documents without a prediction, which are left out.
        empty: number of predictions without any value.
        nothing_read: whether all predictions are without any value, so that there is no plan.
        attributions: drawn values that failures are attributed to, and what cannot be known of their causes, by name
            of weak cell.
        low_confidence: the predicted values of lowest confidence.
        plan: of the next batch; None if there is nothing to plan.
    """

    cells: tuple[ErrorCell, ...]
    weak: tuple[WeakCell, ...]
    unread: int
    empty: int
    nothing_read: bool
    attributions: dict[str, CellAttribution]
    low_confidence: tuple[LowConfidenceField, ...]
    plan: Plan | None

    @property
    def explained(self) -> list[dict[str, object]] | str:
        """Return the plan as rows of a table, or why there is none."""
        if self.plan:
            return plan_rows(self.plan)
        if self.nothing_read:
            return NOTHING_READ
        reasons = Counter(cell.left_out for cell in self.weak)
        left_out = [f"{ALL_LEFT_OUT}: " + "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common())]
        others = [f"{cell.name} is not taught by documents: {_meaning(cell)}" for cell in self.not_teachable]
        return "; ".join([*(left_out if self.weak else [NOTHING_WEAK]), *others])

    @property
    def not_teachable(self) -> tuple[ErrorCell, ...]:
        """Return the cells that fail often enough to act on, but not by drawing documents."""
        return tuple(cell for cell in self.cells if cell.watched and not cell.teachable)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values; `EarlierIteration` reads them in later iterations."""
        return {
            "cells": [{**asdict(cell), "documents": len(cell.documents)} for cell in self.cells],
            "weak": [cell.model_dump(mode="json") for cell in self.weak],
            "attributions": {name: found.to_json() for name, found in self.attributions.items()},
            "not_teachable": [{"cell": cell.name, "meaning": _meaning(cell)} for cell in self.not_teachable],
            "unread": self.unread,
            "empty": self.empty,
            "low_confidence": [field.model_dump() for field in self.low_confidence],
            "plan": self.explained,
            "plan_by_cell": weak_cell_rows(self.weak),
            "assumption": LEARNING_ASSUMPTION,
        }


def _meaning(cell: ErrorCell) -> str:
    return NOT_TEACHABLE[ErrorType(cell.error_type)]


def mine(
    scored: Sequence[ScoredDocument],
    parent: Plan,
    documents: int,
    drawn: DrawnValues | None = None,
    *,
    pages: Mapping[str, PageContext] | None = None,
    history: Sequence[EarlierIteration] = (),
    rule: str = "portfolio",
    disabled: Collection[str] = (),
    measured: bool = False,
    weigh_frequency: bool = False,
) -> MiningReport:
    """Find the weak cells of a reader, and plan the batch that teaches them.

    Args:
        scored: documents as scored for the reader.
        parent: plan of the batch that they belong to.
        documents: number of documents of the next batch.
        drawn: drawn values by document id; without them no cause can be known, and there is no plan.
        pages: what else is known of pages, by document id.
        history: earlier iterations, oldest first.
        rule: name of the allocation rule.
        disabled: names of cells and knobs that get no documents.
        measured: whether the values were measured on documents that were not drawn: then a weak cell without a proven
            cause is planned for by what its documents show (`suspects.py`).
        weigh_frequency: whether values count for more the more documents of the plan's recipe show them.

    Raises:
        UserError: the rule or a disabled name is unknown.
    """
    pages = pages or {}
    read = [document for document in scored if document.parse_statuses]
    tallies = [tally_failures(document, pages.get(document.truth.id)) for document in read]
    cells = find_cells(tallies)
    weak = [cell for cell in cells if cell.weak]
    recipe = parent.components[0].recipe
    drawable = drawable_values(recipe) if drawn and not measured else ()
    found = Attribution(tallies, drawn or {}, drawable).attribute([cell.key for cell in weak])
    attributions = {cell.name: found[cell.key] for cell in weak}
    progress = {cell.name: cell_progress(cell, history, documents) for cell in weak}
    suspects = {
        cell.name: suspects_of(cell, drawn or {}, recipe, [effect.name for effect in found[cell.key].effects])
        for cell in weak
        if measured
    }
    weak_cells = [_as_weak_cell(cell, attributions[cell.name], suspects.get(cell.name, {})) for cell in weak]
    empty = sum(document.is_empty for document in read)
    nothing_read = bool(read) and empty == len(read)
    plan = (
        None
        if nothing_read
        else make_plan(
            parent,
            weak_cells,
            documents,
            rule=rule,
            disabled=disabled,
            progress=progress,
            weigh_frequency=weigh_frequency,
        )
    )
    without_plan = mark_left_out(weak_cells, normalise_disabled(disabled), progress)
    return MiningReport(
        cells=tuple(cells),
        weak=weak_cells_of(plan) if plan else tuple(without_plan),
        unread=len(scored) - len(read),
        empty=empty,
        nothing_read=nothing_read,
        attributions=attributions,
        low_confidence=tuple(low_confidence_fields(read)[:MAX_LOW_CONFIDENCE_FIELDS]),
        plan=plan,
    )


def _as_weak_cell(cell: ErrorCell, attribution: CellAttribution, suspects: Mapping[str, float]) -> WeakCell:
    """Return a cell with the values that its failures are attributed to, or suspected; without any it gets nothing."""
    effects = {effect.name: effect.difference for effect in attribution.effects}
    is_known = attribution.limits.documents > 0
    suspected = SUSPECTED + ", ".join(f"{name} ({lift:g} times as often)" for name, lift in suspects.items())
    return WeakCell(
        element=cell.element,
        error_type=cell.error_type,
        failures=cell.failures,
        trials=cell.trials,
        lower_bound=cell.lower_bound,
        rate=cell.rate,
        effects=effects,
        limits="; ".join([attribution.describe(), *([suspected] if suspects else [])]),
        examples=cell.documents[:MAX_CELL_EXAMPLES],
        knobs=tuple(effects) or tuple(suspects),
        to_probe=() if is_known else knobs_designed_for(cell.element, cell.error_type),
        left_out="" if is_known else DRAWN_VALUES_UNKNOWN,
    )
