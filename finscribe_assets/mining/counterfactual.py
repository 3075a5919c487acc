"""What a drawn value does, tried out: failing documents drawn and read again with that one value reset.

A document is a function of its plan and number, each value from a random stream of its own; so drawing it from the same
plan with one knob at zero (or one font, layout or engine left out) gives the same document without it. Only values that
leave the truth and every printed text as they were can be tried so: damage and presentation, not what a document says.
Beside each stands a control: the same document rendered and read again unchanged, which has to fail as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.mining.attribution import drawn_values
from finscribe_assets.mining.error_cells import tally
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.weak_cell import WeakCell

Read = Callable[[DrawnDocument], Prediction]
_RESETTABLE = {"font": "fonts", "layout": "layouts", "engine": "engines"}


@dataclass(frozen=True)
class Reversal:
    """How many of a cell's failures go away when a value is reset."""

    cell: str
    reset: str
    documents: int  # tried; those whose truth would change are not
    unsuited: int  # that fail so and have the value, but would say something else without it
    failures: int  # of the cell in those tried, as predicted before
    unchanged: int  # in the control; where it differs from ``failures`` the reader does not repeat itself
    without: int  # with the value reset

    @property
    def gone(self) -> float | None:
        """Return the share of the control's failures that went away; None where it had none."""
        return round(1 - self.without / self.unchanged, 4) if self.unchanged else None


def turned_off(recipe: Recipe, name: str) -> Recipe | None:
    """Return a recipe that never draws a value; None where there is no such recipe, or it would say other things."""
    kind, _, value = name.partition(":")
    if name in KNOB_FACTS:
        return recipe.model_copy(update={"knobs": recipe.knobs.model_copy(update={name: 0.0})})
    if kind not in _RESETTABLE:
        return None
    weights = {one: 0.0 if one == value else weight for one, weight in getattr(recipe, _RESETTABLE[kind]).items()}
    try:
        return Recipe.model_validate({**recipe.model_dump(), _RESETTABLE[kind]: weights})
    except ValidationError:  # nothing else could be drawn: no other font for a locale's letters
        return None


def drawn_without(plan: Plan, drawn: DrawnDocument, name: str) -> DrawnDocument | None:
    """Return a document as it is without a drawn value, None where it would say something else.

    Raises:
        UserError: the document was not drawn from this plan.
    """
    if drawn.batch != plan.key or draw_document(plan, drawn.index) != drawn:
        raise UserError(f"{drawn.id} is not what {plan.key}'s plan draws now; give the plan it was drawn from")
    recipe = turned_off(plan.component_of(drawn.index).recipe, name)
    if recipe is None:
        return None
    components = tuple(one.model_copy(update={"recipe": recipe}) for one in plan.components)
    again = draw_document(plan.model_copy(update={"components": components}), drawn.index)
    same = again.document == drawn.document and again.printed == drawn.printed
    return again if same and again.presentation != drawn.presentation else None


def counterfactuals(
    plan: Plan,
    drawn: Mapping[str, DrawnDocument],
    recorded: Mapping[str, Prediction],
    truths: Mapping[str, Truth],
    cells: Sequence[WeakCell],
    read: Read,
    each: int,
    *,
    failing: Mapping[str, Sequence[str]],
    on_document: Callable[[int], None] | None = None,
) -> list[Reversal]:
    """Try every suspected value of every cell on up to ``each`` documents that fail so and have the value.

    ``failing`` gives the documents of each cell by its name. ``on_document`` is told how many readings were made.

    Raises:
        UserError: a document was not drawn from this plan.
    """
    report = on_document or (lambda readings: None)
    controls: dict[str, Prediction] = {}
    reversals = []
    for cell in cells:
        for name in cell.knobs:
            having = [one for one in failing.get(cell.name, ()) if one in drawn and _has(drawn[one], name)]
            tried: dict[str, Prediction] = {}
            unsuited = 0
            for one in having:
                if len(tried) == each:
                    break
                without = drawn_without(plan, drawn[one], name)
                if without is None:
                    unsuited += 1
                    continue
                if one not in controls:
                    controls[one] = read(drawn[one])
                    report(1)
                tried[one] = read(without)
                report(1)
            counts = [
                sum(_failures(cell, truths[one], drawn[one], answers.get(one)) for one in tried)
                for answers in (recorded, controls, tried)
            ]
            reversals.append(Reversal(cell.name, name, len(tried), unsuited, *counts))
    return reversals


def _has(drawn: DrawnDocument, name: str) -> bool:
    return drawn_values([drawn])[drawn.id].get(name, 0.0) > 0


def _failures(cell: WeakCell, truth: Truth, drawn: DrawnDocument, answer: Prediction | None) -> int:
    scored = score({truth.id: truth}, {truth.id: answer} if answer else {})[0]
    return tally(scored, PageContext.of(drawn)).failures.get((cell.element, cell.error_type), 0)
