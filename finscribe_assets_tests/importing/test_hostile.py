"""Each hostile file is one rejected document with a reason, and does not affect the documents beside it."""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from finscribe_assets.documents.ubl import to_ubl
from finscribe_assets.files import read_json
from finscribe_assets.importing.folder_import import import_folder
from finscribe_assets.importing.invoice_xml import parse_invoice_xml
from finscribe_assets.importing.truth_files import truth_from_json
from finscribe_assets.opening import page_reader
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError
from finscribe_assets.opening.pdf_files import read_pdf
from finscribe_assets_tests.documents.bills import bill
from finscribe_assets_tests.importing.writers import blank, encrypted, pdf, with_embedded, with_script_and_stamp

BOMB = b"""<?xml version="1.0"?><!DOCTYPE Invoice [<!ENTITY a "aaaaaaaaaa">%s]>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">&j;</Invoice>""" % b"".join(
    b'<!ENTITY %c "%s">' % (98 + step, b"&%c;" % (97 + step) * 10) for step in range(9)
)
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE Invoice [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">&a;</Invoice>"""


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes whose header states a size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def rejects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("hostile")
    folder, label = root / "in", json.dumps(bill().to_json()).encode()
    folder.mkdir()
    page = pdf("page")
    pages = {
        "bomb.pdf": page,
        "outside.pdf": page,
        "deep.pdf": page,
        "not-xml.pdf": page,
        "other.pdf": page,
        "long.pdf": blank(10_000),
        "wide.pdf": blank(1, 14_000, 14_000),
        "locked.pdf": encrypted(page, "secret"),
        "owned.pdf": encrypted(page, ""),
        "empty.pdf": b"",
        "truncated.pdf": page[: len(page) // 2],
        "text.pdf": b"%PDF-1.7 nothing %%EOF",
        "huge.png": png_header(60_000, 60_000),
        "vast.png": png_header(2_000_000, 2_000_000),
        "torn.png": png_header(100, 100),
        "named.png": page,
        "bulky.png": png_header(1, 1) + bytes(9 << 20),
    }
    truths = {
        "bomb.xml": BOMB,
        "outside.xml": OUTSIDE,
        "deep.json": b"[" * 100_000,
        "not-xml.xml": b"\x00\x01",
        "other.xml": b"<html/>",
    }
    for name, content in pages.items():
        (folder / name).write_bytes(content)
    for name, content in truths.items():
        (folder / name).write_bytes(content)
    for name in pages:
        if not {f"{Path(name).stem}.xml", f"{Path(name).stem}.json"} & set(truths):
            (folder / f"{Path(name).stem}.json").write_bytes(label)
    (folder / "no-xml.pdf").write_bytes(with_embedded(page, virus_exe=b"MZ"))
    (folder / "evil.pdf").write_bytes(with_embedded(page, factur__x_xml=BOMB))
    (folder / "fat.pdf").write_bytes(with_embedded(page, factur__x_xml=b" " * (3 << 20)))
    (root / "secret.json").write_bytes(label)
    (folder / "escape.json").symlink_to(root / "secret.json")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "outward").symlink_to(root)
    os.mkfifo(folder / "pipe.json")
    # Valid documents among them; one has a link that stays inside the folder.
    (folder / "good.pdf").write_bytes(page)
    (folder / "good.json").write_bytes(label)
    Image.new("L", (30, 30), 255).save(folder / "linked.png")
    (folder / "linked.json").symlink_to(folder / "good.json")
    out = root / "out"
    report = import_folder(folder, out, "own", limits=InputLimits(truth_bytes=1 << 20, page_file_bytes=8 << 20))
    written = read_json(out / "import-report.json")
    accepted = ["good", "linked", "owned"]  # a password that the owner alone needs locks nothing
    assert [record["name"] for record in written["accepted"]] == accepted
    # It is read by its content, which is a PDF's, and is no fault of the folder.
    assert [(record["name"], record["copy_of"]) for record in written["copies"]] == [("named", "good")]
    assert written["counts"]["found"] == report.document_count == len(written["rejected"]) + len(accepted) + 1
    return {record["name"]: record["problems"][0]["reason"] for record in written["rejected"]}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bomb", "entity amplification"),
        ("outside", "document type declaration"),
        ("deep", "not JSON"),
        ("not-xml", "not readable as XML"),
        ("other", "its root element is html"),
        ("long", "10,000 pages; at most 50"),
        ("wide", "28,000 × 28,000 pixels"),
        ("locked", "needs a password to open"),
        ("truncated", "its end is missing"),
        ("empty", "is empty"),
        ("text", "cannot be opened"),
        ("huge", "pixels; at most 40,000,000"),
        ("vast", "pixels; at most 40,000,000"),
        ("torn", "damaged"),
        ("bulky", "larger than is read"),
        ("no-xml", "among its 0 embedded XML files"),
        ("evil", "entity amplification"),
        ("fat", "at most 1,048,576 are read"),
        ("escape.json", "leads out of the folder"),
        ("loop.png", "leads nowhere"),
        ("outward", "link to a folder"),
        ("pipe.json", "not a regular file"),
    ],
)
def test_a_hostile_file_is_rejected_with_its_reason(rejects, name, reason):
    assert reason in rejects[name]


def test_nothing_else_is_rejected(rejects):
    assert len(rejects) == 22


def test_names_never_become_paths(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    names = [b"..%2f..%2fetc", b"-rf", b"a\nb", b"\xff\xfe", b"[red]x", b"C:\\temp", b"..", b"\xe2\x80\xaeabc"]
    for name in names:
        for suffix, content in ((b".png", None), (b".json", json.dumps(bill().to_json()).encode())):
            path = os.fsencode(folder) + b"/" + name + suffix
            if content is None:
                Image.new("L", (9 + names.index(name), 9), 255).save(os.fsdecode(path), format="PNG")
            else:
                Path(os.fsdecode(path)).write_bytes(content)
    import_folder(folder, tmp_path / "out", "own")
    report = read_json(tmp_path / "out" / "import-report.json")
    assert len(report["accepted"]) == len(names)
    for record in report["accepted"]:
        assert record["id"].isascii()
        assert set(record["id"]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
        assert record["name"].isprintable()


def test_a_copy_is_left_out_and_counted_apart_from_rejects(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        Image.new("L", (9, 9), 255).save(tmp_path / "in" / f"{name}.png")
        (tmp_path / "in" / f"{name}.json").write_text(json.dumps(bill().to_json()))
    report = import_folder(tmp_path / "in", tmp_path / "out", "own")
    assert [(record["name"], record["copy_of"]) for record in report.copies] == [("b", "a")]
    assert (len(report.accepted), report.rejected, report.document_count) == (1, [], 2)
    assert read_json(tmp_path / "out" / "import-report.json")["counts"]["copies"] == 1


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"totals": {"amount_due": "1e999999999"}}, "totals.amount_due (BT-115)", "is not a plain decimal"),
        ({"totals": {"amount_due": "NaN"}}, "totals.amount_due (BT-115)", "is not a plain decimal"),
        ({"totals": {"amount_due": True}}, "totals.amount_due (BT-115)", "is not a plain decimal"),
        ({"document_number": "a\u0000b"}, "document_number (BT-1)", "characters that cannot be printed"),
        ({"document_number": "\ud800"}, "document_number (BT-1)", "characters that cannot be printed"),
        ({"locale": "../../etc/passwd"}, "locale", "is unknown; use one such as de_AT"),
        ({"surprise": 1}, "surprise", "the schema has no such field"),
        (
            {"lines": [{"item_name": "x", "quantity": "1", "unit_code": "H87"}] * 2_001},
            "lines",
            "2001 members; at most 2000 are read",
        ),
    ],
)
def test_hostile_ground_truth_is_rejected(change, field, reason):
    document = bill().to_json()
    for name, value in change.items():
        document[name] = document[name] | value if isinstance(value, dict) else value
    with pytest.raises(RejectedDocumentError) as refused:
        truth_from_json(json.dumps(document).encode(), None, InputLimits())
    (problem,) = refused.value.problems
    assert problem.field == field
    assert reason in problem.reason


def test_a_value_of_several_lines_becomes_one_line():
    document = bill().to_json() | {"payment_terms": "30 Tage\u2028netto\x85\n bar"}
    truth = truth_from_json(json.dumps(document).encode(), None, InputLimits())
    assert truth.document.payment_terms == "30 Tage netto bar"


def test_elements_of_another_namespace_are_not_read_as_terms():
    foreign = to_ubl(bill()).replace(b"<cbc:ID>RE-2024-0815</cbc:ID>", b'<x:ID xmlns:x="urn:x">FALSE</x:ID>')
    root = parse_invoice_xml(foreign)[1]
    assert root.find("ID") is None


def test_a_reader_that_dies_or_hangs_costs_one_document(tmp_path, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, level in (("a", 1), ("b", 2)):
        Image.new("L", (9, 9), level).save(folder / f"{name}.png")
        (folder / f"{name}.json").write_text(json.dumps(bill().to_json()))
    monkeypatch.setattr(page_reader, "_serve", _serve_badly)
    monkeypatch.setattr(page_reader, "_START_SECONDS", 8.0)
    report = import_folder(folder, tmp_path / "out", "own", limits=InputLimits(seconds=1.0))
    assert [record["problems"][0]["reason"] for record in report.rejected] == [
        "the process that read its pages died; the file may be damaged or hostile",
        "reading its pages took more than 1 seconds",
    ]


def _serve_badly(requests, memory_bytes):
    if Image.open(BytesIO(requests.recv().contents[0])).getpixel((0, 0)) == 1:
        os._exit(11)
    time.sleep(600)


def test_a_script_of_a_pdf_has_no_effect_and_a_stamp_is_on_the_page():
    """PDFium gets no platform for scripts; what a viewer shows above the page's content is part of the page."""
    content = read_pdf(with_script_and_stamp(blank(1, 200, 400)), 72, InputLimits())
    pixels = content.pages[0].grey()
    assert (pixels[205:] == 0).all()
    assert (pixels[:195] == 255).all()
