"""Many concurrent uploads, hostile ones among them, to a running `finscribe serve`: is each answered exactly once?

    .venv/bin/python benchmarks/service_load.py --uploads 200 --clients 200 --rounds 3

It starts the service with the embedded base, sends in each round the same mix from as many clients at once, and sends a
document again when it is answered with 429. The table has the answers by kind of file, and the memory of the service
and its processes after each round.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import httpx
import psutil
from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from weasyprint import HTML

EXPECTED = {
    "page": {200},
    "pdf": {200},
    "three pages": {200},
    "truncated": {422},
    "huge dimensions": {422},
    "40 megapixels, few rows": {200, 422},
    "bomb in a PDF": {422},
    "encrypted": {422},
    "many pages": {422},
    "empty": {422},
    "text": {415},
    "zip": {415},
    "random bytes": {415},
    "damaged PDF": {422},
    "too large": {413},
}
Answer = tuple[str, int, int, float, bool]
SHARES = {"page": 4, "pdf": 2, "three pages": 1}  # of every 24 uploads; the hostile kinds share the others


def page(number: int) -> Image.Image:
    image = Image.new("L", (420, 300), "white")
    draw = ImageDraw.Draw(image)
    for row, text in enumerate((f"Invoice {number}", "Date 2024-05-06", "Net 100.00", "VAT 19.00", "Total EUR 119.00")):
        draw.text((20, 20 + row * 40), text, "black", font_size=22)
    return image


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def pdf(number: int, pages: int = 1) -> bytes:
    sheet = f"<h2>Invoice {number}</h2><p>Net 100.00<p>VAT 19.00<p>Total EUR 119.00"
    style = "<style>@page {size: 100mm 80mm; margin: 8mm} h2 {break-before: page}</style>"
    return HTML(string=style + sheet * pages).write_pdf()


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def encrypted(number: int) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(number))))
    writer.encrypt("secret", algorithm="AES-256")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def pdf_bomb() -> bytes:
    """A page whose picture of 30,000 × 30,000 pixels takes 900 MB once it is unpacked."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(30_000_000)) for _ in range(30)) + packer.flush()
    head = "<< /Type /XObject /Subtype /Image /Width 30000 /Height 30000 /BitsPerComponent 8 /ColorSpace /DeviceGray "
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 20000 20000] /Contents 4 0 R "
        b"/Resources << /XObject << /I 5 0 R >> >> >>",
        b"<< /Length 31 >>\nstream\nq 20000 0 0 20000 0 0 cm /I Do Q\nendstream",
        f"{head}/Filter /FlateDecode /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream",
    ]
    out, offsets = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + part + b"\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    start = len(out)
    trailer = f"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return out + f"xref\n0 6\n0000000000 65535 f \n{table}{trailer}".encode()


def file_of(kind: str, number: int, bomb: bytes, rng: random.Random) -> bytes:  # noqa: PLR0912
    match kind:
        case "page":
            return encoded(page(number), rng.choice(["PNG", "JPEG", "TIFF"]))
        case "pdf":
            return pdf(number)
        case "three pages":
            return pdf(number, 3)
        case "truncated":
            return encoded(page(number), "JPEG")[:-1500]
        case "huge dimensions":
            return png(60_000, 60_000, zlib.compress(b"\0"))
        case "40 megapixels, few rows":
            return png(6_300, 6_300, zlib.compress(bytes(6_301 * 1_000)))  # rows are missing
        case "bomb in a PDF":
            return bomb
        case "encrypted":
            return encrypted(number)
        case "many pages":
            return pdf(number, 25)
        case "empty":
            return b""
        case "text":
            return f"Invoice {number}".encode()
        case "zip":
            return b"PK\3\4" + rng.randbytes(2_000)
        case "random bytes":
            return b"\0" + rng.randbytes(5_000)
        case "damaged PDF":
            whole = pdf(number)
            return whole[: len(whole) // 2]
        case _:
            return bytes(22 << 20)


def kinds(uploads: int, rng: random.Random) -> list[str]:
    hostile = [kind for kind in EXPECTED if kind not in SHARES]
    good = [kind for kind, share in SHARES.items() for _ in range(share * uploads // 24)]
    mixed = good + [hostile[index % len(hostile)] for index in range(uploads - len(good))]
    rng.shuffle(mixed)
    return mixed


async def send(client: httpx.AsyncClient, kind: str, content: bytes, number: int) -> Answer:
    """Return the kind, the status of the final answer, how often it was 429 before, the seconds, and if it is right."""
    began, refused = time.monotonic(), 0
    while True:
        answer = await client.post("/v1/documents", files={"file": (f"{number}.bin", content)})
        if answer.status_code != 429:
            break
        refused += 1
        await asyncio.sleep(float(answer.headers["retry-after"]) * (0.5 + random.random()))
    is_right = answer.status_code in EXPECTED[kind]
    if answer.status_code == 200:  # the answer is this document's, not another one's
        is_right = is_right and answer.json()["file"] == f"{number}.bin"
    return kind, answer.status_code, refused, time.monotonic() - began, is_right


async def one_round(
    url: str, files: list[tuple[str, bytes]]
) -> list[tuple[str, int, int, float, bool] | BaseException]:
    limits = httpx.Limits(max_connections=len(files), max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, timeout=1800, limits=limits) as client:
        sent = (send(client, kind, content, number) for number, (kind, content) in enumerate(files))
        return await asyncio.gather(*sent, return_exceptions=True)


def memory(service: psutil.Process) -> dict[str, float]:
    """Return resident memory in MiB: of the service, and of the processes that open files."""
    children = [child.memory_info().rss for child in service.children(recursive=True)]
    return {
        "service_mib": round(service.memory_info().rss / 2**20, 1),
        "openers_mib": round(sum(children) / 2**20, 1),
        "processes": 1 + len(children),
        "files_open": service.num_fds(),
        "threads": service.num_threads(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=8642)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=1200, help="the service's limit for a document")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the service ends with this script
    url, rng = f"http://127.0.0.1:{options.port}", random.Random(7)
    bomb = pdf_bomb()
    mix = kinds(options.uploads, rng)
    files = [(kind, file_of(kind, number, bomb, rng)) for number, kind in enumerate(mix)]
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        command = ["serve", "--base", "embedded", "--port", str(options.port), "--workers", str(options.workers)]
        command += ["--seconds", str(options.seconds)]
        service = subprocess.Popen(
            [sys.executable, "-c", "from finscribe_assets.cli import app; app()", *command],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            wait_until_ready(url, service)
            process = psutil.Process(service.pid)
            print(json.dumps({"round": 0, **memory(process)}), flush=True)
            for number in range(1, options.rounds + 1):
                report(number, asyncio.run(one_round(url, files)), process)
        finally:
            service.terminate()
            code = service.wait(60)
        faults = re.findall(r'"event": "(?:reading_failed|worker_ended)".*', Path(log.name).read_text())
        print(json.dumps({"exit_status": code, "faults_in_the_log": len(faults), "first": faults[:1]}))


def wait_until_ready(url: str, service: subprocess.Popen[bytes]) -> None:
    while service.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise SystemExit("the service ended before it was ready")


def report(number: int, answers: list, process: psutil.Process) -> None:
    lost = [repr(answer) for answer in answers if isinstance(answer, BaseException)]
    got = [answer for answer in answers if not isinstance(answer, BaseException)]
    by_kind: dict[str, Counter[int]] = {}
    for kind, status, *_ in got:
        by_kind.setdefault(kind, Counter())[status] += 1
    seconds = sorted(answer[3] for answer in got)
    row = {
        "round": number,
        "answers": len(got),
        "lost": len(lost),
        "lost_first": lost[:2],
        "unexpected": sum(not answer[4] for answer in got),
        "sent_again_after_429": sum(answer[2] for answer in got),
        "seconds_median": round(seconds[len(seconds) // 2], 1),
        "seconds_longest": round(seconds[-1], 1),
        **memory(process),
        "by_kind": {kind: dict(counts) for kind, counts in sorted(by_kind.items())},
    }
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
