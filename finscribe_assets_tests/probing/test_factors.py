import numpy as np
import pytest

from finscribe_assets.documents.document_outline import EXCLUSIVE_KNOBS
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.instructions.crops import crop
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, UNSEEN_FONTS, UNSEEN_KNOBS, UNSEEN_LOCALE
from finscribe_assets.probing.battery import Battery
from finscribe_assets.probing.factors import (
    ACTING_FIELDS,
    COMPANION_KNOBS,
    GOODS_KNOBS,
    Factor,
    FactorSpace,
    present_factors,
)
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets.rendering.render import render

EVERYTHING = FactorSpace(Recipe())


def test_a_recipe_has_its_choices_and_knobs_as_factors(space):
    names = [factor.name for factor in space.factors]
    assert {"type:invoice", "locale:fr_FR", "font:EB Garamond", "layout:invoice_open", "reversed_print"} <= set(names)
    assert len(names) == len(set(names)) == 2 + 3 + 4 + 3 + 2 + 6
    assert {factor.choice for factor in space.factors} == {"type", "locale", "layout", "font", "engine", ""}


def test_what_a_recipe_never_draws_is_no_factor(recipe):
    less = recipe.model_copy(
        update={
            "engines": {"plutoprint": 1.0, "weasyprint": 0.0},
            "knobs": recipe.knobs.model_copy(update={"stamp": 0}),
        }
    )
    names = {factor.name for factor in FactorSpace(less).factors}
    assert names.isdisjoint({"engine:weasyprint", "engine:plutoprint", "stamp"})


def test_what_the_embedded_base_has_never_seen_is_among_its_factors():
    names = {factor.name for factor in FactorSpace(EMBEDDED_RECIPE).factors}
    assert {*UNSEEN_KNOBS, f"locale:{UNSEEN_LOCALE}", *(f"font:{font}" for font in UNSEEN_FONTS)} <= names


@pytest.mark.parametrize("factor", EVERYTHING.factors, ids=lambda factor: factor.name)
def test_every_factor_can_be_changed_alone_and_shows_on_the_document(factor):
    battery = Battery(EVERYTHING, 3)
    kind = next(one for one in EVERYTHING.types if EVERYTHING.can_act(factor, one))
    plain = EVERYTHING.plain_for(factor, kind)
    changed = EVERYTHING.changed(plain, factor)
    shown = []
    # Numbers of pairs take long to find, and matter only where not every seller can have the factor.
    is_for_goods = factor.value in GOODS_KNOBS
    for number in [battery.pair_number(plain, index, factor) for index in range(3)] if is_for_goods else range(12):
        before, after = battery.draw(plain, number), battery.draw(changed, number)
        difference = present_factors(before) ^ present_factors(after)
        choices = {Factor(name).choice or name for name in difference}
        allowed = {factor.choice or factor.name}
        allowed |= {"type": {"layout", "optional_fields"}, "locale": {"font"}}.get(factor.choice, set())
        assert choices <= allowed
        shown.append(factor.name in difference and before != after)
    assert all(shown)


def test_a_plain_document_shows_the_plain_level_of_each_choice_and_no_knob_but_optional_fields(space, battery):
    drawn = battery.draw(space.plain(DocumentType.INVOICE), 0)
    assert present_factors(drawn) == {
        "type:invoice",
        "locale:en_GB",
        "layout:invoice_classic",
        "font:DejaVu Sans",
        "engine:plutoprint",
        "optional_fields",
    }


def test_a_factor_is_probed_only_where_it_can_act():
    can_act = EVERYTHING.can_act
    assert not can_act(Factor("negative_amounts"), DocumentType.INVOICE)
    assert can_act(Factor("negative_amounts"), DocumentType.CREDIT_NOTE)
    assert not can_act(Factor("bilingual_labels"), DocumentType.INVOICE, "en_GB")
    assert can_act(Factor("bilingual_labels"), DocumentType.INVOICE, "de_DE")
    assert not can_act(Factor("tax_inclusive_prices"), DocumentType.RECEIPT, "en_US")
    assert not can_act(Factor("layout:invoice_open"), DocumentType.RECEIPT)
    assert not can_act(Factor("font:Amiri"), DocumentType.INVOICE, "en_GB")
    assert can_act(Factor("font:Amiri"), DocumentType.INVOICE, "ar_AE")


def test_a_font_without_the_letters_of_a_locale_is_replaced():
    plain = EVERYTHING.plain(DocumentType.INVOICE)
    changed = EVERYTHING.changed(plain, Factor("locale:ja_JP"))
    assert changed.font in EVERYTHING.fonts_of("ja_JP")
    assert changed.type == plain.type


def test_knobs_that_exclude_each_other_are_known():
    for knob, dropped in EXCLUSIVE_KNOBS:
        for other in dropped:
            assert EVERYTHING.excludes(knob, {other})
            assert EVERYTHING.excludes(other, {knob})
    assert not EVERYTHING.excludes("several_rates", {"dual_currency", "stamp"})


def test_tables_of_knobs_name_knobs():
    known = set(Knobs.model_fields)
    assert set(ACTING_FIELDS) <= known
    assert set(COMPANION_KNOBS) | {knob for knob, _ in COMPANION_KNOBS.values()} <= known


def test_a_knob_changes_the_fields_that_it_is_said_to_act_on_and_no_others_of_its_element():
    battery = Battery(EVERYTHING, 5)
    plain = EVERYTHING.plain(DocumentType.INVOICE)
    changed = EVERYTHING.changed(plain, Factor("confusable_identifiers"))
    seen = set()
    for number in range(30):
        before, after = battery.draw(plain, number).printed, battery.draw(changed, number).printed
        seen |= {path for path in before if "[" not in path and before[path] != after.get(path)}
    assert seen <= ACTING_FIELDS["confusable_identifiers"]
    assert len(seen) >= 5


@pytest.mark.parametrize("kind", [DocumentType.INVOICE, DocumentType.BANK_STATEMENT])
def test_reversed_print_is_light_on_dark_at_the_fields_that_it_is_said_to_act_on(kind):
    setting = EVERYTHING.changed(EVERYTHING.plain(kind), Factor("reversed_print"))
    document = render(Battery(EVERYTHING, 5).draw(setting, 1), 144)
    dark = set()
    for mark in document.of_type(MarkType.FIELD):
        part = mark.fragments[0]
        if (
            np.asarray(crop(document.pages[part.page].open(), part.box)).mean() < 175
        ):  # black on tinted paper is above 200
            dark.add(mark.name)
    assert dark
    assert dark <= ACTING_FIELDS["reversed_print"]
