"""Mining as a whole: from predictions and truths to weak cells and the next plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.documents.recipe import Plan, WeakCell
from finscribe_assets.evaluation.fields import Status
from finscribe_assets.evaluation.scoring import Scored
from finscribe_assets.mining.cells import Cell, as_weak_cell, attribute, find_cells
from finscribe_assets.mining.planning import NO_PLAN, explain, make_plan

LOW_CONFIDENCE = 0.6


@dataclass(frozen=True)
class MiningReport:
    """What was found, and the plan that it leads to."""

    cells: tuple[Cell, ...]
    weak: tuple[WeakCell, ...]
    low_confidence: tuple[dict[str, Any], ...]
    plan: Plan | None

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "cells": [
                {
                    "element": cell.element,
                    "error_type": cell.error_type,
                    "failures": cell.failures,
                    "trials": cell.trials,
                    "lower_bound": cell.lower_bound,
                    "watched": cell.watched,
                    "weak": cell.weak,
                    "examples": list(cell.examples),
                }
                for cell in self.cells
            ],
            "weak": [cell.model_dump(mode="json") for cell in self.weak],
            "low_confidence": list(self.low_confidence),
            "plan": explain(self.plan) if self.plan else NO_PLAN,
        }


def drawn_values(documents: Sequence[DrawnDocument]) -> dict[str, dict[str, float]]:
    """Return what was drawn for each document, in the vocabulary of plans: knobs, ``locale:…`` and ``font:…``."""
    return {drawn.id: {**drawn.knobs, f"locale:{drawn.document.locale}": 1.0, f"font:{drawn.presentation.font}": 1.0}
            for drawn in documents}  # fmt: skip


def mine(scored: Sequence[Scored], parent: Plan, documents: int,
         drawn: Mapping[str, Mapping[str, float]] | None = None) -> MiningReport:  # fmt: skip
    """Find the weak cells of a reader and plan the batch that is for them.

    ``drawn`` gives the values drawn for each document; without it a plan turns up the knobs known for each element.
    """
    cells = find_cells(scored)
    found = [as_weak_cell(cell, attribute(scored, drawn or {}, cell.element)) for cell in cells if cell.weak]
    unsure = [
        {
            "id": one.truth.id,
            "path": outcome.path,
            "predicted": outcome.predicted,
            "confidence": round(outcome.confidence, 4),
        }
        for one in scored
        for outcome in one.outcomes
        if outcome.confidence is not None
        and outcome.confidence < LOW_CONFIDENCE
        and outcome.status in (Status.CORRECT, Status.WRONG)
    ]
    unsure.sort(key=lambda row: (row["confidence"], row["id"], row["path"]))
    return MiningReport(tuple(cells), tuple(found), tuple(unsure[:200]), make_plan(parent, found, documents))
