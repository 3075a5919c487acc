"""The command that takes real documents in: import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.cli.evaluation_commands import Labelled, comma_separated
from finscribe_assets.cli.schema_option import SchemaName, mapping_given
from finscribe_assets.errors import UserError

ROWS_PRINTED = 15  # rows of each table; the report has them all


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("import")(import_)


def import_(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of real documents: PDFs or images, each with its ground truth as JSON, UBL or CII beside "
            "it, or "
            "embedded in the PDF (Factur-X, ZUGFeRD).",
            exists=True,
            file_okay=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Workspace to write; a new one, outside the folder.")],
    licence: Annotated[str, typer.Option(help="Terms under which these documents may be used; kept in the report.")],
    dpi: Annotated[
        int, typer.Option(min=72, max=300, help="Resolution that PDF pages are rasterised at, in dots per inch.")
    ] = 144,
    locale: Annotated[
        str | None,
        typer.Option(
            help="Locale, such as de_BE, of documents that state none and whose seller's country does not determine "
            "one."
        ),
    ] = None,
    unlabelled: Annotated[
        bool,
        typer.Option("--unlabelled", help="Also take documents without ground truth, to be read and corrected."),
    ] = False,
    schema: SchemaName = None,
    labelled: Labelled = None,
    upright: Annotated[bool, typer.Option(help="Turn pages upright and straighten them.")] = True,
    train: Annotated[
        bool,
        typer.Option(
            "--train",
            help="Mark corrected documents of training vendors (`review-import`) for `finscribe train --real`; they "
            "are no longer scored.",
        ),
    ] = False,
) -> None:
    """Import real labelled documents: they are in the split `real`, which training never reads.

    `documents.jsonl` is the ground truth that `evaluate` reads. `import-report.json` lists every document: whether it
    was accepted, why not, and which of its values the schema or the page lacks. If one was rejected, the exit status
    is 1.
    """
    from finscribe_assets.documents.locales import is_known_locale
    from finscribe_assets.importing.folder_import import IMPORT_REPORT_FILE, import_folder

    if locale is not None and not is_known_locale(locale):
        raise UserError(f"--locale: {locale!r} is unknown; give one such as de_AT")
    with bar(None, "documents read") as advance:
        report = import_folder(
            folder,
            out,
            licence,
            dpi=dpi,
            locale=locale,
            unlabelled=unlabelled,
            mapping=mapping_given(schema),
            labelled=comma_separated(labelled),
            upright=upright,
            train=train,
            on_document=advance,
        )
    show(
        "rejected",
        [
            {
                "document": escape(record["name"]),
                "field": escape(problem["field"]),
                "because": escape(problem["reason"]),
            }
            for record in report.rejected
            for problem in record["problems"]
        ][:ROWS_PRINTED],
    )
    show(
        "XML terms without a field in the schema",
        [
            {"path": escape("/".join(path.split("/")[-2:])), "term": term, "documents": count}
            for (path, term), count in report.unmapped_terms.most_common(ROWS_PRINTED)
        ],
    )
    show(
        "in the ground truth, but not printed",
        [{"field": path, "values": count} for path, count in report.unprinted_fields.most_common(ROWS_PRINTED)],
    )
    show(
        "calculation rules that the ground truth breaks",
        [{"rule": rule, "documents": count} for rule, count in report.broken_rules.most_common()],
    )
    console.print(
        f"{report.document_count} documents found: {len(report.accepted)} accepted with {report.pages} pages, "
        f"{len(report.rejected)} rejected; {len(report.ignored)} other files ignored"
    )
    if unscored := len(report.accepted) - report.scored_count:
        console.print(f"{unscored} of them are documents of training vendors, which are not scored")
    elif train:
        console.print(
            "none of them is there to train on: no ground truth states the split `train`, as `finscribe review-import` "
            "writes it for at least three vendors"
        )
    if report.copies:
        first = report.copies[0]
        console.print(
            f"{len(report.copies)} more left out, as their pages are those of documents imported before them, such as "
            f"{escape(first['name'])}, a copy of {escape(first['copy_of'])}"
        )
    if report.unlabelled:
        console.print(f"{len(report.unlabelled)} more without ground truth: they can be read and corrected, not scored")
    if report.unchecked_count:
        console.print(
            f"{report.unchecked_count} of them have no text layer to rely on: all their values count as printed"
        )
    console.print(f"Report: {out / IMPORT_REPORT_FILE}")
    if report.rejected:
        raise typer.Exit(1)
