"""What a server is asked, and what becomes of its answers; no model takes part."""

import logging
import threading
import time

import numpy as np
import pytest
from PIL import Image, ImageDraw

from finscribe_assets.errors import UserError
from finscribe_assets.inference.extraction import Extractor
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.inference.json_grammar import JsonGrammar, document_schema
from finscribe_assets.inference.prediction import page_record
from finscribe_assets.inference.server_reader import ServerReader, token_positions
from finscribe_assets.inference.server_settings import (
    ImageFormat,
    ReadingUnit,
    ServerSettings,
    server_of_environment,
    server_settings,
)
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.model.line_images import fit_line
from finscribe_assets_tests.inference.chat_server import MODEL, Reply, chat_server, completion, images_of, prompt_of


def picture(width, height=40, bars=1):
    """Return a grey image with bars of print, one below the other."""
    image = Image.new("L", (width, height * bars), 250)
    for bar in range(bars):
        ImageDraw.Draw(image).rectangle((4, bar * height + 12, width - 6, bar * height + 26), fill=20)
    return image


def width_answer(body):
    """Answer with the width of the image, so that answers can be told apart."""
    width = images_of(body)[0].width
    return Reply(completion(f"w{width}", [(f"w{width}", 0.5), ("</s>", 1.0)]))


def reader_of(server, **settings):
    return ServerReader(ServerSettings(server.url, MODEL, **{"patience": 20.0, **settings}))


def test_a_page_is_asked_about_in_one_user_message_with_the_images_first():
    pages = (picture(120), picture(80))
    with chat_server(width_answer) as server:
        reader_of(server, min_pixels=784, max_pixels=1_000_000).read([ReadRequest(pages, "Read.")], max_new_tokens=9)
        (body,) = server.bodies
    (message,) = body["messages"]
    assert message["role"] == "user"
    assert [part["type"] for part in message["content"]] == ["image_url", "image_url", "text"]
    assert message["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    for sent, page in zip(images_of(body), pages, strict=True):
        assert np.array_equal(np.asarray(sent), np.asarray(page))
    assert prompt_of(body) == "Read."
    assert (body["model"], body["temperature"], body["max_tokens"], body["logprobs"]) == (MODEL, 0, 9, True)
    assert body["mm_processor_kwargs"] == {"min_pixels": 784, "max_pixels": 1_000_000}


def test_what_is_not_set_is_not_sent_and_jpeg_is_a_choice():
    with chat_server(width_answer) as server:
        reader_of(server, image_format=ImageFormat.JPEG).read([ReadRequest((picture(120),), "Read.")])
        (body,) = server.bodies
    assert "mm_processor_kwargs" not in body
    assert "response_format" not in body
    assert body["max_tokens"] == 4096
    assert images_of(body)[0].format == "JPEG"


def test_a_model_of_lines_is_sent_fitted_lines_of_blocks_and_tables():
    line, block = picture(150), picture(300, bars=3)
    with chat_server(lambda body: Reply(completion("x", [("x", 0.5), ("</s>", 1.0)]))) as server:
        reader = reader_of(server, unit=ReadingUnit.LINES, concurrency=1)
        assert reader.reads_lines
        texts = reader.read([ReadRequest((line,), OCR_PROMPT), ReadRequest((block,), OCR_PROMPT, is_block=True)])
        assert [text.text for text in texts] == ["x", "x\nx\nx"]
        assert texts[1].confidence == pytest.approx(0.5**0.5)
        assert len(texts[1].tokens) == 6
        assert np.array_equal(np.asarray(images_of(server.bodies[0])[0]), np.asarray(fit_line(line)))
        assert {images_of(body)[0].height for body in server.bodies} == {28}
        assert {body["max_tokens"] for body in server.bodies} == {96}
        reader.read([ReadRequest((block,), TABLE_PROMPT)])
        assert [prompt_of(body) for body in server.bodies[4:]] == [TABLE_PROMPT] * 3
        with pytest.raises(UserError, match="2 images in one request"):
            reader.read([ReadRequest((line, line), OCR_PROMPT)])


def test_answers_come_in_the_order_of_requests_and_no_more_than_asked_at_once():
    gate = threading.Barrier(3)

    def slow_first(body):
        gate.wait(timeout=30)  # three requests are there at the same time
        time.sleep(0.0 if images_of(body)[0].width % 2 else 0.05)  # even ones come later
        return width_answer(body)

    widths = list(range(100, 112))
    with chat_server(slow_first) as server:
        reader = reader_of(server, concurrency=3)
        texts = reader.read([ReadRequest((picture(width),), "Read.") for width in widths])
        assert server.most_at_once == 3
    assert [text.text for text in texts] == [f"w{width}" for width in widths]
    assert reader.read([]) == []


def test_confidence_is_the_geometric_mean_and_values_have_their_own():
    text = '{"total": "12 €"}'
    tokens = [('{"total', 1.0), ('": ', 1.0), ('"12 ', 0.25), ("€", 0.81), ('"}', 1.0), ("</s>", 1.0)]
    with chat_server(lambda body: Reply(completion(text, tokens))) as server:
        reader = reader_of(server)
        (decoded,) = reader.read([ReadRequest((picture(90),), "Read.")])
    assert decoded.confidence == pytest.approx((0.25 * 0.81) ** (1 / 6))
    assert reader.token_ends(decoded) == [7, 10, 14, 15, 17, 17]
    assert page_record(reader, "d", decoded).to_json()["confidence"] == {"total": round((0.25 * 0.81) ** (1 / 3), 4)}
    assert not decoded.truncated


def test_tokens_may_be_parts_of_characters():
    euro = "€".encode()
    assert token_positions("5 €!", [b"5", b" " + euro[:1], euro[1:], b"!", b"</s>"]) == [1, 2, 3, 4, 4]
    assert token_positions("word", [b" word", b"</s>"]) == [4, 4], "white space around a response may be stripped"
    assert token_positions("word", [b"other"]) is None
    assert token_positions("", [b"</s>"]) == [0]


def test_unknown_confidence_is_left_out_and_said_once(caplog):
    with chat_server(lambda body: Reply(completion('{"total": "12"}'))) as server, caplog.at_level(logging.WARNING):
        reader = reader_of(server)
        texts = reader.read([ReadRequest((picture(90),), "Read.")] * 3)
    assert [text.confidence for text in texts] == [None] * 3
    assert page_record(reader, "d", texts[0]).to_json()["confidence"] == {}
    assert [record.getMessage() for record in caplog.records if "probabilities" in record.getMessage()] == [
        f"{server.url}: the server gives no log probabilities of tokens, so confidences are unknown and left out"
    ]


def test_unknown_confidence_of_a_line_is_null_in_what_extract_writes():
    with chat_server(lambda body: Reply(completion("Total 12"))) as server:
        read = Extractor(reader_of(server, unit=ReadingUnit.LINES)).read_image(picture(90))
    assert (read.text, read.confidence) == ("Total 12", None)


def test_a_text_at_the_token_limit_is_truncated():
    with chat_server(lambda body: Reply(completion("12", [("12", 0.5)], "length"))) as server:
        (decoded,) = reader_of(server).read([ReadRequest((picture(90),), "Read.")])
    assert decoded.truncated


@pytest.mark.parametrize(
    ("grammar", "expected"),
    [
        (JsonGrammar(), {"type": "json_object"}),
        (
            JsonGrammar(only_known_keys=True),
            {
                "type": "json_schema",
                "json_schema": {"name": "document", "schema": document_schema(), "strict": True},
            },
        ),
    ],
)
def test_json_is_asked_for_by_response_format(grammar, expected):
    with chat_server(width_answer) as server:
        reader_of(server).read([ReadRequest((picture(90),), "Read.")], grammar=grammar)
        assert server.bodies[0]["response_format"] == expected
        with pytest.raises(UserError, match=f"json: {MODEL} reads single printed lines and writes no JSON"):
            Extractor(reader_of(server, unit=ReadingUnit.LINES), grammar=grammar)


def test_the_only_model_needs_no_name_and_an_unknown_one_is_an_error():
    with chat_server(width_answer) as server:
        assert ServerReader(ServerSettings(server.url)).name == MODEL
        with pytest.raises(UserError, match=f"has no model 'other', but {MODEL}; name one of them with --model"):
            ServerReader(ServerSettings(server.url, "other"))
    with chat_server(width_answer, lists_models=False) as server:
        assert ServerReader(ServerSettings(server.url, "any")).name == "any"
        with pytest.raises(UserError, match="name one of its models with --model; it lists none"):
            ServerReader(ServerSettings(server.url))


def test_identity_depends_on_what_readings_depend_on_and_not_on_the_address():
    with chat_server(width_answer) as one, chat_server(width_answer) as other:
        identity = reader_of(one).identity
        assert reader_of(other, concurrency=2, timeout=9.0).identity == identity
        assert reader_of(one, unit=ReadingUnit.LINES).identity != identity
        assert reader_of(one, max_pixels=9).identity != identity
        assert reader_of(one, image_format=ImageFormat.JPEG).identity != identity
        assert reader_of(one).record == {
            **dict.fromkeys(("base", "base_content", "adapter")),
            **{"device": "server", "server_model": MODEL, "server_root": "/models/tuned"},
        }


def test_settings_come_from_the_environment_and_their_errors_name_the_variable():
    environment = {
        "FINSCRIBE_SERVER_URL": "http://localhost:8000/",
        "FINSCRIBE_SERVER_MODEL": "tuned",
        "FINSCRIBE_SERVER_READS": "lines",
        "FINSCRIBE_SERVER_TOKEN": "secret",
        "FINSCRIBE_SERVER_MAX_PIXELS": "1003520",
        "FINSCRIBE_SERVER_CONCURRENCY": "4",
    }
    settings = server_of_environment(environment)
    assert settings == ServerSettings(
        "http://localhost:8000/", "tuned", ReadingUnit.LINES, "secret", max_pixels=1003520, concurrency=4
    )
    assert settings.api_url == "http://localhost:8000/v1" == ServerSettings("http://localhost:8000/v1").api_url
    assert "secret" not in repr(settings)
    assert server_of_environment({}) is None
    for name, value, message in (
        ("READS", "words", "FINSCRIBE_SERVER_READS: 'words' is not one of lines, pages"),
        ("TIMEOUT", "-1", "FINSCRIBE_SERVER_TIMEOUT: '-1' is not a whole number above 0"),
    ):
        with pytest.raises(UserError, match=message):
            server_settings("http://localhost:8000", environment={f"FINSCRIBE_SERVER_{name}": value})
    for url in ("localhost:8000", "ftp://x", "http://"):
        with pytest.raises(UserError, match="is not an address such as"):
            ServerSettings(url)
    with pytest.raises(UserError, match="must hold no user, password or query; set FINSCRIBE_SERVER_TOKEN"):
        ServerSettings("http://me:secret@host:1")
