"""Mining as a whole: from predictions and truths to weak cells and the next plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from finscribe_assets.documents.plan import Plan
from finscribe_assets.evaluation.calibration import MAX_LOW_CONFIDENCE_FIELDS, LowConfidenceField, low_confidence_fields
from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.mining.attribution import Attribution, DrawnValues, Effect
from finscribe_assets.mining.error_cells import SHOWN, ErrorCell, find_cells, tally
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.error_types import NOT_TEACHABLE, ErrorType, presumed_knobs
from finscribe_assets.mining.learning_history import ASSUMPTION, Earlier, progress_of
from finscribe_assets.mining.planning import (
    ALL_LEFT_OUT,
    NO_PLAN,
    disabled_names,
    explain,
    explain_cells,
    left_to_do,
    make_plan,
)
from finscribe_assets.mining.weak_cell import WeakCell, weak_cells_of

PRESUMED = 3  # knobs that are turned up where failures share nothing


@dataclass(frozen=True)
class MiningReport:
    """What was found, and the plan that it leads to."""

    cells: tuple[ErrorCell, ...]
    weak: tuple[WeakCell, ...]
    unread: int  # documents without a prediction: they tell nothing of how the reader fails
    effects: dict[str, tuple[Effect, ...]]  # by name of weak cell
    low_confidence: tuple[LowConfidenceField, ...]
    plan: Plan | None

    @property
    def explained(self) -> list[dict[str, object]] | str:
        """Return the plan as rows, or why there is none."""
        if self.plan:
            return explain(self.plan)
        others = [f"{cell.name} is not taught by documents: {_meaning(cell)}" for cell in self.not_teachable]
        return "; ".join([ALL_LEFT_OUT if self.weak else NO_PLAN, *others])

    @property
    def not_teachable(self) -> tuple[ErrorCell, ...]:
        """Return the cells that fail often enough to act on, but not by drawing documents."""
        return tuple(cell for cell in self.cells if cell.watched and not cell.teachable)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values; the next iterations read it as their history."""
        return {
            "cells": [{**asdict(cell), "documents": len(cell.documents)} for cell in self.cells],
            "weak": [cell.model_dump(mode="json") for cell in self.weak],
            "effects": {name: [asdict(effect) for effect in effects] for name, effects in self.effects.items()},
            "not_teachable": [{"cell": cell.name, "meaning": _meaning(cell)} for cell in self.not_teachable],
            "unread": self.unread,
            "low_confidence": [field.model_dump() for field in self.low_confidence],
            "plan": self.explained,
            "plan_by_cell": explain_cells(self.weak),
            "assumption": ASSUMPTION,
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
    history: Sequence[Earlier] = (),
    rule: str = "portfolio",
    disabled: Collection[str] = (),
) -> MiningReport:
    """Find the weak cells of a reader and plan the batch that is for them.

    ``drawn`` gives the values drawn for each document; without it a plan turns up the knobs known for each cell.
    ``pages`` tells what else stands on a page. ``history`` are the earlier iterations, oldest first.

    Raises:
        ValueError: there is no such rule, or no such name as one of those disabled.
    """
    known = pages or {}
    read = [one for one in scored if one.parse_statuses]
    tallies = [tally(one, known.get(one.truth.id)) for one in read]
    cells = find_cells(tallies)
    attribution = Attribution(tallies, drawn or {})
    weak = [cell for cell in cells if cell.weak]
    effects = {cell.name: tuple(attribution.effects((cell.element, cell.error_type))) for cell in weak}
    progress = {cell.name: progress_of(cell, history, documents) for cell in weak}
    usual = {name for name, value in parent.components[0].recipe.knobs if value}
    found = [_as_weak_cell(cell, effects[cell.name], usual) for cell in weak]
    plan = make_plan(parent, found, documents, rule=rule, disabled=disabled, progress=progress)
    judged = weak_cells_of(plan) if plan else tuple(left_to_do(found, disabled_names(disabled), progress))
    return MiningReport(
        tuple(cells),
        judged,
        len(scored) - len(read),
        effects,
        tuple(low_confidence_fields(read)[:MAX_LOW_CONFIDENCE_FIELDS]),
        plan,
    )


def _as_weak_cell(cell: ErrorCell, effects: Sequence[Effect], usual: Collection[str]) -> WeakCell:
    """Return a cell as a plan's reason: what its failures share, or else the usual knobs made for such failures."""
    shared = {effect.name: effect.difference for effect in effects}
    presumed = [name for name in presumed_knobs(cell.element, cell.error_type) if name in usual]
    return WeakCell(
        element=cell.element,
        error_type=cell.error_type,
        failures=cell.failures,
        trials=cell.trials,
        lower_bound=cell.lower_bound,
        rate=cell.rate,
        effects=shared,
        examples=cell.documents[:SHOWN],
        knobs=tuple(shared or presumed[:PRESUMED]),
    )
