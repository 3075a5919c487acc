"""Sales are plausible to an auditor, beyond correct totals: consistent tax in prices, and distinct parties."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.document_drawing import draw_other_company
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.line_drawing import Sale, with_consistent_tax
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import Line, VatCategory
from finscribe_assets.documents.taxation import TaxCase
from finscribe_assets_tests.documents.bills import drawn_bills

CENT = Decimal("0.01")
RATES = sorted({rate for facts in LOCALE_FACTS.values() for _, rates in facts.tax_rates for rate in rates})
quantities = st.integers(1, 480).map(lambda quarters: Decimal(quarters) / 4)


def line(quantity: Decimal, price: Decimal, rate: Decimal) -> Line:
    return Line(
        item_name="x",
        quantity=quantity,
        unit_code="H87",
        vat_category=VatCategory.STANDARD,
        vat_rate=rate,
        price_with_vat=price,
        gross_amount=round_to(quantity * price, CENT),
    )


@given(
    st.lists(
        st.tuples(quantities, st.integers(1, 10**6).map(lambda cents: cents * CENT), st.sampled_from(RATES)),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([1, -1]),
)
def test_any_prices_with_tax_are_adjusted_so_that_both_tax_rules_hold(drawn, sign):
    case = TaxCase(VatCategory.STANDARD, tuple(RATES), {})
    sale = Sale("de_DE", "office", 0, "EUR", case, (), True, sign < 0, dt.date(2024, 1, 1), "", NO_KNOBS.model_dump())
    before = [line(sign * quantity, price, rate) for quantity, price, rate in drawn]
    after = with_consistent_tax(before, sale)
    for rate in {line.vat_rate for line in after}:
        gross = sum(line.gross_amount for line in after if line.vat_rate == rate)
        net = round_to(gross * 100 / (100 + rate), CENT)
        assert round_to(net * rate / 100, CENT) == gross - net
    for original, adjusted in zip(before, after, strict=True):
        assert adjusted.gross_amount == round_to(adjusted.quantity * adjusted.price_with_vat, CENT)
        assert 0 <= adjusted.price_with_vat - original.price_with_vat <= 6 * CENT
        assert adjusted.quantity in (original.quantity, sign)


def test_a_quantity_of_six_at_twenty_per_cent_is_adjusted():
    # The total stays 0.03 above a multiple of 0.06 whatever the price of six, and none of these totals is consistent.
    lines = [line(Decimal(1), Decimal("0.03"), Decimal(20)), line(Decimal(6), Decimal("1.00"), Decimal(20))]
    sale = Sale(
        "fr_FR",
        "office",
        0,
        "EUR",
        TaxCase(VatCategory.STANDARD, (Decimal(20),), {}),
        (),
        True,
        False,
        dt.date(2024, 1, 1),
        "",
        NO_KNOBS.model_dump(),
    )
    assert [line.quantity for line in with_consistent_tax(lines, sale)] == [1, 1]


def test_another_company_has_another_name():
    first = draw_other_company("a seed", "de_DE")
    assert first == draw_other_company("a seed", "de_DE")
    assert first.name != draw_other_company("a seed", "de_DE", first).name


def test_all_parties_have_different_names():
    for drawn in drawn_bills(300, 12, third_parties=1):
        document = drawn.document
        others = [document.buyer.name, document.payee.name, document.ship_to.name]
        assert document.seller.name not in others, drawn.id
        assert document.buyer.name not in others[1:], drawn.id


def test_goods_exempt_as_exports_leave_the_country_on_a_stated_day():
    categories = set()
    for drawn in drawn_bills(150, 13, third_parties=1, tax_exemptions=1):
        document = drawn.document
        category = document.vat_breakdown[0].category
        countries = [party.address.country_code for party in (document.seller, document.buyer, document.ship_to)]
        assert countries[1] == countries[2]
        if category in (VatCategory.INTRA_COMMUNITY, VatCategory.EXPORT):
            assert countries[0] != countries[1], drawn.id
        if category is VatCategory.INTRA_COMMUNITY:
            assert document.delivery_date or document.period_end, drawn.id
        categories.add(category)
    assert categories == {"E", "AE", "K", "G"}
