from random import Random

import pytest

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.probing.evidence import EVERY_ELEMENT, Evidence, Reading
from finscribe_assets.probing.factors import FactorSpace

SPACE = FactorSpace(EMBEDDED_RECIPE)
PLAIN = {"type:invoice", "locale:en_GB", "layout:invoice_classic", "font:DejaVu Sans", "engine:plutoprint"}


def evidence_of(rate, count=240, part="amount/reversed_print"):
    """Return readings of invoices with some knobs, whose fields fail at a rate that their knobs decide."""
    chance, evidence = Random(3), Evidence(SPACE)
    for _ in range(count):
        knobs = {knob for knob in ("reversed_print", "small_print") if chance.random() < 0.4}
        if chance.random() < 0.5:
            knobs |= {"several_pages"} | ({"carried_forward"} if chance.random() < 0.5 else set())
        counts = {}
        for element, fields in (("party", 6), ("amount", 3), (part, 1)):
            counts[element] = sum(chance.random() < rate(element, knobs) for _ in range(fields)), fields
        evidence.add(
            Reading("first wave", DocumentType.INVOICE, "en_GB", frozenset(PLAIN | knobs), counts, is_screening=True)
        )
    return {(cell.factor, cell.element): cell for cell in evidence.cells()}


def test_what_a_knob_costs_that_shows_beside_another_alone_is_no_effect_of_the_other():
    cells = evidence_of(lambda element, knobs: 0.15 if "carried_forward" in knobs else 0.03)
    assert cells["carried_forward", "party"].p < 1e-3
    assert cells["several_pages", "party"].p > 0.02


def test_what_both_cost_is_an_effect_of_the_other():
    cells = evidence_of(lambda element, knobs: 0.2 if "several_pages" in knobs else 0.03)
    assert cells["several_pages", "party"].p < 1e-4


@pytest.mark.parametrize("harmed", ["amount/reversed_print", "amount"])
def test_a_knob_that_acts_on_some_fields_is_measured_where_its_effect_is_clearer(harmed):
    cells = evidence_of(lambda element, knobs: 0.6 if element == harmed and "reversed_print" in knobs else 0.03)
    cell = cells["reversed_print", "amount"]
    assert cell.effect == pytest.approx(0.57, abs=0.12)
    assert cell.p < 1e-6
    assert not any("/" in element for _, element in cells)


def test_all_elements_count_as_one_more():
    cells = evidence_of(lambda element, knobs: 0.1 if "small_print" in knobs else 0.02)
    assert cells["small_print", EVERY_ELEMENT].p < cells["small_print", "amount"].p
