"""Model output is untrusted text: whatever it is, it is read without an exception, and its fate has a name."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.formats import usual_style, write_amount
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, minor_unit
from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.documents.rules import round_to
from finscribe_assets.evaluation.normalise import Ambiguous, Unreadable, canonical, parse_amount, parse_date
from finscribe_assets.evaluation.response import Fate, read_response

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=300) | json_values.map(json.dumps) | json_values)
@settings(max_examples=300)
def test_anything_is_read(value):
    response = read_response(value)
    assert isinstance(response.document, dict)
    assert response.fates


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), st.integers(0, 400))
def test_a_cut_response_never_raises_and_says_so(document, cut):
    text = json.dumps(document)
    response = read_response(text[: min(cut, len(text) - 1)])
    assert response.fates
    assert Fate.CLEAN not in response.fates


@pytest.mark.parametrize(
    ("text", "document", "fate"),
    [
        ('{"a": "x", "b": {"c": ["1", {"d": "tru', {"a": "x", "b": {"c": ["1", {}]}}, Fate.TRUNCATED),
        ('{"a": 12.50, "b"', {"a": "12.50"}, Fate.TRUNCATED),
        ('Here it is:\n```json\n{"a": 1}\n```\nEnjoy', {"a": "1"}, Fate.FENCED),
        ('Sure! {"a": 1} Anything else?', {"a": "1"}, Fate.PROSE),
        ('{"a": NaN, "b": Infinity}', {"a": None, "b": None}, Fate.NOT_A_NUMBER),
        ('{"a": 1, "a": 2}', {"a": "2"}, Fate.DUPLICATE_KEYS),
        ("[1, 2]", {}, Fate.NOT_AN_OBJECT),
        ("I cannot read this.", {}, Fate.NO_JSON),
        ("", {}, Fate.EMPTY),
        (None, {}, Fate.EMPTY),
        (7, {}, Fate.NOT_AN_OBJECT),
        ('{"a":' * 5000, {}, Fate.TOO_DEEP),
        ('{"a": "' + "x" * 1_200_000 + '"}', {}, Fate.TOO_LONG),
        ('{"n": ' + "9" * 6000 + "}", {"n": "9" * 6000}, Fate.CLEAN),
        ('{"a": "line\nbreak\x00"}', {"a": "line\nbreak\x00"}, Fate.CLEAN),
    ],
)
def test_each_mishap_has_its_name_and_keeps_what_is_whole(text, document, fate):
    response = read_response(text)
    assert response.document == document
    assert fate in response.fates


def test_an_object_nested_too_deep_is_refused_whole():
    value: dict = {}
    for _ in range(200):
        value = {"a": value}
    assert read_response(value).fates == [Fate.TOO_DEEP]


amounts = st.decimals(min_value=0, max_value=10**9, places=2)


@given(
    amounts,
    st.sampled_from(LOCALES),
    st.sampled_from(sorted(MINOR_UNITS)),
    st.sampled_from(["symbol", "code", "none"]),
    st.sampled_from(["latin", "arabic", "full_width"]),
)
def test_an_amount_is_read_as_it_is_printed(value, locale, currency, display, digits):
    value = round_to(value, minor_unit(currency))
    style = usual_style(locale).model_copy(update={"digits": digits})
    assert parse_amount(write_amount(value, style, locale, currency, display), locale) == value


@given(amounts, st.sampled_from(["de_CH", "sv_SE", "pl_PL", "en_IN", "it_IT"]))
def test_other_locales_are_read_as_babel_prints_them(value, locale):
    assert parse_amount(format_decimal(value, locale=locale), locale) == value
    assert parse_amount(format_currency(value, "EUR", locale=locale), locale) == value


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("(1,234.50)", "en_US", "-1234.50"),
        ("12,00-", "de_DE", "-12"),
        ("−3.5", "en_GB", "-3.5"),
        ("1'234.50", "en_GB", "1234.50"),
        ("100.00 CR", "en_US", "-100"),
        ("100.00 DR", "en_US", "100"),
        ("19 %", "de_DE", "19"),
        ("1.234", "de_DE", "1234"),
        ("1.234", "en_US", "1.234"),
        ("1,23,456.00", "en_IN", "123456"),
        ("0.125", None, "0.125"),
        ("+5", None, "5"),
        ("kr 1.234,50", "nl_NL", "1234.50"),
        ("1\u00a0234,50 zł", "pl_PL", "1234.50"),
        ("٤٬١٧٥٫٢٠ د.إ.\u200f", "ar_AE", "4175.20"),
        ("٥٪", "ar_AE", "5"),
        ("￥１，２３４", "ja_JP", "1234"),
    ],
)
def test_ways_of_writing_an_amount(text, locale, value):
    assert parse_amount(text, locale) == Decimal(value)


def test_credit_takes_from_a_bill_and_adds_to_an_account():
    assert canonical("totals.amount_due", "100.00 CR", "en_US") == "-100"
    assert canonical("entries[0].balance", "100.00 CR", "en_US") == "100"
    assert canonical("entries[0].balance", "100.00 DR", "en_US") == "-100"


@pytest.mark.parametrize("text", ["R1.5.2", "令和元年5月2日", "令和1年5月2日", "19/05/02", "２０１９/０５/０２"])
def test_ways_of_writing_a_japanese_date(text):
    assert parse_date(text, "ja_JP") == dt.date(2019, 5, 2)


@pytest.mark.parametrize("text", ["R1.13.2", "令和元年5月40日", "H99.2.30"])
def test_a_day_of_an_era_that_never_was_is_refused(text):
    with pytest.raises(Unreadable):
        parse_date(text, "ja_JP")


def test_what_depends_on_the_locale_is_not_guessed():
    for text in ("1.234", "1,234"):
        with pytest.raises(Ambiguous):
            parse_amount(text)
    with pytest.raises(Ambiguous):
        parse_date("03/04/2024")


@pytest.mark.parametrize("text", ["", "abc", "12,34,56", "1.2.3", "--5", "12 apples", "1e5", "12 krx"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(Unreadable):
        parse_amount(text, "en_US")


@given(st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)), st.sampled_from(LOCALES), st.data())
def test_a_date_is_read_as_babel_printed_it(value, locale, data):
    facts = LOCALE_FACTS[locale]
    pattern = data.draw(st.sampled_from([*facts.numeric_dates, *facts.worded_dates, *facts.short_dates]))
    assert parse_date(format_date(value, pattern, locale=locale), locale) == value


@given(st.text(max_size=40), st.sampled_from([*LOCALES, None]))
def test_any_text_has_a_canonical_form(text, locale):
    for path in ("totals.amount_due", "issue_date", "document_number", "seller.name", "no.such.field"):
        form = canonical(path, text, locale)
        assert form is None or isinstance(form, str)
