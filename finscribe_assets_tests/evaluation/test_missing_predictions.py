"""A file without any prediction has another format, or belongs to other documents: an error that names the mend."""

import json

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.evaluation.prediction_files import read_predictions, read_truths

TRUTH = {"id": "a", "document": {"locale": "de_DE", "currency_code": "EUR", "totals": {"amount_due": "119.00"}}}
ANSWER = {"id": "a", "response": {"totals": {"amount_due": "119,00"}}}
LINE = json.dumps(ANSWER)


@pytest.fixture
def evaluate(tmp_path):
    truth, predictions, out = (tmp_path / name for name in ("truth.jsonl", "predictions.jsonl", "o.json"))
    truth.write_text(json.dumps(TRUTH))

    def run(content: bytes, command="evaluate"):
        predictions.write_bytes(content)
        arguments = ["--predictions", str(predictions), "--ground-truth", str(truth), "--output", str(out)]
        return CliRunner().invoke(app, [command, *arguments], terminal_width=200)

    return run


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"[{LINE}]", "is one JSON array; write its 1 items one a line"),
        (json.dumps([ANSWER] * 3, indent=1), "is one JSON array; write its 3 items"),
        (json.dumps(ANSWER, indent=1), "one JSON object over"),
        ("id,amount_due\na,119.00\n", "looks like a table of separated values"),
        ("a;119,00", "looks like a table of separated values"),
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("the amount is 119\n", "no line that is JSON"),
        (json.dumps({"image": "a", "prediction": {}}), "the keys of its records are 'image', 'prediction'"),
        (json.dumps({"id": "a"}), "the keys of its records are 'id'"),
        ("{}", "the keys of its records are none"),
        (json.dumps(ANSWER | {"id": "b"}), "it has the id 'b', the ground truth has 'a'"),
        ("null\n3\n", "no line that is JSON"),
        ("[" * 100_000, "no line that is JSON"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "mine"])
def test_no_prediction_at_all_is_an_error(evaluate, content, message, command):
    result = evaluate(content.encode(), command)
    assert result.exit_code == 1
    assert "predictions.jsonl: " in result.stderr and message in result.stderr


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(evaluate, encoding):
    result = evaluate(LINE.encode(encoding))
    assert result.exit_code == 1 and "UTF-16" in result.stderr and "iconv" in result.stderr


def test_a_byte_order_mark_and_bad_lines_beside_good_ones_are_no_error(evaluate, tmp_path):
    assert evaluate(b"\xef\xbb\xbf" + LINE.encode()).exit_code == 0
    report = json.loads((tmp_path / "o.json").read_text())
    assert report["headline"]["field_accuracy"]["value"] == 0.5 and not report["problems"]  # the currency is missing
    result = evaluate(b"\xef\xbb\xbf" + LINE.encode() + b"\n{broken\n")
    assert result.exit_code == 0 and json.loads((tmp_path / "o.json").read_text())["problems"] == {"not_json": 1}


def test_ground_truth_may_have_a_byte_order_mark_and_any_line_separators_in_texts(tmp_path):
    file = tmp_path / "truth.jsonl"
    name = "A\u2028B\x85C"
    record = TRUTH | {"document": {"seller": {"name": name}}}
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(record, ensure_ascii=False).encode() + b"\r\n")
    truths = read_truths(file)
    assert truths["a"].document["seller"]["name"] == name
    answer = {"id": "a", "response": record["document"]}
    (tmp_path / "p.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(answer, ensure_ascii=False).encode())
    assert read_predictions(tmp_path / "p.jsonl", truths)[1].counts == {}
    file.write_bytes(json.dumps(TRUTH).encode("utf-16"))
    with pytest.raises(ValueError, match=r"truth\.jsonl: byte 0 is not UTF-8"):
        read_truths(file)
    file.write_text(json.dumps(TRUTH | {"printed": "issue_date"}))
    with pytest.raises(ValueError, match="line 1: write printed as a list"):
        read_truths(file)
