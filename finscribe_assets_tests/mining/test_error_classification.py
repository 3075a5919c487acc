import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.drawn_document import Decoy
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.normalise import ValueContext
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.mining.error_classification import PageContext, classify_errors
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.misreading import classify_misreading
from finscribe_assets.mining.simulated_reader import (
    FIELD_ERRORS,
    RESPONSE_ERRORS,
    InjectionNotPossible,
    simulate_response,
)

E = ErrorType
LINES = [
    {"item_name": "Printer paper", "quantity": "4", "net_price": "5.25", "net_amount": "21"},
    {"item_name": "Blue folders, large", "quantity": "3", "net_price": "2.4", "net_amount": "7.2"},
    {"item_name": "Stamp pad", "quantity": "2", "net_price": "8.15", "net_amount": "16.3"},
]
DOCUMENT = {
    "locale": "en_GB",
    "document_number": "INV-2008",
    "issue_date": "2024-03-04",
    "due_date": "2024-04-17",
    "payment_terms": "30 days net",
    "seller": {"name": "Müller Storage", "address": {"city": "Kiel"}},
    "buyer": {"name": "Borner Ltd", "address": {"city": "Bath"}},
    "lines": LINES,
    "totals": {
        "total_without_vat": "1044.5",
        "total_vat": "198.46",
        "total_vat_accounting": "231.7",
        "total_with_vat": "1242.96",
        "amount_due": "1242.96",
        "paid_amount": "50",
    },
}
PAGE = PageContext(others=("09.02.2024", "Contract"), destroyed=frozenset({"payment_terms"}))


def causes_of(response) -> dict[str, ErrorType]:
    scored = score({"d": Truth("d", DOCUMENT)}, {"d": Prediction("d", response)})[0]
    return {outcome.path: cause for outcome, cause in classify_errors(scored, PAGE)}


def causes(change: dict) -> dict[str, ErrorType]:
    return causes_of({**DOCUMENT, **change})


def totals(**change) -> dict:
    return {"totals": {**DOCUMENT["totals"], **change}}


def lines(*change) -> dict:
    return {"lines": [{**row, **new} for row, new in zip(LINES, change, strict=True)]}


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"payment_terms": None}, E.ILLEGIBLE),
        ({"mood": "good"}, E.UNKNOWN_FIELD),
        ({"lines": LINES[:2]}, E.ROW_MISSING),
        ({"lines": [*LINES, {"item_name": "Ghost", "net_amount": "9.99"}]}, E.ROW_EXTRA),
        ({"lines": [{**LINES[0], "item_name": "Printer paper Blue folders, large"}, LINES[2]]}, E.ROW_MERGED),
        (
            {"lines": [LINES[0], {**LINES[1], "item_name": "Blue folders,"}, {"item_name": "large"}, LINES[2]]},
            E.ROW_SPLIT,
        ),
        ({"due_date": None}, E.MISSING),
        ({"delivery_date": "2024-03-04"}, E.HALLUCINATED),
        ({"issue_date": "09/02/2024"}, E.DECOY_TAKEN),
        ({"contract_reference": "Contract"}, E.DECOY_TAKEN),
        ({"seller": {**DOCUMENT["seller"], "name": "Borner Ltd"}}, E.PARTY_SWAP),
        (totals(total_vat="231.70"), E.CURRENCY),
        (totals(total_with_vat="1,044.50"), E.WRONG_TOTAL),
        (totals(paid_amount="1242.96"), E.WRONG_TOTAL),
        (lines({"net_price": "21.00", "net_amount": "5.25"}, {}, {}), E.COLUMN_SWAP),
        (lines({"item_name": "Stamp pad"}, {}, {"item_name": "Printer paper"}), E.ROW_SHIFT),
        (lines({"quantity": "3"}, {"quantity": "4"}, {}), E.ROW_SHIFT),
        ({"issue_date": "17/04/2024", "due_date": "04/03/2024"}, E.LABEL_SWAP),
        ({"due_date": None, "delivery_date": "17/04/2024"}, E.LABEL_SWAP),
        ({"due_date": "in a month"}, E.WRONG_TYPE),
        (totals(amount_due={"value": 1}), E.WRONG_TYPE),
        (totals(amount_due="-1242.96"), E.SIGN),
        (totals(amount_due="124,296"), E.SEPARATOR),
        (totals(amount_due="12.4296"), E.SEPARATOR),
        ({"issue_date": "03/04/2024", "due_date": "17/04/2024"}, None),  # day first in Britain: another day
        ({"issue_date": "2024-04-03"}, E.DATE_ORDER),
        ({"due_date": "1924-04-17"}, E.DATE_YEAR),
        (totals(amount_due="124.96"), E.DIGIT_COUNT),
        (totals(amount_due="1,42.96"), E.DIGIT_COUNT),
        ({"document_number": "INV-208"}, E.DIGIT_COUNT),
        ({"document_number": "INV-20"}, E.DIGIT_COUNT),
        (totals(amount_due="12.96"), E.DIGIT_COUNT),
        (totals(amount_due="1243.96"), E.DIGIT),
        ({"document_number": "INV-2003"}, E.DIGIT),
        ({"due_date": "2024-04-19"}, E.DIGIT),
        ({"issue_date": "2024-03-14"}, E.DIGIT),  # 04 became 14: printed days have two digits
        ({"due_date": "2024-04-07"}, E.DIGIT_COUNT),  # 17 became 7
        ({"due_date": "l7 April 2O24"}, E.CHARACTER_CONFUSION),
        ({"document_number": "INV-2OO8"}, E.CHARACTER_CONFUSION),
        (totals(amount_due="l242.96"), E.CHARACTER_CONFUSION),
        ({"buyer": {**DOCUMENT["buyer"], "name": "Bomer Ltd"}}, E.CHARACTER_CONFUSION),
        ({"seller": {**DOCUMENT["seller"], "name": "Muller Storage"}}, E.DIACRITICS),
        ({"seller": {**DOCUMENT["seller"], "name": "MÜLLER STORAGE"}}, E.SPACING_OR_CASE),
        (lines({}, {"item_name": "Blue folders,"}, {}), E.CUT_SHORT),
        ({"document_number": "INV-2008 INV-2008"}, E.REPETITION),
        (totals(amount_due="1242.96 1242.96"), E.REPETITION),
        (lines({"item_name": "Printer Printer paper"}, {}, {}), E.REPETITION),
        (lines({}, {"item_name": "Blue large"}, {}), E.WORD_DROPPED),
        (lines({"item_name": "Printer paper and toner"}, {}, {}), E.CONTINUATION),
        (lines({"item_name": "paper Printer"}, {}, {}), E.NEIGHBOUR_SWAP),
        (lines({"item_name": "Pritner paper"}, {}, {}), E.NEIGHBOUR_SWAP),
        (lines({"item_name": "Kriktek paper"}, {}, {}), E.SUBSTITUTION),
        (lines({"item_name": "Priter paer"}, {}, {}), E.CHARACTERS_DROPPED),
        (lines({"item_name": "Prinkter paxper"}, {}, {}), E.CHARACTERS_ADDED),
        (lines({"item_name": "Kriner paxper"}, {}, {}), E.SEVERAL_EDITS),
        (lines({}, {"item_name": "Printer pakew"}, {}), E.WRONG_LINE),
        (lines({"item_name": "entirely other words"}, {}, {}), E.GARBLED),
    ],
)
def test_the_first_cause_of_each_kind(change, cause):
    found = set(causes(change).values())
    assert found == ({cause} if cause else {E.DATE_ORDER})


def test_digits_of_amounts_are_compared_at_their_positions():
    assert classify_misreading("totals.amount_due", "1240", "1350", ValueContext()) is E.DIGIT


def test_an_extra_row_beside_a_split_one_is_not_part_of_it():
    split = [LINES[0], {**LINES[1], "item_name": "Blue folders,"}, {"item_name": "large"}, LINES[2]]
    found = causes({"lines": [*split, {"item_name": "Ghost", "net_amount": "9.99"}, {"note": "Blue folders,"}]})
    assert set(found.values()) == {E.ROW_SPLIT, E.ROW_EXTRA}
    by_row = {
        path.partition(".")[0]: cause
        for path, cause in found.items()
        if path.startswith(("lines[3]", "lines[4]", "lines[5]"))
    }
    assert sorted(by_row.values()) == [E.ROW_EXTRA, E.ROW_EXTRA, E.ROW_SPLIT]


def test_responses_that_break_off_or_hold_nothing():
    assert set(causes_of('{"locale": "en_GB", "document_number": "INV-2008", "issue_da').values()) == {
        E.TRUNCATED,
        E.ILLEGIBLE,
    }
    for response in ("I cannot read this.", "", None, [1], "[[["):
        assert set(causes_of(response).values()) == {E.RESPONSE, E.ILLEGIBLE}


def test_injected_errors_have_their_cause():
    recipe = Recipe()
    recipe = recipe.model_copy(
        update={
            "knobs": recipe.knobs.model_copy(
                update={
                    "many_lines": 0.0,
                    "very_long_tables": 0.0,
                    "several_pages": 0.0,
                    "dual_currency": 0.4,
                    "decoy_dates": 0.6,
                }
            )
        }
    )
    plan = seed_plan("batch-000", 150, 3, recipe)
    documents = [draw_document(plan, index) for index in range(150)]
    right: Counter[str] = Counter()
    for error_type in (*RESPONSE_ERRORS, *FIELD_ERRORS):
        chance, made = random.Random(error_type), 0
        while made < 6:
            drawn = chance.choice(documents)
            try:
                text, illegible = simulate_response(drawn, error_type, chance)
            except InjectionNotPossible:
                continue
            truth = Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed))
            found = classify_errors(
                score({drawn.id: truth}, {drawn.id: Prediction(drawn.id, text)})[0], PageContext.of(drawn, illegible)
            )
            made += bool(found)
            right[error_type] += bool(found) and {cause for _, cause in found} == {error_type}
    assert {error_type for error_type, count in right.items() if count < 5} == set()
    assert right.total() >= 0.97 * 6 * len(right)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=12) | st.sampled_from(["1242.96", "INV-2008", "-"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*DOCUMENT, *LINES[0], "x"]) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_every_response_is_classified(value):
    assert all(isinstance(cause, ErrorType) for cause in causes_of(value).values())
    changed = dict.fromkeys(("issue_date", "totals", "lines", "document_number"), value)
    assert all(isinstance(cause, ErrorType) for cause in causes(changed).values())


def test_texts_and_names_without_end_stop_nothing():
    assert causes({"document_number": "INV-2008" * 50_000})["document_number"] is E.REPETITION
    for name in ("." * 100_000, f"lines[{'9' * 30}].item_name", "lines[٣].item_name", "totals[0].amount_due"):
        assert set(causes({name: "x"}).values()) <= {E.UNKNOWN_FIELD, E.ROW_EXTRA, E.HALLUCINATED}


def test_a_page_context_has_the_texts_that_are_not_fields():
    plan = seed_plan("batch-000", 1, 3)
    drawn = draw_document(plan, 0)
    look = drawn.presentation.model_copy(update={"decoys": (Decoy(label="Printed on", text="1 May 2024"),)})
    assert {"Printed on", "1 May 2024"} <= set(PageContext.of(drawn.model_copy(update={"presentation": look})).others)
