"""Amounts and dates as people write them: what decorates a value does not change it, and different values differ."""

import datetime as dt
from decimal import Decimal

import pytest
from babel.dates import format_date, format_time
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.currency_marks import currencies_of
from finscribe_assets.documents.currency_words import currency_words
from finscribe_assets.documents.formats import locale_number_style, write_amount, write_date, write_number
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, minor_unit
from finscribe_assets.evaluation.amounts import parse_amount
from finscribe_assets.evaluation.dates import parse_date
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.normalise import (
    TRUTH_CONTEXT,
    Note,
    ValueContext,
    canonical_value,
    without_currency,
)
from finscribe_assets.evaluation.plain_text import UnreadableValueError
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.report import evaluate
from finscribe_assets.mining.error_classification import ErrorType, classify_errors

DUE = "totals.amount_due"
amounts = st.decimals(min_value=-(10**7), max_value=10**7, places=3)
currencies = st.sampled_from(sorted(MINOR_UNITS))
locales = st.sampled_from(sorted(LOCALE_FACTS))
# What may stand around the number of an amount without changing it; {} is the number.
DECORATIONS = (
    "{}", "{}/-", "{}/=", "={}=", "{}=", "*{}", "***{}***", "{} *", "{} only", "{} ¤", "¤ {}", "¤{}", "{} ¤ only",
    "\u200f{}\u200e", "{}\u00a0¤", "{}也", "¥{}※", "{}元整", "{}円", "+{}", "{}.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text", "locale", "currency", "value"),
    [
        (DUE, "Rs. 5,000/-", "en_IN", "INR", "5000"),
        (DUE, "1.250,00 euros", "es_ES", "EUR", "1250"),
        (DUE, "1 250:-", "sv_SE", "SEK", "1250"),
        (DUE, "1,234.50元", "zh_CN", "CNY", "1234.5"),
        (DUE, "١٬٢٣٤٫٥٠ د.إ", "ar_AE", "AED", "1234.5"),
        (DUE, "€ 1.250,00=", "it_IT", "EUR", "1250"),
        (DUE, "1,29 A", "de_DE", "EUR", "1.29"),
        ("issue_date", "04/03/2024 13:45", "en_US", "EUR", "2024-04-03"),
        ("issue_date", "20240403", "de_DE", "EUR", "2024-04-03"),
        ("issue_date", "25/03/2018", "en_US", "EUR", "2018-03-25"),
        (DUE, "Rupees 1,23,456.00 only", "en_IN", "INR", "123456"),
        (DUE, "INR 5,000.00/- only", "en_IN", "INR", "5000"),
        (DUE, "१,२३,४५६.५०", "en_IN", "INR", "123456.5"),
        (DUE, "1.234,50 złotych", "pl_PL", "PLN", "1234.5"),
        (DUE, "19:90 kr", "sv_SE", "SEK", "19.9"),
        (DUE, "250,- kr.", "sv_SE", "SEK", "250"),
        (DUE, "CHF 1’234.—", "de_CH", "CHF", "1234"),
        (DUE, "金1,234円也", "ja_JP", "JPY", "1234"),
        (DUE, "人民币１，２３４．００元整", "zh_CN", "CNY", "1234"),
        (DUE, "1.234,50- EUR", "de_DE", "EUR", "-1234.5"),
        (DUE, "EUR (1.234,50)", "de_DE", "EUR", "-1234.5"),
        (DUE, "<12.50>", "en_US", "USD", "-12.5"),
        (DUE, "CR 12.50", "en_US", "USD", "-12.5"),
        ("entries[0].amount", "100,00 S", "de_DE", "EUR", "-100"),
        ("entries[0].amount", "100,00 H", "de_DE", "EUR", "100"),
        (DUE, "12.50¹", "en_US", "USD", "12.5"),
        ("lines[0].quantity", "2 Stk.", "de_DE", "EUR", "2"),
        ("lines[0].quantity", "12 hours", "en_US", "USD", "12"),
        ("lines[0].quantity", "3 x", "en_US", "USD", "3"),
        ("lines[0].net_price", "1,50 €/kg", "de_DE", "EUR", "1.5"),
        ("lines[0].net_price", "80,00 €/Std.", "de_DE", "EUR", "80"),
        (DUE, 1234567.1, "de_DE", "EUR", "1234567.1"),
        (DUE, 1e-05, "de_DE", "EUR", "0.00001"),
        ("issue_date", "4 mars 2024 à 13h45", "fr_FR", "EUR", "2024-03-04"),
        ("issue_date", "04.03.2024 um 13:45 Uhr", "de_DE", "EUR", "2024-03-04"),
        ("issue_date", "04.03.2024 13.45", "de_DE", "EUR", "2024-03-04"),
        ("issue_date", "2024年4月3日 午後1:45", "ja_JP", "JPY", "2024-04-03"),
        ("issue_date", "2024-04-03T13:45:00.123Z", "de_DE", "EUR", "2024-04-03"),
        ("issue_date", "202404031345", "de_DE", "EUR", "2024-04-03"),
        ("issue_date", "2024/04/03", "en_US", "USD", "2024-04-03"),
        ("issue_date", "mar. 5 avril 2024", "fr_FR", "EUR", "2024-04-05"),
        ("issue_date", "03/25/2018", "en_GB", "GBP", "2018-03-25"),
    ],
)
def test_forms_of_each_locale(path, text, locale, currency, value):
    assert canonical_value(path, text, ValueContext(locale, currency)) == (value, None)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        *((DUE, text) for text in ("5 M", "5 K", "1.25 M", "5 million", "5 Mio. €", "TEUR 5", "5 T€", "99p")),
        *((DUE, text) for text in ("5万円", "5 lakh", "5-6", "5/2", "5 x 2.00", "12€50", "TAX 5.00", "5 kg", "½")),
        *((DUE, text) for text in ("5 B", "1.5 B", "5 S", "--5", "(5", "5)", "5 CR DR", "7 of 9", "5.00 A 2")),
        *((DUE, text) for text in ("99 cents", "+-5", "1 2 3", "9" * 500)),
        *(("lines[0].quantity", text) for text in ("2 dozenish", "5 M", "2 x 3", "1.5 Mio")),
        *(("issue_date", text) for text in ("Q1 2024", "20241340", "01022024", "13:45", "10:20:30", "240403")),
        *(("issue_date", text) for text in ("31/02/2024", "13/13/2024", "1.2.2024 3.4.2024", "2024-04", "Monday")),
    ],
)  # fmt: skip
def test_what_could_be_another_value_is_refused(path, text):
    for locale in ("en_US", "de_DE"):
        form = canonical_value(path, text, ValueContext(locale, "EUR"))
        assert form.note is Note.UNREADABLE, form


@given(amounts, locales, currencies, st.sampled_from(DECORATIONS), st.sampled_from(sorted(currency_words())))
@settings(max_examples=400)
def test_what_decorates_an_amount_does_not_change_it(value, locale, currency, decoration, word):
    value = round_to(value, minor_unit(currency))
    number = write_number(abs(value), locale_number_style(locale), MINOR_UNITS[currency])
    text = decoration.format(number).replace("¤", word)
    assume(word.isalpha() or "¤" not in decoration or word[-1] not in "./")
    assert parse_amount(text, locale, max_decimals=MINOR_UNITS[currency]) == abs(value), text
    sign = "" if "+" in text else "-"
    assert parse_amount(f"{sign}{text}", locale, max_decimals=MINOR_UNITS[currency]) == abs(value) * (-1 if sign else 1)


@given(amounts, amounts, locales, currencies, st.sampled_from(DECORATIONS), st.sampled_from(DECORATIONS))
@settings(max_examples=400)
def test_different_amounts_are_never_the_same(one, other, locale, currency, decoration, other_decoration):
    one, other = (round_to(value, minor_unit(currency)) for value in (one, other))
    context, style = ValueContext(locale, currency), locale_number_style(locale)
    texts = [
        decoration.format(write_amount(one, style, locale, currency, "none")),
        other_decoration.format(write_amount(other, style, locale, currency, "none")),
    ]
    forms = [canonical_value(DUE, text.replace("¤", currency), context) for text in texts]
    numbers = [without_currency(form.text) for form in forms]
    assert (numbers[0] == numbers[1]) == (one == other) or any(form.note for form in forms), texts


pieces = st.lists(
    st.one_of(
        st.sampled_from([*"0123456789.,'-+()*=/:%#<> \u00a0", "CR", "DR", "A", "kr", "€", "Rs.", "only", "/-", ":-"]),
        st.sampled_from(["٫", "٬", "５", "३", "円", "元", "R", "K", "M", "x", "kg", "²", "½", "Mio", "--", "T"]),
        st.sampled_from(["2024", "April", "mars", "13:45", "年", "月", "日", "令和", "T00:00", "Uhr", "de", "Mon"]),
        st.characters(),
    ),
    max_size=12,
).map("".join)
paths = st.sampled_from(
    [DUE, "lines[0].quantity", "lines[0].net_price", "lines[0].vat_rate", "issue_date", "issue_time"]
)


@given(
    pieces, paths, st.sampled_from([None, *LOCALE_FACTS, "fi_FI"]), st.sampled_from([None, "EUR", "JPY", "KWD", "XXX"])
)
@settings(max_examples=600)
@example("²", DUE, "en_US", None)
@example("9" * 400, DUE, "en_US", "EUR")
def test_any_text_has_a_form_that_is_its_own_form(text, path, locale, currency):
    form = canonical_value(path, text, ValueContext(locale, currency))
    if form is not None and form.note is None:
        number, _, other = form.text.partition(" ")
        assert canonical_value(path, number, TRUTH_CONTEXT) == (number, None)
        assert not other or (currency and currencies_of(other) == (other,) and path != "lines[0].quantity")


@given(pieces, st.sampled_from(["Mio", "million", "k", "cents", "apples", "万", "dozen eggs", "e3", "pct"]))
def test_unknown_words_beside_an_amount_make_it_unreadable(text, word):
    for together in (f"{text} {word}", f"{word} {text}"):
        with pytest.raises(UnreadableValueError):
            parse_amount(together, "en_US")


dates = st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1))


@given(dates, st.times(), locales, st.data())
@settings(max_examples=300)
def test_the_time_beside_a_date_does_not_change_it(value, time, locale, data):
    facts = LOCALE_FACTS[locale]
    patterns = st.sampled_from([*facts.numeric_dates, *facts.worded_dates, *facts.short_dates])
    written = data.draw(st.sampled_from(["HH:mm", "HH:mm:ss", "h:mm a", "HH:mm 'Uhr'", "HH'h'mm", "H'時'mm'分'"]))
    at = format_time(time, written, locale=locale)
    date = write_date(value, locale, data.draw(patterns))
    for text in (f"{date} {at}", f"{date}, {at}", f"{at} {date}", f"{date} - {at}"):
        assert parse_date(text, locale) == value, text
    assert parse_date(f"{value:%Y%m%d}", locale) == parse_date(f"{value:%Y%m%d}{time:%H%M}", locale) == value
    assert parse_date(f"{value}T{time.replace(microsecond=0)}Z", locale) == value


@given(dates, dates, locales, st.data())
@settings(max_examples=300)
def test_different_dates_are_never_the_same(one, other, locale, data):
    facts = LOCALE_FACTS[locale]
    patterns = st.sampled_from([*facts.numeric_dates, *facts.worded_dates, *facts.short_dates])
    texts = [write_date(value, locale, data.draw(patterns)) for value in (one, other)]
    assert (parse_date(texts[0], locale) == parse_date(texts[1], locale)) == (one == other), texts


@given(dates, locales)
def test_months_of_every_locale_are_read_without_knowing_the_locale(value, locale):
    for width in ("long", "full"):
        text = format_date(value, width, locale=locale)
        if any((character.isalpha() and not character.isascii()) or character.isascii() for character in text):
            assert parse_date(text, locale) == value, text


def test_the_currency_of_a_document_and_of_its_amounts_is_scored():
    truth = Truth("a", {"locale": "de_DE", "currency_code": "EUR", "totals": {"amount_due": "119.00"}})

    def outcomes(answer, true=truth):
        scored = score({"a": true}, {"a": Prediction("a", answer)})[0]
        causes = {outcome.path: cause for outcome, cause in classify_errors(scored)}
        return {one.path: (str(one.status), one.predicted, causes.get(one.path)) for one in scored.outcomes}

    wrong = outcomes({"currency_code": "USD", "totals": {"amount_due": "USD 119.00"}})
    assert wrong["currency_code"][0] == "wrong" and wrong[DUE] == ("wrong", "119 USD", ErrorType.CURRENCY)
    for text in ("119,00", "119,00 €", "EUR 119", "119,00 Euro"):
        assert outcomes({"totals": {"amount_due": text}})[DUE][0] == "correct", text
    for text in ("$ 119.00", "£119.00", "119,00 zł", "kr 119", "119 dollars", "119円"):
        assert outcomes({"totals": {"amount_due": text}})[DUE][0] == "wrong", text
    # A symbol of several currencies agrees with each of them; without a true currency none is judged.
    canadian = Truth("a", {"locale": "en_US", "currency_code": "CAD", "totals": {"amount_due": "119.00"}})
    assert outcomes({"totals": {"amount_due": "$119.00"}}, canadian)[DUE][0] == "correct"
    unknown = Truth("a", {"locale": "en_US", "totals": {"amount_due": "119.00"}})
    assert outcomes({"totals": {"amount_due": "USD 119.00"}}, unknown)[DUE][0] == "correct"


def test_what_has_no_currency_of_its_own_is_not_judged_by_it():
    context = ValueContext("en_US", "EUR", accounting_currency="CHF")
    assert canonical_value("exchange_rate", "1.08 USD", context).text == "1.08"
    assert canonical_value("lines[0].quantity", "2 kr", context).text == "2"
    assert canonical_value("lines[0].vat_rate", "19 %", context).text == "19"
    assert canonical_value("totals.total_vat_accounting", "CHF 5.00", context).text == "5"
    assert canonical_value("totals.total_vat_accounting", "EUR 5.00", context).text == "5 EUR"


def test_rules_are_checked_on_numbers_whatever_currency_they_state():
    document = {
        "locale": "en_US",
        "currency_code": "USD",
        "lines": [{"item_name": "Tea", "quantity": "2", "net_price": "4.50", "net_amount": "9.00"}],
    }
    answer = {"lines": [{"item_name": "Tea", "quantity": "2", "net_price": "€4.50", "net_amount": "€9.00"}]}
    report = evaluate({"a": Truth("a", document)}, {"a": Prediction("a", answer)})
    assert report.headline["numeric_consistency"].value == 1.0 and report.headline["field_accuracy"].value == 0.4


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("1.234,50 €", {"EUR"}),
        ("kr. 12", {"SEK", "NOK", "DKK", "ISK"}),
        ("Rs.5", {"INR", "PKR", "LKR", "NPR", "MUR", "SCR"}),
        ("R 1,234.50", {"ZAR"}),
        ("1,29 R", set()),
        ("AU$5", {"AUD"}),
        ("US$ 5 only", {"USD"}),
        ("5 €/Std.", {"EUR"}),
        ("80,00/Std.", set()),
        ("1,20/km", set()),
        ("٥ درهم", {"AED", "MAD"}),
        ("RM9.00", {"MYR"}),
        ("Rp 25.000", {"IDR"}),
        ("99.00", set()),
        ("eur 5", {"EUR"}),
    ],
)
def test_currencies_that_a_text_can_mean(text, codes):
    assert set(currencies_of(text)) == codes


def test_words_for_currencies_are_of_known_codes():
    from babel.numbers import list_currencies

    known = list_currencies()
    assert all(code in known for codes in currency_words().values() for code in codes)
    assert Decimal("5") == parse_amount("5 euros", "es_ES")
