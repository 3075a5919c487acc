"""Suspects of weak cells on documents that were not drawn, and shares of knobs by how frequent they are."""

from finscribe_assets.documents.plan import seed_plan, with_recipe
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.mining.allocation import AllocationInput, portfolio
from finscribe_assets.mining.mining_report import mine
from finscribe_assets.mining.suspects import SUSPECTED
from finscribe_assets.mining.weak_cell import WeakCell


def _truth(number: int) -> Truth:
    document = {
        "document_type": "receipt",
        "locale": "de_DE",
        "document_number": f"A-{number}17",
        "currency_code": "EUR",
    }
    return Truth(f"d{number}", document, frozenset({"document_number"}))


TRUTHS = {f"d{number}": _truth(number) for number in range(12)}
WRONG = {name: Prediction(name, {"document_number": "999"}) for name in TRUTHS}
SHOWN = {name: {"type:receipt": 1.0, "locale:de_DE": 1.0, "skew": 0.6, "blur": 0.0} for name in TRUTHS}
PARENT = seed_plan("batch-000", 50, 1)


def test_a_weak_cell_that_nothing_explains_names_what_its_documents_show():
    found = mine(score(TRUTHS, WRONG), PARENT, 40, SHOWN, measured=True)
    (cell,) = found.weak
    assert set(cell.knobs) <= {"skew", "locale:de_DE", "type:receipt"}
    assert "skew" in cell.knobs
    assert cell.effects == {}
    assert SUSPECTED in cell.limits
    assert found.plan is not None
    assert cell.documents > 0
    assert any(component.name == "skew" for component in found.plan.components)


def test_drawn_documents_have_no_suspects():
    found = mine(score(TRUTHS, WRONG), PARENT, 40, SHOWN)
    assert all(not cell.knobs for cell in found.weak)
    assert found.plan is None


def test_what_all_documents_of_the_recipe_show_is_no_suspect():
    recipe = Recipe(
        document_types={"receipt": 1}, locales={"de_DE": 1}, knobs=Recipe().knobs.model_copy(update={"skew": 0.6})
    )
    found = mine(score(TRUTHS, WRONG), with_recipe(PARENT, recipe), 40, SHOWN, measured=True)
    assert all(not cell.knobs and cell.left_out for cell in found.weak)


def test_frequent_knobs_come_first_where_frequencies_are_known():
    def cell(element: str, knob: str) -> WeakCell:
        return WeakCell(
            element=element, error_type="other", failures=9, trials=90, lower_bound=0.4, rate=0.5, knobs=(knob,)
        )

    cells = [cell("date", "skew"), cell("amount", "fax")]
    even = portfolio(AllocationInput(cells, {}, []))
    weighed = portfolio(AllocationInput(cells, {}, [], {"skew": 0.3, "fax": 0.03}))
    assert even["skew"] == even["fax"]
    assert weighed["skew"] / weighed["fax"] > 9
    assert sum(even.values()) == sum(weighed.values())
