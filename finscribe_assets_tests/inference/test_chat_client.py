"""Servers that fail: what is tried again, for how long, and what the errors say."""

import itertools
import time

import pytest

from finscribe_assets.inference.chat_client import ChatClient, ServerError
from finscribe_assets.inference.server_reader import ServerReader
from finscribe_assets.inference.server_settings import ServerSettings
from finscribe_assets_tests.inference.chat_server import MODEL, ChatServer, Reply, chat_server, completion

BODY = {"model": MODEL, "messages": [{"role": "user", "content": []}]}
GOOD = Reply(completion("yes", [("yes", 0.5)]))


def client_of(server, **settings):
    return ChatClient(ServerSettings(server.url, MODEL, **{"patience": 30.0, "timeout": 20.0, **settings}))


def in_turn(*replies):
    """Return an answer that gives each reply once, and the last one from then on."""
    waiting = itertools.chain(replies[:-1], itertools.repeat(replies[-1]))
    return lambda body: next(waiting)


TEMPORARY = {
    "starting": Reply({"error": {"message": "loading"}}, 503),
    "busy": Reply({"error": "slow down"}, 429, {"Retry-After": "0"}),
    "crashed": Reply({"detail": "CUDA"}, 500),
    "killed": Reply(drop=True),
    "shut down": Reply(completion("ye", [("ye", 0.5)], "abort")),
    "cut off": Reply(raw=b'{"choices": [{"message"'),
    "proxy": Reply(raw=b"<html>Bad gateway</html>", status=502),
}


@pytest.mark.parametrize("reply", TEMPORARY.values(), ids=TEMPORARY.keys())
def test_what_may_pass_is_tried_again(reply):
    with chat_server(in_turn(reply, GOOD)) as server:
        assert client_of(server).ask(BODY).text == "yes"
        assert len(server.bodies) == 2


def test_a_server_that_comes_back_is_asked_again_on_the_same_port():
    first = ChatServer(lambda body: GOOD)
    client = client_of(first)
    assert client.ask(BODY).text == "yes"
    first.close()
    second = ChatServer(in_turn(Reply(drop=True), GOOD), port=first.port)
    try:
        assert client.ask(BODY).text == "yes"
    finally:
        second.close()


@pytest.mark.parametrize(("kind", "attempts"), [("crashed", 4), ("cut off", 4), ("shut down", 4)])
def test_what_the_request_itself_may_cause_is_tried_four_times(kind, attempts, monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.chat_client._LONGEST_PAUSE", 0.01)
    with chat_server(in_turn(TEMPORARY[kind])) as server:
        with pytest.raises(ServerError, match=server.url):
            client_of(server).ask(BODY)
        assert len(server.bodies) == attempts


def test_patience_ends_and_the_next_requests_get_none(monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.chat_client._LONGEST_PAUSE", 0.05)
    with chat_server(in_turn(TEMPORARY["starting"])) as server:
        client = client_of(server, patience=0.4)
        with pytest.raises(ServerError, match=r"the server is busy or starting \(503: loading\)"):
            client.ask(BODY)
        first = len(server.bodies)
        assert first > 1
        with pytest.raises(ServerError):
            client.ask(BODY)
        assert len(server.bodies) == first + 1, "no command may wait minutes for each of many files"
        server.answer = lambda body: GOOD
        assert client.ask(BODY).text == "yes"
        server.answer = in_turn(TEMPORARY["starting"], GOOD)
        assert client.ask(BODY).text == "yes", "patience is back once the server answers"


def test_a_stopped_client_does_not_wait():
    with chat_server(in_turn(TEMPORARY["starting"])) as server:
        client = client_of(server)
        client.stop()
        with pytest.raises(ServerError):
            client.ask(BODY)
        assert len(server.bodies) == 1


def test_a_slow_answer_is_an_error_that_names_the_setting(monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.chat_client._MAX_ATTEMPTS", 1)

    def slow(body):
        time.sleep(0.5)
        return GOOD

    with chat_server(slow) as server, pytest.raises(ServerError, match="set FINSCRIBE_SERVER_TIMEOUT to more seconds"):
        client_of(server, timeout=0.1).ask(BODY)


FINAL = {
    "token": (Reply({"error": "no"}, 401), r"refuses the token \(401\); set FINSCRIBE_SERVER_TOKEN"),
    "model": (
        Reply({"error": {"message": "The model `x` does not exist."}}, 404),
        f"404: The model `x` does not exist.; the server has {MODEL}; name one of them with --model",
    ),
    "too long": (
        Reply({"error": {"message": "max_tokens=4096 cannot be greater than max_model_len=1024."}}, 400),
        r"is too long for the server \(400: max_tokens=4096 .*--max-tokens.*--max-model-len",
    ),
    "too large": (Reply(raw=b"", status=413), r"too long for the server \(413: .*\).*FINSCRIBE_SERVER_MAX_PIXELS"),
    "picture": (
        Reply({"error": {"message": "Per-request mm_processor_kwargs are disabled"}}, 400),
        r"refuses the request \(400: Per-request mm_processor_kwargs are disabled\)",
    ),
}


@pytest.mark.parametrize(("reply", "message"), FINAL.values(), ids=FINAL.keys())
def test_what_cannot_pass_fails_at_once_and_says_what_to_do(reply, message):
    with chat_server(in_turn(reply)) as server:
        with pytest.raises(ServerError, match=f"{server.url}: .*{message}"):
            client_of(server).ask(BODY)
        assert len(server.bodies) == 1


def test_a_message_of_the_server_is_shown_without_the_images_it_repeats():
    long = "bad input data:image/png;base64," + "A" * 5000 + " at body " + "x" * 900
    with chat_server(in_turn(Reply({"detail": long}, 422))) as server, pytest.raises(ServerError) as error:
        client_of(server).ask(BODY)
    assert "bad input (image) at body xx" in str(error.value)
    assert len(str(error.value)) < 450


def test_the_token_is_sent_and_shown_nowhere():
    right, wrong = "w0rd", "an0ther"
    with chat_server(lambda body: GOOD, token=right) as server:
        assert client_of(server, token=right).ask(BODY).text == "yes"
        with pytest.raises(ServerError) as error:
            client_of(server, token=wrong).ask(BODY)
    assert right not in str(error.value)
    assert wrong not in str(error.value)


def test_a_wrong_address_fails_soon(monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.chat_client._START_PATIENCE", 0.0)
    server = ChatServer(lambda body: GOOD)
    server.close()
    with pytest.raises(ServerError, match=r"no server answers \(ConnectError: .*start one, such as `vllm serve"):
        ServerReader(ServerSettings(server.url))
