"""Model output is untrusted text: parsing it never raises, and everything unusual about it has a name."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.report import evaluate
from finscribe_assets.evaluation.response_parsing import ParseStatus, parse_response

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=300) | json_values.map(json.dumps) | json_values)
@settings(max_examples=300)
def test_anything_is_read(value):
    response = parse_response(value)
    assert isinstance(response.document, dict)
    assert response.statuses


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), st.integers(0, 400))
def test_a_cut_response_never_raises_and_says_so(document, cut):
    text = json.dumps(document)
    response = parse_response(text[: min(cut, len(text) - 1)])
    assert response.statuses
    assert ParseStatus.CLEAN not in response.statuses


@pytest.mark.parametrize(
    ("text", "document", "status"),
    [
        ('{"a": "x", "b": {"c": ["1", {"d": "tru', {"a": "x", "b": {"c": ["1", {}]}}, ParseStatus.TRUNCATED),
        ('{"a": 12.50, "b"', {"a": "12.50"}, ParseStatus.TRUNCATED),
        ('Here it is:\n```json\n{"a": 1}\n```\nEnjoy', {"a": "1"}, ParseStatus.FENCED),
        ('Sure! {"a": 1} Anything else?', {"a": "1"}, ParseStatus.PROSE),
        ('{"a": NaN, "b": Infinity}', {"a": None, "b": None}, ParseStatus.NOT_A_NUMBER),
        ('{"a": 1, "a": 2}', {"a": "2"}, ParseStatus.DUPLICATE_KEYS),
        ("[1, 2]", {}, ParseStatus.NOT_AN_OBJECT),
        ("I cannot read this.", {}, ParseStatus.NO_JSON),
        ("", {}, ParseStatus.EMPTY),
        (None, {}, ParseStatus.EMPTY),
        (7, {}, ParseStatus.NOT_AN_OBJECT),
        ('{"a":' * 5000, {}, ParseStatus.TOO_DEEP),
        ('{"a": "' + "x" * 1_200_000 + '"}', {}, ParseStatus.TOO_LONG),
        ('{"n": ' + "9" * 6000 + "}", {"n": "9" * 6000}, ParseStatus.CLEAN),
        ('{"a": "line\nbreak\x00"}', {"a": "line\nbreak\x00"}, ParseStatus.CLEAN),
        ('Here {is} the result: {"a":1}', {"a": "1"}, ParseStatus.PROSE),
        (
            '```json\n{"a":1}\n```\nor rather\n```\n{"a":1,"b":2}\n```',
            {"a": "1", "b": "2"},
            ParseStatus.SEVERAL_OBJECTS,
        ),
        ('<think>{"x": 1}</think>\n{"a": 1, "b": 2}', {"a": "1", "b": "2"}, ParseStatus.SEVERAL_OBJECTS),
        ('```json\n{"a": 1, "b": "x', {"a": "1"}, ParseStatus.FENCED),
        ('{"a": 1, "total": 12', {"a": "1"}, ParseStatus.TRUNCATED),
        ('{"a": 1, "b": "x"', {"a": "1", "b": "x"}, ParseStatus.TRUNCATED),
        ('Here: {"a": ', {}, ParseStatus.TRUNCATED),
        (
            "{'a': None, 'b': [1,2,], // why\n c: True}",
            {"a": None, "b": ["1", "2"], "c": True},
            ParseStatus.LOOSE_SYNTAX,
        ),
        ('{"a": 1 "b": 2024-03-01}', {"a": "1", "b": "2024-03-01"}, ParseStatus.LOOSE_SYNTAX),
        ('{"a": "12" pipe", "b": "C:\\dir"}', {"a": '12" pipe', "b": "C:\\dir"}, ParseStatus.LOOSE_SYNTAX),
        ('{"a": {"b": 1, "c": }, "d": 2}', {"a": {"b": "1"}, "d": "2"}, ParseStatus.MALFORMED),
        ('{"a": [{"b": 1}, "d": 2}', {"a": [{"b": "1"}], "d": "2"}, ParseStatus.MALFORMED),
        ('[{"a": 1}]', {"a": "1"}, ParseStatus.IN_A_LIST),
        ([{"a": 1}], {"a": 1}, ParseStatus.IN_A_LIST),
        ('"{\\"a\\": 1}"', {"a": "1"}, ParseStatus.QUOTED),
        ('\ufeff{"a": 1}', {"a": "1"}, ParseStatus.CLEAN),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}, ParseStatus.BAD_CHARACTERS),
        ({"\udfff": ["\ud800"]}, {"\ufffd": ["\ufffd"]}, ParseStatus.BAD_CHARACTERS),
        ('{"a": 1e999999, "b": -Infinity}', {"a": "1e999999", "b": None}, ParseStatus.NOT_A_NUMBER),
    ],
)
def test_each_problem_has_its_status_and_complete_members_are_kept(text, document, status):
    response = parse_response(text)
    assert response.document == document
    assert status in response.statuses


@pytest.mark.parametrize(
    "document",
    [
        {"totals": {"amount_due": ["1"]}},
        {"totals": {"amount_due": {"value": "1"}}},
        {"totals": {"amount_due": True}},
        {"totals": [{"amount_due": "1"}]},
        {"seller": "Firma"},
        {"lines": {"item_name": "x"}},
        {"lines": ["x"]},
        {"lines": "x"},
        {"lines": [{"item_name": ["x", "y"]}]},
    ],
)
def test_a_known_field_of_another_type_is_reported(document):
    assert (
        parse_response(document).statuses == parse_response(json.dumps(document)).statuses == [ParseStatus.WRONG_TYPE]
    )
    evaluate({"d": TRUTH}, {"d": Prediction("d", document)})


def test_known_and_unknown_fields_have_no_wrong_type():
    assert parse_response(TRUTH.document | {"vendor": {"x": [True]}, "lines_total": "1"}).statuses == [
        ParseStatus.CLEAN
    ]


TRUTH = Truth(
    "d",
    {
        "locale": "de_DE",
        "document_number": "A-1",
        "issue_date": "2024-03-01",
        "currency_code": "EUR",
        "seller": {"name": 'Müller "&" Söhne', "address": {"city": "Köln"}},
        "lines": [
            {"item_name": "Stift, blau", "quantity": "2", "net_amount": "1234.00"},
            {"item_name": "Papier", "quantity": "1", "net_amount": "5.00"},
        ],
        "totals": {"amount_due": "1239.00"},
    },
)
TEXT = json.dumps(TRUTH.document, ensure_ascii=False)


@pytest.mark.parametrize("text", [TEXT, json.dumps(json.loads(TEXT.replace('"1234.00"', "1234.00")), indent=1)])
def test_a_truncated_response_holds_nothing_that_the_whole_one_does_not(text):
    """Cut at every byte, it keeps whole values only, and ever more of them."""
    whole = flatten(parse_response(text).document)
    before = 0
    for cut in range(1, len(text.encode())):
        response = parse_response(text.encode()[:cut].decode(errors="replace"))
        assert ParseStatus.TRUNCATED in response.statuses
        kept = flatten(response.document)
        assert kept.items() <= whole.items()
        assert before <= len(kept) <= len(whole)
        assert response.dropped <= 1
        before = len(kept)
    assert before == len(whole)


@given(st.data())
@settings(max_examples=100)
def test_a_damaged_response_is_measured(data):
    body = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 40)))
        change = data.draw(st.sampled_from(["flip", "double", "drop", "insert"]))
        if change == "flip" and start < len(body):
            body[start] ^= data.draw(st.integers(1, 255))
        elif change == "double":
            body[end:end] = body[start:end]
        elif change == "drop":
            del body[start:end]
        else:
            body[start:start] = data.draw(
                st.sampled_from(
                    [b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"'", b"#", b"/*", b"```", b"1e9999", b"NaN"]
                )
            )
    response = parse_response(body.decode(errors="replace"))
    assert response.statuses
    report = evaluate({"d": TRUTH}, {"d": Prediction("d", body.decode(errors="replace"))})
    report.model_dump_json().encode()


@given(st.text(alphabet="{}[]\"':,/*#\\ \n1aN`", max_size=80))
@settings(max_examples=500)
def test_any_punctuation_is_read(text):
    assert parse_response('{"a": 1, ' + text).statuses


UNITS = ['[{"', '{"a":', '{"a": /* , ', '" ', "{'", '{x: "', '"a":1,', "{ ", '{"a":1} ', "```", "#,\n"]


@pytest.mark.parametrize("unit", UNITS)
def test_anything_over_and_over_is_read(unit):
    """What is not in proportion to the text would not end here."""
    for opening in ("", '{"a": ', '{"a": "', '{"a": ['):
        response = parse_response(opening + unit * (150_000 // len(unit)))
        assert ParseStatus.CLEAN not in response.statuses


def test_an_object_nested_too_deep_is_refused_whole():
    value: dict = {}
    for _ in range(200):
        value = {"a": value}
    assert parse_response(value).statuses == [ParseStatus.TOO_DEEP]
