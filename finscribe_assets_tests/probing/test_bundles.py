from collections import Counter

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.probing.bundles import BundleDesigner
from finscribe_assets.probing.factors import LONG_FACTORS, Factor, FactorSpace
from finscribe_assets.probing.prioritising import first_shares

EMBEDDED = FactorSpace(EMBEDDED_RECIPE)
SHARES = first_shares(EMBEDDED)


def test_the_same_seed_gives_the_same_design_and_another_seed_another():
    first, second = (BundleDesigner(EMBEDDED, "1").wave(SHARES, 40) for _ in range(2))
    assert first == second
    assert first != BundleDesigner(EMBEDDED, "2").wave(SHARES, 40)


def test_every_factor_is_on_about_equally_often_where_it_can_act():
    settings = BundleDesigner(EMBEDDED, "1").wave(SHARES, 300)
    for choice in ("font", "locale", "knob"):
        factors = [one for one in EMBEDDED.factors if (one.choice or "knob") == choice]
        usual = [one for one in factors if one.name not in LONG_FACTORS | EMBEDDED.plain_knobs]
        uses = [sum(setting.has(factor) for setting in settings) for factor in usual]
        # A knob of one document type is on in half of its documents at most.
        assert min(uses) >= (0.5 if choice != "knob" else 0.3) * max(uses), choice
        assert min(uses) >= 10


def test_a_knob_is_off_in_about_half_of_the_documents_on_which_it_can_act_or_more():
    settings = BundleDesigner(EMBEDDED, "1").wave(SHARES, 400)
    companions = {"several_pages", "negative_amounts"}
    for factor in EMBEDDED.factors:
        if factor.choice or factor.name in companions | EMBEDDED.plain_knobs:
            continue
        possible = [one for one in settings if EMBEDDED.can_act(factor, one.type, one.locale)]
        assert sum(one.has(factor) for one in possible) <= 0.62 * len(possible), factor


def test_which_factors_share_a_document_is_random():
    settings = BundleDesigner(EMBEDDED, "1").wave(SHARES, 300)
    together = Counter(
        (first, second) for one in settings for first in one.knobs for second in one.knobs if first < second
    )
    uses = Counter(knob for one in settings for knob in one.knobs)
    for (first, second), count in together.items():
        if {first, second} & {"several_pages", "negative_amounts", *EMBEDDED.plain_knobs}:
            continue
        assert count <= 0.8 * min(uses[first], uses[second]) + 3, (first, second)


def test_no_document_has_knobs_that_exclude_each_other_or_a_knob_without_its_companion():
    for setting in BundleDesigner(EMBEDDED, "3").wave(SHARES, 200):
        assert not any(EMBEDDED.excludes(knob, setting.knobs - {knob}) for knob in setting.knobs)
        for knob in setting.knobs:
            companion = EMBEDDED.companion(Factor(knob), setting.type)
            assert companion is None or companion in setting.knobs
        assert setting.layout in EMBEDDED.layouts_of(setting.type)
        assert setting.font in EMBEDDED.fonts_of(setting.locale)


def test_documents_are_plain_in_everything_that_is_not_asked_for():
    shares = {Factor("font:Lato"): 0.3, Factor("reversed_print"): 0.5}
    for setting in BundleDesigner(EMBEDDED, "1").wave(shares, 30):
        assert setting.locale == EMBEDDED.plain_level("locale")
        assert setting.font in ("Lato", EMBEDDED.plain_level("font"))
        assert setting.knobs <= EMBEDDED.plain_knobs | {"reversed_print"}


def test_a_factor_is_shown_on_the_types_that_serve():
    factor = Factor("font:Lato")
    settings = BundleDesigner(EMBEDDED, "1").wave({factor: 0.3}, 30, {factor: [DocumentType.BANK_STATEMENT]})
    assert {setting.type for setting in settings if setting.has(factor)} == {DocumentType.BANK_STATEMENT}


def test_factors_are_on_in_the_share_that_is_asked_for():
    shares = {Factor("font:Lato"): 0.3, Factor("font:Roboto"): 0.1, Factor("stamp"): 0.4, Factor("reversed_print"): 0.2}
    settings = BundleDesigner(EMBEDDED, "1").wave(shares, 200)
    for factor, share in shares.items():
        if EMBEDDED.can_act(factor, EMBEDDED.types[0]):
            assert abs(sum(one.has(factor) for one in settings) / 200 - share) < 0.05, factor


def test_long_documents_are_few():
    settings = BundleDesigner(EMBEDDED, "1").wave(SHARES, 300)
    assert sum(one.is_long for one in settings) <= 0.15 * len(settings)
