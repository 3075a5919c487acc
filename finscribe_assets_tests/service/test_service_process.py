"""The service as a process: its end by a signal, slow clients, its page in a browser. These tests take minutes."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from PIL import Image, ImageDraw, ImageFont

pytestmark = pytest.mark.slow

TITLE = "<img src=x onerror=document.title='broken'>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def page_png(number: str = "RE-2024-17") -> bytes:
    """Return a page with a few labelled values, one of which looks like HTML."""
    image = Image.new("L", (900, 700), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(30)
    lines = ["Invoice", f"Invoice number: {number}", "Invoice date: 2024-05-06", "Order number: <b>4711</b>"]
    lines += ["Net total 100.00", "VAT 19.00", "Amount due EUR 119.00"]
    for row, text in enumerate(lines):
        draw.text((60, 60 + row * 80), text, "black", font=font)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A running `finscribe serve`."""

    def __init__(self, log: Path, *options: str) -> None:
        port = free_port()
        self.url, self.log = f"http://127.0.0.1:{port}", log
        command = [sys.executable, "-c", "from finscribe_assets.cli import app; app()", "serve", "--port", str(port)]
        with log.open("w") as stream:
            self.process = subprocess.Popen(
                [*command, *options],
                stdout=subprocess.DEVNULL,
                stderr=stream,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        while self.process.poll() is None:
            try:
                if httpx2.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.3)
        raise AssertionError(log.read_text())

    def post(self, content: bytes, name: str = "page.png") -> httpx2.Response:
        return httpx2.post(f"{self.url}/v1/documents", files={"file": (name, content)}, timeout=600)

    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    running = Service(tmp_path / "service.log")
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.wait()


def test_accepted_documents_are_finished_after_sigterm_and_new_ones_are_told_to_come_again(service):
    with ThreadPoolExecutor(3) as pool:
        accepted = [pool.submit(service.post, page_png(f"RE-{number}")) for number in range(3)]
        while "finscribe_documents_accepted 3.0" not in httpx2.get(f"{service.url}/metrics").text:
            time.sleep(0.05)
        service.process.send_signal(signal.SIGTERM)
        while httpx2.get(f"{service.url}/readyz").status_code != 503:
            time.sleep(0.05)
        assert service.post(page_png()).status_code == 503
        answers = [answer.result(600) for answer in accepted]
    assert [answer.status_code for answer in answers] == [200] * 3
    numbers = [value["text"] for answer in answers for value in answer.json()["values"] if "number" in value["path"]]
    assert {f"RE-{number}" for number in range(3)} <= set(numbers)
    service.process.wait(60)
    events = service.events()
    assert [event["event"] for event in events].count("document") == 3
    assert "RE-1" not in service.log.read_text()  # no contents of documents


def test_a_client_that_sends_slowly_loses_its_place_and_no_other_does(tmp_path, service):
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        head = f"POST /v1/documents HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 5000\r\n"
        slow.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n")
        assert service.post(page_png()).status_code == 200
        slow.settimeout(90)
        assert b" 408 " in slow.recv(1000)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_shows_values_and_boxes_in_a_browser(service, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    file = tmp_path / f"{TITLE.replace('/', '')}.png"
    file.write_bytes(page_png())
    errors: list[str] = []
    requested: list[str] = []
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: requested.append(request.url))
        page.goto(service.url)
        page.set_input_files("#file", file)
        page.wait_for_selector("#result:not([hidden])", timeout=300_000)
        rows = page.locator("#rows tr")
        values = dict(zip(rows.locator("td:nth-child(1)").all_inner_texts(), range(rows.count()), strict=True))
        row = rows.nth(values["document_number"])
        assert "RE-2024-17" in row.inner_text()
        row.hover()
        lit = page.locator("rect.lit")
        assert lit.count() == 1
        box, picture = lit.bounding_box(), page.locator(".page img").bounding_box()
        # The value is printed in the second line, right of its label.
        assert box["y"] + box["height"] / 2 - picture["y"] == pytest.approx(158 / 700 * picture["height"], abs=12)
        assert box["x"] > picture["x"] + 0.2 * picture["width"]
        page.mouse.move(0, 0)
        assert lit.count() == 0
        page.locator("rect").first.hover()
        assert page.locator("tr.lit").count() == 1
        # Names and values of documents are text: nothing of them becomes an element or runs.
        assert page.title() == "FinScribe"
        assert page.locator("#summary img, #rows img, #rows b").count() == 0
        page.goto(f"{service.url}/docs")
        page.wait_for_selector(".opblock-post", timeout=60_000)
        browser.close()
    assert errors == []
    assert {url.split("/")[2] for url in requested if not url.startswith("data:")} == {
        service.url.removeprefix("http://")
    }
