"""How fast pages are made, in CPU seconds a document, beside the plain ways; the same documents, each way in turn.

- naive: WeasyPrint's `write_pdf()`, then pdf2image (Poppler), then PNG: pixels alone, no boxes
- weasyprint, clean (the quick engine): ours, with the boxes of all fields, cells, rows, regions and tables, and a PNG
- grey: the quick engine, pages without colours
- damaged, grey damaged: the quick engine with the usual recipe's light damage, and a JPEG
- photo, grey photo: the quick engine, each page photographed on a desk under a lamp
- chromium: a headless browser's screenshot, and `getClientRects()` of every mark (with --chromium)

Each process that a way starts is counted. Ratios are to the naive way.

    python benchmarks/rendering.py
    python benchmarks/rendering.py --chromium /usr/bin/chromium
    python benchmarks/rendering.py --flat 2000      # and whether memory stays flat
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import psutil
from pdf2image import convert_from_bytes
from weasyprint import HTML

from finscribe_assets.documents.drawn_document import Colours, DrawnDocument, Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan, seed_plan
from finscribe_assets.rendering.page_html import fits_content, to_markup
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.shards import LocalShardPool, reduce_garbage_collection

DPI = 144
SHARD = 100  # documents
RECTANGLES = """() => Array.from(document.querySelectorAll('[data-mark]'), one => [one.dataset.mark,
    Array.from(one.getClientRects(), box => [box.x, box.y, box.width, box.height])])"""


def as_drawn(
    drawn: DrawnDocument,
    engine: Engine,
    colours: Colours = Colours.COLOUR,
    degradation: float = 0.0,
    damage: dict[str, float] | None = None,
) -> DrawnDocument:
    """Return a document for an engine, with other colours and damage."""
    changed = {"engine": engine, "colours": colours, "damage": damage or {}, "degradation": degradation}
    return drawn.model_copy(update={"presentation": drawn.presentation.model_copy(update=changed)})


def naive(drawn: DrawnDocument) -> None:
    """Make PNGs as most people do."""
    pdf = HTML(string=to_markup(drawn, Engine.WEASYPRINT).html).write_pdf()
    for image in convert_from_bytes(pdf, dpi=DPI):
        image.save(io.BytesIO(), "PNG")


def browser(path: str, stack: ExitStack) -> Callable[[DrawnDocument], None]:
    """Return a way that asks a headless Chromium for a picture of the whole document and where its marks are."""
    from playwright.sync_api import sync_playwright

    play = stack.enter_context(sync_playwright())
    chromium = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
    stack.callback(chromium.close)
    page = chromium.new_page(device_scale_factor=DPI / 96)

    def shoot(drawn: DrawnDocument) -> None:
        page.set_viewport_size({"width": 400 if fits_content(drawn) else 794, "height": 1123})
        page.set_content(to_markup(drawn, Engine.WEASYPRINT).html)
        page.screenshot(full_page=True)
        page.evaluate(RECTANGLES)

    return shoot


def quick(
    colours: Colours, degradation: float = 0.0, damage: dict[str, float] | None = None
) -> Callable[[DrawnDocument], RenderedDocument]:
    """Return a way that renders with the quick engine."""
    return lambda drawn: render(as_drawn(drawn, Engine.PLUTOPRINT, colours, degradation, damage), DPI)


def render_shard(job: tuple[Plan, int]) -> tuple[int, int, float]:
    """Render a shard's documents; return its start, the memory in MiB that is this process's alone, and CPU seconds."""
    plan, start = job
    before = time.process_time()
    for index in range(start, start + SHARD):
        render(draw_document(plan, index), DPI)
    return start, psutil.Process().memory_full_info().uss >> 20, time.process_time() - before


def timed(way: Callable[[DrawnDocument], Any], drawn: DrawnDocument, *, started: bool) -> tuple[Any, float]:
    """Return what a way makes and its CPU seconds: this process's, and those of processes that it started."""
    # Looking for processes takes milliseconds, which are no way's: only where some are left running.
    others = _seconds_of_children() if started else 0.0
    ended, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
    made = way(drawn)
    own, after = time.process_time() - own, resource.getrusage(resource.RUSAGE_CHILDREN)
    children = after.ru_utime + after.ru_stime - ended.ru_utime - ended.ru_stime
    return made, own + children + (_seconds_of_children() - others if started else 0.0)


def _seconds_of_children() -> float:
    spent = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


def main() -> None:
    """Print CPU seconds a document of each way, ratios to the naive one, and memory on the way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=60, help="documents (default 60)")
    parser.add_argument("--chromium", help="path of a Chromium to measure too")
    parser.add_argument("--flat", type=int, default=0, help="then render so many more and watch the memory")
    arguments = parser.parse_args()
    reduce_garbage_collection()  # as worker processes do, and to the good of each way
    plan = seed_plan("batch-000", max(arguments.documents, arguments.flat, 1), 1)
    with ExitStack() as stack:
        ways: dict[str, Callable[[DrawnDocument], Any]] = {
            "naive": naive,
            "weasyprint": lambda drawn: render(as_drawn(drawn, Engine.WEASYPRINT), DPI),
        }
        for prefix, colours in (("", Colours.COLOUR), ("grey ", Colours.GREY)):
            ways |= {
                f"{prefix}clean": quick(colours),
                f"{prefix}damaged": quick(colours, degradation=0.3),
                f"{prefix}photo": quick(colours, damage={"photo": 0.6}),
            }
        if arguments.chromium:
            ways["chromium"] = browser(arguments.chromium, stack)
        spent = dict.fromkeys(ways, 0.0)
        pages = 0
        kilobytes = dict.fromkeys(ways, 0.0)
        for way in ways.values():  # fonts and templates are read before the clock runs
            way(draw_document(plan, 0))
        for index in range(arguments.documents):
            drawn = draw_document(plan, index)
            for name, way in ways.items():
                made, took = timed(way, drawn, started=name == "chromium")
                spent[name] += took
                if isinstance(made, RenderedDocument):
                    pages += len(made.pages) if name == "clean" else 0
                    kilobytes[name] += sum(len(page.image) for page in made.pages) / 1000
    report: dict[str, object] = {
        "documents": arguments.documents,
        "pages": pages,
        "CPU seconds a document": {name: round(whole / arguments.documents, 4) for name, whole in spent.items()},
        "times the naive way": {name: round(spent["naive"] / whole, 1) for name, whole in spent.items()},
        "kB a document": {name: round(whole / arguments.documents) for name, whole in kilobytes.items() if whole},
        "colour adds": {
            name: round(spent[name] / spent[f"grey {name}"] - 1, 2) for name in ("clean", "damaged", "photo")
        },
        "light damage adds": round(spent["damaged"] / spent["clean"] - 1, 2),
    }
    if arguments.flat:
        starts = range(0, arguments.flat, SHARD)
        made = sorted(LocalShardPool(1).run(render_shard, [(plan, start) for start in starts]))
        report["MiB of a worker's own after each shard"] = [own for _, own, _ in made]
        took = sum(spent for *_, spent in made)
        report["CPU seconds a document of the usual recipe"] = round(took / arguments.flat, 4)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
