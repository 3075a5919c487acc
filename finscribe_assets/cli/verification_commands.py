"""The command that reads pages with an independent OCR engine: verify-pages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.cli.synthesis_commands import Workspace, refuse_imported

if TYPE_CHECKING:
    from finscribe_assets.ocr.page_verification import Failure, PageReport, ReadingGroup

UNREAD_PRINTED = 30  # --output has all of them


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(verify_pages)


def verify_pages(
    workspace: Workspace,
    sample: Annotated[
        int, typer.Option(min=1, help="Number of documents, drawn at random; one takes about three seconds.")
    ] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of that sample.")] = 0,
    output: Annotated[
        Path | None, typer.Option(help="Also write the report, with every failure, as JSON.", dir_okay=False)
    ] = None,
    crops: Annotated[
        Path | None,
        typer.Option(help="Also write a picture of each failure into this folder, and index.html.", file_okay=False),
    ] = None,
    as_rendered: Annotated[
        bool, typer.Option("--as-rendered", help="Read the stored pages, with their damage, instead of clean ones.")
    ] = False,
    as_model: Annotated[
        bool,
        typer.Option(
            "--as-model",
            help="Read the stored pages as a page-level model sees them, scaled to its pixel budget, and of these only "
            "the values that pairs of whole pages ask.",
        ),
    ] = False,
    max_pixels: Annotated[
        int,
        typer.Option(
            min=28 * 28,
            help="With --as-model: pixels to which the model's processor reduces larger images; PaddleOCR-VL has "
            "2822400.",
        ),
    ] = 1_003_520,
    dpi: Annotated[int, typer.Option(min=72, max=300, help="Resolution of clean pages, in dots per inch.")] = 144,
    threads: Annotated[int, typer.Option(min=1, help="Number of threads.")] = 1,
) -> None:
    """Read every field's box with an independent OCR engine, to prove that layouts and boxes are right.

    Documents are rendered again without damage. The proof passes when 98 % of the fields in Latin script are read with
    a similarity of at least 0.9 to the printed text; if not, the exit status is 1. Chinese and Japanese are read but do
    not count; Arabic is only counted.

    With --as-rendered the result shows what damage costs a reader; values marked invisible are left out. With
    --as-model it shows whether whole-page answers can be read after the model's own resize.
    """
    from finscribe_assets.files import write_bytes, write_text
    from finscribe_assets.instructions.visible_values import VisibleDocument
    from finscribe_assets.ocr.failure_pictures import failure_picture, failures_html, picture_file_name
    from finscribe_assets.ocr.page_verification import VerificationTally, read_fields
    from finscribe_assets.ocr.rapidocr_engine import RapidOcrReader
    from finscribe_assets.rendering.model_resize import PixelBudget, as_model_sees
    from finscribe_assets.rendering.page_sampling import clean_pages, sample_documents, stored_pages

    refuse_imported(workspace)
    reader = RapidOcrReader(threads)
    documents = sample_documents(workspace / "documents", sample, seed)
    stored = as_rendered or as_model
    pages = stored_pages(documents, workspace / "images") if stored else clean_pages(documents, dpi)
    budget, too_small = PixelBudget(max_pixels=max_pixels), 0
    tally = VerificationTally()
    pictures: list[tuple[str, Failure]] = []
    began = time.monotonic()
    with bar(len(documents), "documents read") as advance:
        for drawn, rendered in pages:
            asked = None
            if as_model:
                visible = VisibleDocument(drawn, rendered, budget)
                asked, too_small = visible.values, too_small + len(visible.too_small)
                rendered = as_model_sees(rendered, budget)  # noqa: PLW2901
            reading = read_fields(drawn, rendered, reader, asked)
            if crops:
                for failure in reading.failures:
                    name = picture_file_name(len(pictures) + 1, failure) if failure.places else ""
                    if name:
                        write_bytes(crops / name, failure_picture(rendered, failure.places))
                    pictures.append((name, failure))
            tally.add(reading)
            advance(1)
    seconds = time.monotonic() - began
    report = tally.report("as the model sees them" if as_model else "stored" if as_rendered else "clean")
    if crops:
        write_text(crops / "index.html", failures_html(pictures))
    if output:
        write_text(output, report.model_dump_json(indent=2) + "\n")
    _show_report(report, seconds)
    if as_model:
        console.print(f"{too_small} values are printed too small for the model; no pair of whole pages asks them")
    for place in (output, crops / "index.html" if crops else None):
        if place:
            console.print(f"Look at {place}")
    if not report.passed:
        raise typer.Exit(1)


def _show_report(report: PageReport, seconds: float) -> None:
    """Print the groups, the failures and the verdict of a report."""
    for name, groups in (
        ("layout", report.by_layout),
        ("locale", report.by_locale),
        ("font", report.by_font),
        ("engine", report.by_engine),
        ("script, not judged", report.apart),
    ):
        show(f"by {name}", _rows(name.split(",")[0], groups))
    show(
        "not read",
        [
            {"fields": count, "because": f"the reader has no {script} letters"}
            for script, count in report.unread.items()
        ],
    )
    show("failures", [_failure_row(failure) for failure in report.failures[:UNREAD_PRINTED]])
    if len(report.failures) > UNREAD_PRINTED:
        console.print(f"… and {len(report.failures) - UNREAD_PRINTED} more")
    if report.invisible:
        console.print(f"{report.invisible} fields left out: destroyed by damage")
    judged = report.judged
    console.print(
        f"{judged.fields} fields of {report.documents} documents judged, {judged.found} found "
        f"({judged.share:.2%}; {report.required_share:.0%} are needed), mean similarity "
        f"{judged.similarity:.4f}, {seconds / judged.fields:.3f} s for each field"
    )


def _rows(name: str, groups: dict[str, ReadingGroup]) -> list[dict[str, Any]]:
    return [
        {name: key, "fields": group.fields, "found": f"{group.share:.2%}", "similarity": group.similarity}
        for key, group in groups.items()
    ]


def _failure_row(failure: Failure) -> dict[str, Any]:
    # Texts of a page may look like the terminal's markup.
    first = failure.places[0] if failure.places else None
    return {
        "document": escape(failure.document),
        "field": escape(failure.field),
        "page": str(first.page) if first else "no box",
        "box": " ".join(str(round(side)) for side in first.box) if first else "",
        "printed": escape(failure.printed),
        "read": escape(failure.read),
        "similarity": failure.similarity,
    }
