"""Test a suspected cause by experiment: draw and read failing documents again with one drawn value reset.

A document is a function of its plan and its index, and every value is drawn from a random stream of its own. So drawing
it from the same plan with one knob at zero, or without one font, layout or engine, gives the same document without that
value. This works only for values that change neither the truth nor any printed text: damage and presentation. The
control is the same document rendered and read again unchanged, which should fail as before.
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
from finscribe_assets.mining.error_cells import tally_failures
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.weak_cell import WeakCell

ReadDocument = Callable[[DrawnDocument], Prediction]
"""Renders and reads a drawn document."""

_RESETTABLE = {"font": "fonts", "layout": "layouts", "engine": "engines"}


@dataclass(frozen=True)
class Reversal:
    """Failures of a cell with and without a drawn value.

    Attributes:
        cell: name of the cell.
        reset: name of the value that was reset.
        documents: number of documents that were tried.
        unsuited: number of failing documents with the value that were not tried, since they would print other texts
            without it.
        failures: number of the cell's failures in the tried documents, as predicted originally.
        unchanged: the same number for the control; if it differs, the reader does not repeat its results.
        without: the same number with the value reset.
    """

    cell: str
    reset: str
    documents: int
    unsuited: int
    failures: int
    unchanged: int
    without: int

    @property
    def gone(self) -> float | None:
        """Return the share of the control's failures that disappeared; None if the control had none."""
        return round(1 - self.without / self.unchanged, 4) if self.unchanged else None


def without_value(recipe: Recipe, name: str) -> Recipe | None:
    """Return a recipe that never draws a value.

    Args:
        recipe: the recipe.
        name: a knob, ``font:…``, ``layout:…`` or ``engine:…``.

    Returns:
        The recipe; None if the value cannot be reset, or nothing could be drawn in its place.
    """
    dimension, _, value = name.partition(":")
    if name in KNOB_FACTS:
        return recipe.model_copy(update={"knobs": recipe.knobs.model_copy(update={name: 0.0})})
    if dimension not in _RESETTABLE:
        return None
    field = _RESETTABLE[dimension]
    weights = {choice: 0.0 if choice == value else weight for choice, weight in getattr(recipe, field).items()}
    try:
        return Recipe.model_validate({**recipe.model_dump(), field: weights})
    except ValidationError:  # no other choice is left, such as another font for a locale's letters
        return None


def redraw_without(plan: Plan, drawn: DrawnDocument, name: str) -> DrawnDocument | None:
    """Draw a document again without one of its drawn values.

    Args:
        plan: the plan that the document was drawn from.
        drawn: the document.
        name: of the value, as in ``without_value``.

    Returns:
        The document without the value; None if its truth or printed texts would change, or nothing would.

    Raises:
        UserError: the document was not drawn from this plan.
    """
    if drawn.batch != plan.key or draw_document(plan, drawn.index) != drawn:
        raise UserError(
            f"{drawn.id} differs from what the plan of {plan.key} draws; give the plan that it was drawn from"
        )
    recipe = without_value(plan.component_of(drawn.index).recipe, name)
    if recipe is None:
        return None
    components = tuple(component.model_copy(update={"recipe": recipe}) for component in plan.components)
    redrawn = draw_document(plan.model_copy(update={"components": components}), drawn.index)
    same_texts = redrawn.document == drawn.document and redrawn.printed == drawn.printed
    return redrawn if same_texts and redrawn.presentation != drawn.presentation else None


def counterfactuals(
    plan: Plan,
    drawn: Mapping[str, DrawnDocument],
    recorded: Mapping[str, Prediction],
    truths: Mapping[str, Truth],
    cells: Sequence[WeakCell],
    read: ReadDocument,
    each: int,
    *,
    failing: Mapping[str, Sequence[str]],
    on_document: Callable[[int], None] | None = None,
) -> list[Reversal]:
    """Test every suspected value of every weak cell on documents that fail and have the value.

    Args:
        plan: the plan that the documents were drawn from.
        drawn: documents by id.
        recorded: the original predictions by document id.
        truths: by document id.
        cells: whose knobs are tested.
        read: renders and reads a document.
        each: number of documents for each cell and value, at most.
        failing: ids of the documents that fail, by name of cell.
        on_document: called with the number of readings since the last call.

    Raises:
        UserError: a document was not drawn from this plan.
    """
    report = on_document or (lambda readings: None)
    controls: dict[str, Prediction] = {}
    reversals = []
    for cell in cells:
        for name in cell.knobs:
            with_value = [id_ for id_ in failing.get(cell.name, ()) if id_ in drawn and _has_value(drawn[id_], name)]
            tried: dict[str, Prediction] = {}
            unsuited = 0
            for id_ in with_value:
                if len(tried) == each:
                    break
                without = redraw_without(plan, drawn[id_], name)
                if without is None:
                    unsuited += 1
                    continue
                if id_ not in controls:
                    controls[id_] = read(drawn[id_])
                    report(1)
                tried[id_] = read(without)
                report(1)
            counts = [
                sum(_failures(cell, truths[id_], drawn[id_], predictions.get(id_)) for id_ in tried)
                for predictions in (recorded, controls, tried)
            ]
            reversals.append(Reversal(cell.name, name, len(tried), unsuited, *counts))
    return reversals


def _has_value(drawn: DrawnDocument, name: str) -> bool:
    return drawn_values([drawn])[drawn.id].get(name, 0.0) > 0


def _failures(cell: WeakCell, truth: Truth, drawn: DrawnDocument, prediction: Prediction | None) -> int:
    scored = score({truth.id: truth}, {truth.id: prediction} if prediction else {})[0]
    return tally_failures(scored, PageContext.of(drawn)).failures.get((cell.element, cell.error_type), 0)
