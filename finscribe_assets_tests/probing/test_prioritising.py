import pytest

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.probing.evidence import CellEffect
from finscribe_assets.probing.factors import Factor, FactorSpace
from finscribe_assets.probing.prioritising import MAX_LEVEL_SHARE, first_shares, next_shares, types_that_show

SPACE = FactorSpace(EMBEDDED_RECIPE)


def cell(factor, effect, z, p=0.5, element="party"):
    return CellEffect(factor, element, effect, effect - 0.1, effect + 0.1, p, z, readings=10)


def null_cells():
    return [cell(factor.name, -0.02, -1.0) for factor in SPACE.factors]


def test_first_documents_show_all_values_of_a_choice_alike_and_all_knobs_alike():
    shares = first_shares(SPACE)
    assert set(shares) == set(SPACE.factors)
    for choice in ("font", "locale", "layout"):
        found = {share for factor, share in shares.items() if factor.choice == choice}
        assert len(found) == 1
    assert sum(share for factor, share in shares.items() if factor.choice == "font") == pytest.approx(1)
    assert shares[Factor("engine:weasyprint")] == pytest.approx(0.06)


def test_what_looks_harmful_is_shown_more_and_everything_else_still():
    cells = [one for one in null_cells() if one.factor != "font:Lato"] + [cell("font:Lato", 0.1, 2.5)]
    shares = next_shares(cells, SPACE)
    fonts = {factor.value: share for factor, share in shares.items() if factor.choice == "font"}
    assert fonts["Lato"] == pytest.approx(MAX_LEVEL_SHARE)
    assert min(fonts.values()) > 0
    assert len(fonts) == 19
    assert not any(factor.choice == "type" for factor in shares)


def test_what_is_certain_is_shown_no_more():
    cells = [one for one in null_cells() if one.factor != "font:Lato"] + [cell("font:Lato", 0.5, 9.0, p=1e-9)]
    assert Factor("font:Lato") not in next_shares(cells, SPACE, kept=["font:Lato"])


def test_a_kept_factor_counts_as_likely():
    assert next_shares(null_cells(), SPACE, kept=["font:Lato"])[Factor("font:Lato")] == pytest.approx(MAX_LEVEL_SHARE)


def test_a_factor_is_shown_on_the_types_that_have_most_of_its_element():
    fields = {
        DocumentType.INVOICE: {"text": 3.0},
        DocumentType.CREDIT_NOTE: {"text": 2.0},
        DocumentType.RECEIPT: {"text": 0.8},
    }
    factor = Factor("font:Lato")
    found = types_that_show([cell("font:Lato", 0.1, 2.0, element="text")], SPACE, [factor], fields)
    assert found == {factor: [DocumentType.INVOICE, DocumentType.CREDIT_NOTE]}
