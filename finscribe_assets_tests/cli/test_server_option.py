"""`extract --server`: the same reading as in this process, and errors on one line."""

import json

import pytest
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.model.embedded_checkpoint import content_hash
from finscribe_assets_tests.inference.chat_server import MODEL, Reply, chat_server, completion, reader_answers


def run(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)), terminal_width=200)


@pytest.fixture
def line(tmp_path):
    """Return a picture of a printed line."""
    image = Image.new("L", (330, 42), 255)
    ImageDraw.Draw(image).text((8, 6), "Invoice INV-2041", font=ImageFont.load_default(26), fill=0)
    image.save(tmp_path / "line.png")
    return tmp_path / "line.png"


def test_a_served_model_reads_what_it_reads_in_this_process(line):
    here = json.loads(run("extract", line, "--base", "embedded").stdout)
    with chat_server(reader_answers()) as server:
        there = json.loads(run("extract", line, "--server", server.url, "--model", MODEL, "--reads", "lines").stdout)
    assert here["text"].startswith("Invoice")
    assert there.pop("confidence") == pytest.approx(here.pop("confidence"), abs=2e-4)
    assert (here.pop("reader"), there.pop("reader")) == ("embedded", MODEL)
    hashes = [record.pop("model")["base_content"] for record in (here, there)]
    assert hashes == [content_hash(), None], "a server does not tell the hash of its weights"
    assert there == here


def test_a_page_is_asked_for_json_with_the_keys_of_the_schema(line):
    text = '{"document_number": "INV-2041"}'
    with chat_server(lambda body: Reply(completion(text, [(text, 0.5)]))) as server:
        record = json.loads(run("extract", line, "--server", server.url, "--keys", "--max-tokens", 50).stdout)
        (body,) = server.bodies
    assert record["response"] == text
    assert record["confidence"] == {"document_number": 0.5}
    assert body["max_tokens"] == 50
    assert "document_number" in body["response_format"]["json_schema"]["schema"]["properties"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--server", "http://127.0.0.1:1", "--base", "other"), "leave out --base, --adapter and --promoted"),
        (("--model", "tuned"), "--model, --reads: they describe the model of a server; give --server, too"),
        (("--server", "127.0.0.1:8000"), "is not an address such as http://127.0.0.1:8000"),
    ],
)
def test_options_that_do_not_fit_together(line, options, message):
    result = run("extract", line, *options)
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_a_model_that_the_server_lacks_is_named(line):
    with chat_server(lambda body: Reply({})) as server:
        result = run("extract", line, "--server", server.url, "--model", "other")
    assert f"{server.url}: has no model 'other', but {MODEL}" in " ".join(result.stderr.split())


def test_a_refused_file_is_an_error_in_its_record(line):
    refused = Reply({"error": {"message": "max_tokens=4096 cannot be greater than max_model_len=1024."}}, 400)
    with chat_server(lambda body: refused) as server:
        result = run("extract", line, "--server", server.url)
    assert result.exit_code == 1
    assert "--max-tokens" in json.loads(result.stdout)["error"]
