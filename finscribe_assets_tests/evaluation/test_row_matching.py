"""Row matching: every row has its status, and the order in which a model wrote its rows has no effect."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.evaluation.field_comparison import FieldStatus, RowOutcome, RowStatus, compare_fields
from finscribe_assets.evaluation.prediction_files import Truth
from finscribe_assets.evaluation.row_matching import match_rows


def row(item_name, quantity, net_price, net_amount):
    return {"item_name": item_name, "quantity": quantity, "net_price": net_price, "net_amount": net_amount}


PEN = row("Pen, blue", "2", "1.5", "3")
PAPER = row("Printing paper A4", "10", "4.9", "49")
STAPLER = row("Stapler with staples", "1", "12.8", "12.8")
TRUE = [PEN, PAPER, STAPLER]


def outcomes_of(*predicted_rows):
    places, outcomes = match_rows("lines", dict(enumerate(TRUE)), dict(enumerate(predicted_rows)))
    assert places.keys() == set(range(len(predicted_rows)))
    return {(outcome.status.value, outcome.true, outcome.predicted) for outcome in outcomes}


JOINED = "Pen, blue Printing paper A4"


@pytest.mark.parametrize(
    ("predicted_rows", "expected"),
    [
        ([STAPLER, PEN, PAPER], {("matched", (0,), (1,)), ("matched", (1,), (2,)), ("matched", (2,), (0,))}),
        ([PEN, STAPLER], {("matched", (0,), (0,)), ("missing", (1,), ()), ("matched", (2,), (1,))}),
        (
            [PEN, row("Pencil", "2", "1.5", "3"), PAPER, STAPLER],
            {("matched", (0,), (0,)), ("extra", (), (1,)), ("matched", (1,), (2,)), ("matched", (2,), (3,))},
        ),
        # Names joined, the amounts of one of them.
        ([PAPER | {"item_name": JOINED}, STAPLER], {("merged", (0, 1), (0,)), ("matched", (2,), (1,))}),
        # Everything run together, with a misread letter.
        (
            [row("Pem, blue Printing paper A4", "2 10", "1.5 4.9", "3 49"), STAPLER],
            {("merged", (0, 1), (0,)), ("matched", (2,), (1,))},
        ),
        # Each field is one or the other's.
        (
            [STAPLER, PEN | {"net_price": "4.9", "net_amount": "49"}],
            {("merged", (0, 1), (1,)), ("matched", (2,), (0,))},
        ),
        # All three rows in one.
        ([STAPLER | {"item_name": JOINED + " Stapler with staples"}], {("merged", (0, 1, 2), (0,))}),
        # A wrapped name as a row of its own, its amounts on the first, then on the last.
        (
            [PEN, PAPER | {"item_name": "Printing"}, {"item_name": "paper A4"}, STAPLER],
            {("matched", (0,), (0,)), ("split", (1,), (1, 2)), ("matched", (2,), (3,))},
        ),
        (
            [{"item_name": "Printing"}, PEN, {"item_name": "paper"}, PAPER | {"item_name": "A4"}, STAPLER],
            {("matched", (0,), (1,)), ("split", (1,), (0, 2, 3)), ("matched", (2,), (4,))},
        ),
        # A split row beside rows that are missing.
        (
            [PAPER | {"item_name": "Printing"}, {"item_name": "paper A4"}],
            {("missing", (0,), ()), ("split", (1,), (0, 1)), ("missing", (2,), ())},
        ),
        # The name in one row, the amounts in another.
        (
            [
                PEN,
                {"item_name": PAPER["item_name"]},
                {key: PAPER[key] for key in ("quantity", "net_price", "net_amount")},
                STAPLER,
            ],
            {("matched", (0,), (0,)), ("split", (1,), (1, 2)), ("matched", (2,), (3,))},
        ),
        # One wrong digit or letter in every field is still that row.
        (
            [
                row("Pen, blve", "3", "1.6", "8"),
                row("Printing paper A6", "18", "4.8", "48"),
                row("Stapler with stoples", "7", "12.6", "12.9"),
            ],
            {("matched", (0,), (0,)), ("matched", (1,), (1,)), ("matched", (2,), (2,))},
        ),
        # A row like none is not the one that is missing.
        (
            [PEN, PAPER, row("Xylophon", "77", "100", "7700")],
            {("matched", (0,), (0,)), ("matched", (1,), (1,)), ("missing", (2,), ()), ("extra", (), (2,))},
        ),
        ([], {("missing", (0,), ()), ("missing", (1,), ()), ("missing", (2,), ())}),
    ],
)
def test_each_status_has_its_rows_in_any_order(predicted_rows, expected):
    assert outcomes_of(*predicted_rows) == expected
    for order in itertools.islice(itertools.permutations(range(len(predicted_rows))), 24):
        reordered = {
            (status, true, tuple(sorted(order[at] for at in predicted)))
            for status, true, predicted in outcomes_of(*(predicted_rows[at] for at in order))
        }
        assert reordered == expected


def test_only_expected_values_decide_which_rows_belong_together():
    true = {0: PEN, 1: PAPER, 2: STAPLER}
    predicted = {0: PEN | {"net_amount": "49"}}  # three values of the pen, one of the paper
    assert match_rows("lines", true, predicted)[0] == {0: 0}
    expected = {1: {"net_amount": "49"}, 2: {"quantity": "1"}}
    index, outcomes = match_rows("lines", true, predicted, expected)
    assert index == {0: 1}
    # Nothing of the pen is expected, so that it is not missing.
    assert outcomes == [
        RowOutcome("lines", RowStatus.MATCHED, (1,), (0,)),
        RowOutcome("lines", RowStatus.MISSING, (2,), ()),
    ]


def test_extra_rows_follow_the_true_ones():
    assert match_rows("lines", {}, {3: PEN, 5: PAPER})[0] == {3: 0, 5: 1}
    assert match_rows("lines", {0: PEN, 4: STAPLER}, {3: PEN, 5: PAPER, 6: STAPLER})[0] == {3: 0, 5: 5, 6: 4}


def test_a_repeated_row_is_extra_the_second_time():
    assert outcomes_of(PEN, STAPLER, PAPER, STAPLER) == {
        ("matched", (0,), (0,)),
        ("matched", (1,), (2,)),
        ("matched", (2,), (1,)),
        ("extra", (), (3,)),
    }


def test_a_merged_row_counts_as_missing_and_the_rest_of_a_split_one_as_extra():
    truth = Truth("d", {"lines": TRUE})

    def statuses(*predicted_rows):
        comparison = compare_fields(truth, {"lines": list(predicted_rows)}, {})
        return comparison.rows, {outcome.path: outcome.status for outcome in comparison.outcomes}

    rows, merged = statuses(PAPER | {"item_name": JOINED}, STAPLER)
    assert rows[0] == RowOutcome("lines", RowStatus.MERGED, (0, 1), (0,))
    assert {merged[f"lines[0].{field}"] for field in PEN} == {FieldStatus.MISSING}
    assert merged["lines[1].item_name"] is FieldStatus.WRONG
    assert merged["lines[1].net_amount"] is FieldStatus.CORRECT
    rows, split = statuses(PEN, PAPER | {"item_name": "Printing"}, {"item_name": "paper A4"}, STAPLER)
    assert rows[1] == RowOutcome("lines", RowStatus.SPLIT, (1,), (1, 2))
    assert split["lines[3].item_name"] is FieldStatus.EXTRA


def test_confidence_goes_with_its_row():
    predicted_rows = {"lines": [None, STAPLER | {"net_price": None}, PEN | {"item_name": "Pen, blve"}, PEN]}
    confidence = {f"lines[{at}].{field}": at / 10 for at in range(4) for field in PEN}
    found = {
        outcome.path: outcome
        for outcome in compare_fields(Truth("d", {"lines": TRUE}), predicted_rows, confidence).outcomes
    }
    assert {found[f"lines[2].{field}"].confidence for field in ("item_name", "quantity", "net_amount")} == {0.1}
    assert found["lines[2].net_price"].confidence is None  # nothing was predicted: null means absent
    assert found["lines[0].item_name"].confidence == 0.3
    assert found["lines[3].item_name"].confidence == 0.2  # the extra row's
    assert found["lines[1].item_name"].confidence is None


words = st.sampled_from(["a", "b", "a b", "ab cd", "cd"])
some_rows = st.lists(
    st.fixed_dictionaries({}, optional={"item_name": words, "quantity": st.sampled_from("123"), "net_amount": words}),
    max_size=6,
)


@given(some_rows, some_rows, st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_a_shuffle_changes_nothing(true, predicted_rows, chance):
    truth = Truth("d", {"lines": true})
    order = chance.sample(range(len(predicted_rows)), len(predicted_rows))
    first = compare_fields(truth, {"lines": predicted_rows}, {})
    second = compare_fields(truth, {"lines": [predicted_rows[at] for at in order]}, {})
    assert first.outcomes == second.outcomes

    def described(comparison, rows):
        return [
            (one.status, one.true, sorted(sorted(rows[at].items()) for at in one.predicted)) for one in comparison.rows
        ]

    assert described(first, predicted_rows) == described(second, [predicted_rows[at] for at in order])


@given(some_rows, some_rows)
@settings(max_examples=150)
def test_every_row_has_one_status_and_no_matching_has_more_correct_values(true, predicted_rows):
    comparison = compare_fields(Truth("d", {"lines": true}), {"lines": predicted_rows}, {})
    for rows, places in (
        (true, [at for one in comparison.rows for at in one.true]),
        (predicted_rows, [at for one in comparison.rows for at in one.predicted]),
    ):
        assert sorted(places) == [at for at, row in enumerate(rows) if row]
    right = sum(outcome.status is FieldStatus.CORRECT for outcome in comparison.outcomes)
    longer, shorter = (true, predicted_rows) if len(true) >= len(predicted_rows) else (predicted_rows, true)
    best = max(
        sum(len(dict(one.items() & other.items())) for one, other in zip(shorter, chosen, strict=False))
        for chosen in itertools.permutations(longer, len(shorter))
    )
    assert right == best


def test_long_lists_are_matched():
    chance = random.Random(1)
    true = [row(f"Item {chance.random()}", str(chance.randrange(9)), str(chance.random()), "1") for _ in range(400)]
    predicted_rows = [one | {"item_name": one["item_name"][:-1]} for one in chance.sample(true, 400)]
    comparison = compare_fields(Truth("d", {"lines": true}), {"lines": predicted_rows}, {})
    assert {one.status for one in comparison.rows} == {RowStatus.MATCHED}
    assert sum(outcome.status is FieldStatus.CORRECT for outcome in comparison.outcomes) == 1200
    # What is beyond the bound is not followed.
    endless = compare_fields(Truth("d", {"lines": TRUE}), {"lines": [PEN] * 3000}, {})
    assert len(endless.rows) == 2 + 400
