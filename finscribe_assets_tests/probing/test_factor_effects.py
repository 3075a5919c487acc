from finscribe_assets.probing.evidence import EVERY_ELEMENT, CellEffect
from finscribe_assets.probing.factor_effects import EffectVerdict, harmful_factors, judge_effects


def cell(factor, element, p, effect=0.1, high=0.2):
    return CellEffect(factor, element, effect, effect - 0.1, high, p, 0.0, readings=40)


def null_cells(count=50, high=0.2):
    return [cell(f"null {number}", element, 0.5, 0.0, high) for number in range(count) for element in ("party", "date")]


def verdicts(cells):
    return {(one.factor, one.element): str(one.verdict) for one in judge_effects(cells, 0.05, 0.05)}


def test_a_factor_with_one_clear_element_is_harmful_there_alone():
    found = verdicts([*null_cells(), cell("font:Lato", "party", 1e-6), cell("font:Lato", "date", 0.4)])
    assert found["font:Lato", "party"] == EffectVerdict.HARMFUL
    assert found["font:Lato", "date"] == EffectVerdict.UNDECIDED
    assert list(found.values()).count("harmful") == 1


def test_a_factor_that_harms_many_elements_makes_no_room_for_others():
    many = [cell("font:Lato", f"element {number}", 1e-9) for number in range(30)]
    border = [cell("stamp", "party", 8e-4), cell("stamp", "date", 0.5)]
    # Over cells, 31 discoveries of 132 would admit p-values up to .011.
    assert harmful_factors(judge_effects([*null_cells(), *many, *border], 0.05, 0.05)) == ["font:Lato", "stamp"]
    border = [cell("stamp", "party", 8e-3), cell("stamp", "date", 0.5)]
    assert harmful_factors(judge_effects([*null_cells(), *many, *border], 0.05, 0.05)) == ["font:Lato"]


def test_a_small_effect_on_all_elements_is_found_in_all_of_them_together():
    cells = [cell("font:Lato", element, 0.01) for element in ("party", "date", "text")]
    assert not harmful_factors(judge_effects([*null_cells(), *cells], 0.05, 0.05))
    cells.append(cell("font:Lato", EVERY_ELEMENT, 1e-6))
    effects = judge_effects([*null_cells(), *cells], 0.05, 0.05)
    assert harmful_factors(effects) == ["font:Lato"]
    assert EVERY_ELEMENT not in {one.element for one in effects}


def test_a_knob_needs_less_evidence_on_elements_that_it_is_made_for():
    for clear, other, is_found in (("amount", "party", True), ("party", "amount", False)):
        cells = [cell("prepayments", clear, 2.5e-4), cell("prepayments", other, 0.5)]
        assert bool(harmful_factors(judge_effects([*null_cells(94), *cells], 0.05, 0.05))) is is_found


def test_an_effect_whose_bound_is_below_what_matters_is_harmless():
    assert set(verdicts(null_cells(high=0.04)).values()) == {"harmless"}
    assert set(verdicts(null_cells(high=0.06)).values()) == {"undecided"}
