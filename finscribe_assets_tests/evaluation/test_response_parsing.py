"""Model output is untrusted text: parsing it never raises, and everything unusual about it has a name."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.lenient_json import MAX_DEPTH
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
    ("text", "document", "statuses", "dropped"),
    [
        ('{"a": "x", "b": {"c": ["1", {"d": "tru', {"a": "x", "b": {"c": ["1", {}]}}, "truncated", 1),
        ('{"a": 12.50, "b"', {"a": "12.50"}, "truncated", 1),
        ('{"a": 1, "total": 12', {"a": "1"}, "truncated", 1),  # it may go on, as 12 of 1234 does
        ('{"a": 1, "b": "x"', {"a": "1", "b": "x"}, "truncated", 0),
        ('Here: {"a": ', {}, "prose_around truncated", 1),
        ('```json\n{"a": 1, "b": "x', {"a": "1"}, "fenced truncated", 1),
        ('{"a": "' + "x" * 1_200_000 + '"}', {}, "too_long truncated", 1),
        ('Here it is:\n```json\n{"a": 1}\n```\nEnjoy', {"a": "1"}, "fenced prose_around", 0),
        ('```json\n{"a": 1}\n```', {"a": "1"}, "fenced", 0),
        ('Sure! {"a": 1} Anything else?', {"a": "1"}, "prose_around", 0),
        ('Here {is} the result: {"a":1}', {"a": "1"}, "prose_around", 0),
        (
            '```json\n{"a":1}\n```\nor rather\n```\n{"a":1,"b":2}\n```',
            {"a": "1", "b": "2"},
            "several_objects fenced prose_around",
            0,
        ),
        ('<think>{"x": 1}</think>\n{"a": 1, "b": 2}', {"a": "1", "b": "2"}, "several_objects prose_around", 0),
        ('{"a": 1, "b": 2} or {"a": 3}', {"a": "1", "b": "2"}, "several_objects prose_around", 0),
        ('[{"a": 1}]', {"a": "1"}, "in_a_list", 0),
        ([{"a": 1}], {"a": 1}, "in_a_list", 0),
        ('[{"a": 1}, {"b": "longer"}]', {"b": "longer"}, "several_objects prose_around", 0),
        ('"{\\"a\\": 1}"', {"a": "1"}, "quoted", 0),
        ("[1, 2]", {}, "not_an_object", 0),
        (7, {}, "not_an_object", 0),
        ("I cannot read this.", {}, "no_json", 0),
        ("", {}, "empty", 0),
        (None, {}, "empty", 0),
        ('{"a":' * 5000, {}, "too_deep", 0),
        ('{"a": NaN, "b": Infinity}', {"a": None, "b": None}, "not_a_number", 0),
        ('{"a": 1e999999, "b": -Infinity}', {"a": "1e999999", "b": None}, "not_a_number", 0),
        ("{'a': NaN}", {"a": None}, "loose_syntax not_a_number", 0),
        ('{"a": 1, "a": 2}', {"a": "2"}, "duplicate_keys", 0),
        ("{'a': 1, 'a': 2}", {"a": "2"}, "loose_syntax duplicate_keys", 0),
        ('{"n": ' + "9" * 6000 + "}", {"n": "9" * 6000}, "clean", 0),
        ('{"a": "line\nbreak\x00"}', {"a": "line\nbreak\x00"}, "clean", 0),
        ('\ufeff{"a": 1}', {"a": "1"}, "clean", 0),
        (
            "{'a': None, 'b': [1,2,], // why\n c: True}",
            {"a": None, "b": ["1", "2"], "c": True},
            "loose_syntax",
            0,
        ),
        ('{"a": 1 # why\n, "b": 2 /* so */, "c": 3}', {"a": "1", "b": "2", "c": "3"}, "loose_syntax", 0),
        ('{"a": some words, "b": "x', {"a": "some words"}, "truncated loose_syntax", 1),
        ('{"a": {"b": 1,}, "c": "x', {"a": {"b": "1"}}, "truncated loose_syntax", 1),
        ("{'a': 'it\\'s'}", {"a": "it's"}, "loose_syntax", 0),
        ('{"a": 1 "b": 2024-03-01}', {"a": "1", "b": "2024-03-01"}, "loose_syntax", 0),
        ('{"a": "12" pipe", "b": "C:\\dir"}', {"a": '12" pipe', "b": "C:\\dir"}, "loose_syntax", 0),
        ('{"a": {"b": 1, "c": }, "d": 2}', {"a": {"b": "1"}, "d": "2"}, "malformed", 1),
        ('{"a": [{"b": 1}, "d": 2}', {"a": [{"b": "1"}], "d": "2"}, "malformed", 0),
        ('{"a": ["1", "2"}', {"a": ["1", "2"]}, "malformed", 0),  # the list is closed by the object's brace
        ('{"a": 1, : 2, "b": 3}', {"a": "1", "b": "3"}, "malformed loose_syntax", 1),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}, "bad_characters", 0),
        ({"\udfff": ["\ud800"]}, {"\ufffd": ["\ufffd"]}, "bad_characters", 0),
    ],
)
def test_each_problem_has_its_status_and_complete_members_are_kept(text, document, statuses, dropped):
    response = parse_response(text)
    assert response.document == document
    assert " ".join(response.statuses) == statuses
    assert response.dropped == dropped


@pytest.mark.parametrize("comma", ["", ","])  # with it, the text is not JSON, and read leniently
def test_nesting_is_limited(comma):
    def nested(depth):
        return '{"a": ' * (depth - 1) + '{"b": "x"' + comma + "}" + "}" * (depth - 1)

    assert ParseStatus.TOO_DEEP not in parse_response(nested(MAX_DEPTH)).statuses
    assert parse_response(nested(MAX_DEPTH)).document
    assert parse_response(nested(MAX_DEPTH + 1)).statuses == [ParseStatus.TOO_DEEP]


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
