"""Every usual way of writing a value is read as that value; a text that could be two values is read as neither."""

import datetime as dt
from decimal import Decimal

import pytest
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.formats import (
    APOSTROPHE,
    ERA_PATTERN,
    NARROW_SPACE,
    NO_BREAK_SPACE,
    SHORT_ERA_PATTERN,
    TYPOGRAPHIC_APOSTROPHE,
    NumberStyle,
    locale_number_style,
    write_amount,
    write_date,
    write_number,
)
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, minor_unit
from finscribe_assets.evaluation.amounts import find_decimal_mark, parse_amount
from finscribe_assets.evaluation.dates import parse_date
from finscribe_assets.evaluation.field_comparison import FieldStatus, compare_fields
from finscribe_assets.evaluation.normalise import Note, ValueContext, canonical_value
from finscribe_assets.evaluation.plain_text import AmbiguousValueError, UnreadableValueError
from finscribe_assets.evaluation.prediction_files import Truth

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=3)
currencies = st.sampled_from(sorted(MINOR_UNITS))
locales = st.sampled_from(sorted(LOCALE_FACTS))
latin = st.builds(
    NumberStyle,
    decimal=st.just("."),
    group=st.sampled_from([",", APOSTROPHE, TYPOGRAPHIC_APOSTROPHE, NARROW_SPACE, NO_BREAK_SPACE, " ", ""]),
    lakh=st.booleans(),
    shortest_group=st.sampled_from([1, 2]),
    negative=st.sampled_from(["minus", "trailing_minus", "parentheses", "credit"]),
    digits=st.sampled_from(["latin", "full_width", "arabic"]),
)
styles = st.one_of(
    latin,
    latin.map(lambda one: one.model_copy(update={"decimal": ",", "group": "." if one.group == "," else one.group})),
    latin.map(lambda one: one.model_copy(update={"decimal": "٫", "group": "٬", "digits": "arabic"})),
)


@given(amounts, locales, currencies, st.sampled_from(["symbol", "code", "none"]), styles)
@settings(max_examples=300)
def test_an_amount_is_read_as_it_is_printed(value, locale, currency, display, style):
    value = round_to(value, minor_unit(currency))
    for written in (style, locale_number_style(locale)):
        text = write_amount(value, written, locale, currency, display)
        assert parse_amount(text, locale, max_decimals=MINOR_UNITS[currency]) == value
        if written.negative == "credit":
            in_debit = write_amount(value, written.model_copy(update={"negative": "debit"}), locale, currency, display)
            assert parse_amount(in_debit, locale, max_decimals=MINOR_UNITS[currency], is_account=True) == value


@given(amounts, locales, styles)
def test_a_number_of_any_decimals_is_read_by_the_mark_that_its_document_shows(value, locale, style):
    mark = find_decimal_mark([write_number(Decimal("1234.56"), style), write_number(Decimal("0.5"), style)])
    assert mark == {"٫": "."}.get(style.decimal, style.decimal)
    assert parse_amount(write_number(value, style), locale, decimal_mark=mark) == value


@given(amounts, locales, currencies)
@settings(max_examples=300)
def test_an_amount_is_read_as_babel_prints_it(value, locale, currency):
    value = round_to(value, minor_unit(currency))
    assert parse_amount(format_decimal(value, locale=locale), locale) == value
    for kind in ("standard", "accounting"):
        text = format_currency(value, currency, locale=locale, format_type=kind)
        assert parse_amount(text, locale, max_decimals=MINOR_UNITS[currency]) == value, text


@pytest.mark.parametrize(
    ("path", "text", "context", "value"),
    [
        ("totals.amount_due", "1.234", ValueContext(currency="JPY"), "1234"),
        ("lines[0].net_price", "1.234", ValueContext("en_US", "JPY"), "1234"),
        ("totals.amount_due", "1.234", ValueContext(currency="KWD"), "1.234"),
        ("totals.amount_due", "1,234", ValueContext("en_US", "KWD"), "1.234"),
        ("totals.amount_due", "1.234", ValueContext("en_US", "USD"), "1234"),  # a dollar has no thousandths
        ("totals.total_vat_accounting", "1.234", ValueContext("de_DE", "EUR", "KWD"), "1.234"),
        ("lines[0].quantity", "1.234", ValueContext("de_DE", "EUR"), "1234"),
        ("lines[0].quantity", "1.234", ValueContext("de_DE", "EUR", decimal_mark="."), "1.234"),
        ("lines[0].net_price", "1.234", ValueContext("en_US", "USD"), "1.234"),
        ("lines[0].quantity", "1.234", ValueContext("en_US", "JPY"), "1.234"),
        ("exchange_rate", "1.234", ValueContext("en_US", "JPY"), "1.234"),
        ("issue_date", "03/04/2024", ValueContext("en_US"), "2024-03-04"),
        ("lines[0].vat_rate", "7,375", ValueContext("en_US"), "7.375"),
        ("totals.amount_due", "12,34", ValueContext("en_US", "USD"), "12.34"),
        ("totals.amount_due", "12,34", ValueContext(currency="JPY"), "12.34"),
    ],
)
def test_the_document_decides_what_a_lone_mark_means(path, text, context, value):
    assert canonical_value(path, text, context) == (value, None)


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["n/a", "1,5"], ","),
        (["1,5", "1.5", "2,5"], ","),
        (["1.234.567"], ","),  # a mark that is repeated groups thousands
        (["1,5", "1.5"], None),
        (["1.234", "12"], None),  # which may have decimals or thousands, and has neither
        ([], None),
    ],
)
def test_the_decimal_mark_is_the_one_that_most_amounts_show(texts, mark):
    assert find_decimal_mark(texts) == mark


def test_a_context_is_what_the_document_states():
    document = {"locale": "de_AT", "currency_code": "EUR", "document_type": "invoice", "total": "5"}
    assert ValueContext.of(document) == ValueContext("de_AT", "EUR", None, "invoice")
    document |= {"locale": "xx_YY", "currency_code": 5, "vat_accounting_currency_code": "CHF"}
    assert ValueContext.of(document) == ValueContext(None, None, "CHF", "invoice")


def test_an_ambiguous_value_is_noted_and_not_guessed():
    truth = Truth(
        "d",
        {
            "issue_date": "2024-03-04",
            "due_date": "2024-05-06",
            "lines": [{"item_name": "x", "quantity": "1.234"}],
            "totals": {"total_without_vat": "1234", "amount_due": "1.5"},
        },
    )
    prediction = {
        "issue_date": "03/04/2024",
        "due_date": "tomorrow",
        "lines": [{"item_name": "x", "quantity": "1,234"}],
        "totals": {"total_without_vat": "1.234"},
    }

    def read(prediction):
        return {one.path: (one.status, one.note) for one in compare_fields(truth, prediction, {}).outcomes}

    assert read(prediction) == {
        "issue_date": (FieldStatus.WRONG, Note.AMBIGUOUS),
        "due_date": (FieldStatus.WRONG, Note.UNREADABLE),
        "lines[0].item_name": (FieldStatus.CORRECT, None),
        "lines[0].quantity": (FieldStatus.WRONG, Note.AMBIGUOUS),
        "totals.total_without_vat": (FieldStatus.WRONG, Note.AMBIGUOUS),
        "totals.amount_due": (FieldStatus.MISSING, None),
    }
    # Its own other amounts show which mark this prediction puts before decimals.
    shown = read(prediction | {"totals": {"total_without_vat": "1.234", "amount_due": "1,5"}})
    assert {shown[path] for path in ("lines[0].quantity", "totals.total_without_vat", "totals.amount_due")} == {
        (FieldStatus.CORRECT, None)
    }


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
        ("（1,234円）", "ja_JP", "-1234"),
        ("12,34", "en_US", "12.34"),
        ("12.–", "de_CH", "12"),
        ("12,--", "nl_NL", "12"),
        ("-$5.00", "en_US", "-5"),
        ("$(5.25)", "en_US", "-5.25"),
        (".5", "en_US", "0.5"),
        ("12.", "en_US", "12"),
        ("12,", "de_DE", "12"),
        ("100.00 CR.", "en_US", "-100"),
        ("1 234,567", "en_US", "1234.567"),
        ("Rs. 1,23,456.50", "en_IN", "123456.50"),
    ],
)
def test_ways_of_writing_an_amount(text, locale, value):
    assert parse_amount(text, locale) == Decimal(value)


def test_credit_takes_from_a_bill_and_adds_to_an_account():
    bill, account = (
        ValueContext("en_US", document_type="invoice"),
        ValueContext("en_US", document_type="bank_statement"),
    )
    assert canonical_value("totals.amount_due", "100.00 CR", bill).text == "-100"
    assert canonical_value("page_subtotals[0].amount", "100.00 CR", bill).text == "-100"
    for path in ("entries[0].balance", "page_subtotals[0].amount", "statement.total_credits"):
        assert canonical_value(path, "100.00 CR", account).text == "100"
        assert canonical_value(path, "100.00 DR", account).text == "-100"
    for path in ("entries[0].debit", "statement.total_debits"):
        assert canonical_value(path, "100.00 DR", account).text == "100"


@pytest.mark.parametrize("text", ["R1.5.2", "令和元年5月2日", "令和1年5月2日", "19/05/02", "２０１９/０５/０２"])
def test_ways_of_writing_a_japanese_date(text):
    assert parse_date(text, "ja_JP") == dt.date(2019, 5, 2)


@pytest.mark.parametrize("text", ["R1.13.2", "令和元年5月40日", "H99.2.30"])
def test_a_day_of_an_era_that_never_was_is_refused(text):
    with pytest.raises(UnreadableValueError):
        parse_date(text, "ja_JP")


def test_what_depends_on_the_locale_is_not_guessed():
    for text in ("1.234", "1,234"):
        with pytest.raises(AmbiguousValueError):
            parse_amount(text)
    for locale in (None, "sv_SE", "ja_JP", "en_CA"):
        with pytest.raises(AmbiguousValueError):
            parse_date("03/04/2024", locale)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "12,34,56",
        "1.2.3",
        "--5",
        "12 apples",
        "1e5",
        "12 krx",
        "12 34",
        "1,23 456",
        "1_000",
        "1,234,56",
        "12,34,56,789.1.1",
        "5 -- 6",
        "1,2345,678",
    ],
)
def test_a_text_that_is_not_an_amount_is_refused(text):
    with pytest.raises(UnreadableValueError):
        parse_amount(text, "en_US")


@given(st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)), locales, st.data())
@settings(max_examples=300)
def test_a_date_is_read_as_it_is_printed(value, locale, data):
    facts = LOCALE_FACTS[locale]
    ours = [*facts.numeric_dates, *facts.worded_dates, *facts.short_dates]
    ours += [ERA_PATTERN, SHORT_ERA_PATTERN] if locale == "ja_JP" else []
    digits = data.draw(st.sampled_from(["latin", "arabic", "full_width"]))
    assert parse_date(write_date(value, locale, data.draw(st.sampled_from(ours)), digits), locale) == value
    for width in ("short", "medium", "long", "full"):
        text = format_date(value, width, locale=locale)
        assert parse_date(text, locale) == value, text


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("2024-03-04T00:00:00Z", None, "2024-03-04"),
        ("3rd of March 2024", None, "2024-03-03"),
        ("3/4/2024", "en_US", "2024-03-04"),
        ("3/4/2024", "fil_PH", "2024-03-04"),
        ("3/4/2024", "en_NZ", "2024-04-03"),
        ("13/4/2024", None, "2024-04-13"),
        ("13/12/2024", None, "2024-12-13"),
        ("5 March 24", "en_GB", "2024-03-05"),
        ("March 24 1969", "en_US", "1969-03-24"),
        ("1/2/69", "en_GB", "2069-02-01"),
        ("1/2/70", "en_GB", "1970-02-01"),
        ("4/13/2024", None, "2024-04-13"),
        ("4/4/2024", None, "2024-04-04"),
    ],
)
def test_ways_of_writing_a_date(text, locale, value):
    assert parse_date(text, locale) == dt.date.fromisoformat(value)


@pytest.mark.parametrize(
    "text",
    [
        "3 apples March 2024",
        "12345 3 March 2024",
        "3 March 2024 or 2025",
        "31.02.2024",
        "3 March April 2024",
        "2024",
        "03/2024",
        "13/13/2024",
        "5 + 6 + 2024",
    ],
)
def test_a_text_that_is_not_a_date_is_refused(text):
    with pytest.raises(UnreadableValueError):
        parse_date(text, "de_DE")


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("payment_account", "de89 3704\u00a00044 0532 0130 00", "DE89370400440532013000"),
        ("document_number", "ｒｅ-００１", "RE-001"),
        ("seller.name", "  Müller\u00a0&\n Co. ", "Müller & Co."),
        ("seller.name", "ﬁne", "fine"),
    ],
)
def test_identifiers_lose_spaces_and_case_and_texts_only_width(path, text, value):
    assert canonical_value(path, text).text == value


@given(st.text(max_size=40), st.sampled_from([*LOCALE_FACTS, None]))
def test_any_text_has_a_canonical_form(text, locale):
    for path in ("totals.amount_due", "issue_date", "document_number", "seller.name", "no.such.field"):
        form = canonical_value(path, text, ValueContext(locale))
        assert form is None or isinstance(form.text, str)
