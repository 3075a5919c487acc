"""Neither engine reads files or the network: values are printed as text, and requests of the HTML are refused."""

import http.server
import re
import threading

import pytest
from weasyprint.urls import FatalURLFetchingError

from finscribe_assets.documents.drawn_document import Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.rendering import plutoprint_engine, weasyprint_engine
from finscribe_assets.rendering.mark_boxes import lay_out
from finscribe_assets.rendering.page_html import to_markup

DRAWN = draw_document(seed_plan("batch-000", 10, 3), 0)
PAINT = {Engine.WEASYPRINT: weasyprint_engine.paint, Engine.PLUTOPRINT: plutoprint_engine.paint}


@pytest.fixture
def network_requests():
    """Run a server on loopback; yield its address and the list of paths requested from it."""
    requested = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requested.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", requested
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize(
    "attack",
    [
        '<img src="file:///etc/passwd"/>',
        '<img src="{server}/a.png"/>',
        "<script>alert(1)</script>",
        "]]>&#x26;&amp;",
        '<style>@import url("{server}/x.css")</style>',
        '</a></span><div style="background:url({server}/b.png)">',
        '<link rel="stylesheet" href="{server}/"/>',
        '<!ENTITY x SYSTEM "file:///etc/passwd">&x;',
    ],
)
def test_markup_in_a_value_is_printed_as_text(attack, engine, network_requests):
    server, requested = network_requests
    attack = attack.replace("{server}", server)
    poisoned = DRAWN.model_copy(update={"printed": DRAWN.printed | {"seller.name": attack}})
    shown = next(mark for mark in lay_out(to_markup(poisoned, engine), 100).marks if mark.name == "seller.name")
    assert "".join(shown.text.split()) == "".join(attack.split())
    assert requested == []


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize(
    "reference",
    [
        '<img src="{url}"/>',
        '<link rel="stylesheet" href="{url}"/>',
        '<style>@import url("{url}");</style>',
        '<div style="background: url({url}); height: 99px">x</div>',
        "<style>@font-face {{ font-family: Evil; src: url({url}) }} p {{ font-family: Evil }}</style><p>x</p>",
    ],
)
def test_requests_of_a_page_are_refused(reference, engine, network_requests):
    server, requested = network_requests
    for url in (f"{server}/black.png", "file:///etc/passwd"):
        html = f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{reference.format(url=url)}</body></html>'
        with pytest.raises((PermissionError, FatalURLFetchingError), match=re.escape(url)):
            PAINT[engine](html, 50, None, in_colour=False)
        assert requested == []
