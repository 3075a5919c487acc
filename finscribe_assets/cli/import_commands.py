"""The command that takes real documents in: import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.errors import UserError

SHOWN = 15  # rows of each table; the report has them all


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("import")(import_)


def import_(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of real documents: PDFs or images, each with its truth as JSON, UBL or CII beside it, or "
            "embedded in the PDF (Factur-X, ZUGFeRD).",
            exists=True,
            file_okay=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Workspace to write; one of its own, outside of the folder.")],
    licence: Annotated[str, typer.Option(help="Terms under which these documents may be used; kept in the report.")],
    dpi: Annotated[int, typer.Option(min=72, max=300, help="Pixels an inch that PDFs are drawn at.")] = 144,
    locale: Annotated[
        str | None,
        typer.Option(
            help="Language and country, such as de_BE, of documents that tell none and whose seller's country "
            "has none here."
        ),
    ] = None,
) -> None:
    """Take real labelled documents in, for evaluation only: they stand in the split `real`, which training never reads.

    `documents.jsonl` is the ground truth that `evaluate` reads, `import-report.json` tells what became of every
    document: what was taken, what was not and why, what its truth holds that the schema or the page has not.
    """
    from finscribe_assets.documents.locales import is_known_locale
    from finscribe_assets.importing.folder_import import IMPORT_REPORT_FILE, import_folder

    if locale is not None and not is_known_locale(locale):
        raise UserError(f"--locale: {locale!r} is unknown; give one such as de_AT")
    with bar(None, "documents read") as advance:
        report = import_folder(folder, out, licence, dpi=dpi, locale=locale, on_document=advance)
    show(
        "not taken",
        [
            {
                "document": escape(record["name"]),
                "field": escape(problem["field"]),
                "because": escape(problem["reason"]),
            }
            for record in report.rejected
            for problem in record["problems"]
        ][:SHOWN],
    )
    show(
        "not mapped",
        [
            {"path": escape("/".join(path.split("/")[-2:])), "term": term, "documents": count}
            for (path, term), count in report.unmapped_terms.most_common(SHOWN)
        ],
    )
    show(
        "true, but not printed",
        [{"field": path, "values": count} for path, count in report.unprinted_fields.most_common(SHOWN)],
    )
    show(
        "rules that the truth breaks",
        [{"rule": rule, "documents": count} for rule, count in report.broken_rules.most_common()],
    )
    console.print(
        f"{report.document_count} documents found: {len(report.accepted)} taken with {report.pages} pages, "
        f"{len(report.rejected)} not taken; {len(report.ignored)} other files"
    )
    if report.unchecked_count:
        console.print(
            f"{report.unchecked_count} of them have no text layer to rely on: all their values count as printed"
        )
    console.print(f"Report: {out / IMPORT_REPORT_FILE}")
