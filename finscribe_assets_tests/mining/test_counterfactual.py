import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import DAMAGE_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.mining.counterfactual import counterfactuals, redraw_without, without_value
from finscribe_assets.mining.weak_cell import WeakCell

PLAN = seed_plan(
    "batch-000",
    60,
    5,
    Recipe(
        knobs=Recipe().knobs.model_copy(
            update={"blur": 0.5, "skew": 0.5, "small_print": 0.5, "many_lines": 0.0, "very_long_tables": 0.0}
        )
    ),
)
DRAWN = {drawn.id: drawn for drawn in (draw_document(PLAN, index) for index in range(60))}


def read(drawn):
    """Read all but the number's last character where the page is blurred."""
    printed = dict(drawn.printed)
    if drawn.presentation.damage.get("blur"):
        printed["document_number"] = printed["document_number"][:-3]
    return Prediction(drawn.id, unflatten(printed))


def test_resetting_the_guilty_knob_removes_its_errors_and_resetting_another_does_not():
    truths = {name: Truth(name, one.document.to_json(), frozenset(one.printed)) for name, one in DRAWN.items()}
    cell = WeakCell(
        element="identifier",
        error_type="cut_short",
        failures=9,
        trials=60,
        lower_bound=0.1,
        knobs=("blur", "skew", "long_amounts", "locale:de_DE"),
    )
    failing = {cell.name: [name for name, one in DRAWN.items() if one.presentation.damage.get("blur")]}
    readings, read_documents = [], []

    def read_and_record(drawn):
        read_documents.append(drawn.id)
        return read(drawn)

    blur, skew, amounts, locale = counterfactuals(
        PLAN,
        DRAWN,
        {name: read(one) for name, one in DRAWN.items()},
        truths,
        [cell],
        read_and_record,
        6,
        failing=failing,
        on_document=readings.append,
    )
    assert (blur.reset, blur.documents, blur.gone) == ("blur", 6, 1.0)
    assert blur.failures == blur.unchanged > 0  # the control fails as before
    assert (skew.documents, skew.gone) == (6, 0.0)
    # These change what a document prints, so they cannot be tested.
    assert (amounts.documents, amounts.gone, locale.documents) == (0, None, 0)
    assert amounts.unsuited > 0
    # Six documents without blur, six without skew, and each of them once more as a control.
    assert sum(readings) == len(read_documents) == 12 + len(set(read_documents))


def test_a_document_without_a_value_prints_the_same_texts():
    for name in (*DAMAGE_KNOBS, "degradation", "borderless_tables", "small_print", "parties_side_by_side"):
        having = [one for one in DRAWN.values() if one.knobs[name]]
        without = [redraw_without(PLAN, one, name) for one in having]
        assert all(one and one.knobs[name] == 0 for one in without)
        assert all(one.printed == other.printed for one, other in zip(having, without, strict=True))
    font = next(iter(DRAWN.values())).presentation.font
    other = redraw_without(PLAN, next(iter(DRAWN.values())), f"font:{font}")
    assert other.presentation.font != font


def test_values_that_cannot_be_reset_and_documents_of_another_plan_are_refused():
    alone = Recipe(fonts={"Lato": 1.0}, locales={"de_DE": 1.0})
    assert without_value(alone, "font:Lato") is None
    assert without_value(alone, "type:receipt") is None
    with pytest.raises(ValueError, match="differs from what the plan of batch-000 draws"):
        redraw_without(PLAN.model_copy(update={"seed": 1}), next(iter(DRAWN.values())), "blur")
