"""Commands for the correction of predictions by people: review-export, review-import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from finscribe_assets.cli.console_output import bar, console
from finscribe_assets.errors import UserError

PROBLEMS_PRINTED = 10  # the report has them all


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (review_export, review_import):
        app.command()(command)


def review_export(
    predictions: Annotated[
        Path, typer.Argument(help="JSON lines of `extract`, which name files, or of `predict` with --workspace.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; a new one, or one of an earlier export.")],
    workspace: Annotated[
        Path | None, typer.Option(help="Workspace whose documents were predicted.", exists=True, file_okay=False)
    ] = None,
    tool: Annotated[str, typer.Option(help="label-studio or ppocrlabel.")] = "label-studio",
    fields: Annotated[
        list[str] | None,
        typer.Option(
            help="Field or group to label, such as seller.name or lines; repeatable, or several with commas; `all` "
            "for the whole schema. The usual fields and the predicted ones unless given."
        ),
    ] = None,
    image_prefix: Annotated[
        str | None,
        typer.Option(
            help="URL that serves the export's folder `images`; the tasks then refer to the images in the place of "
            "holding them."
        ),
    ] = None,
    model_version: Annotated[str, typer.Option(help="Name shown beside the predicted values.")] = "finscribe",
    locale: Annotated[
        str | None, typer.Option(help="Locale, such as de_AT, of documents whose labels determined none.")
    ] = None,
    dpi: Annotated[
        int, typer.Option(min=72, max=300, help="Resolution that PDF pages are rasterised at, in dots per inch.")
    ] = 144,
) -> None:
    """Write predictions as tasks for people to correct, in Label Studio or PPOCRLabel.

    Predicted values are there as boxes with texts: people correct, delete and add some, and submit. What they leave as
    it is counts as confirmed.
    """
    from finscribe_assets.review.review_export import CONFIG_FILE, TASKS_PATTERN, ReviewTool, export_review

    if tool not in set(ReviewTool):
        raise UserError(f"--tool: {tool!r} is unknown; tools are {', '.join(ReviewTool)}")
    _check_locale(locale)
    with bar(None, "documents exported") as advance:
        written = export_review(
            predictions,
            out,
            ReviewTool(tool),
            workspace=workspace,
            fields=fields or (),
            image_prefix=image_prefix,
            model_version=model_version,
            dpi=dpi,
            locale=locale,
            on_document=advance,
        )
    values = sum(len(document.values) for document in written.review.documents)
    console.print(
        f"{len(written.review.documents)} documents with {values:,} predicted values in {out}; "
        f"{len(written.review.fields)} fields have a label"
    )
    if unknown := written.collected.unknown_keys:
        console.print(f"{unknown:,} predicted values are of no field of the schema, and left out")
    for reason in written.collected.left_out[:PROBLEMS_PRINTED]:
        console.print(f"left out: {escape(reason)}", soft_wrap=True)
    if ReviewTool(tool) is ReviewTool.LABEL_STUDIO:
        console.print(
            f"In Label Studio: create a project, paste {out / CONFIG_FILE} under Labeling Setup, Code, and import "
            f"{out / TASKS_PATTERN}",
            markup=False,
            soft_wrap=True,
        )
    else:
        console.print(f"PPOCRLabel --kie True; then open the folder {out / 'images'}", markup=False, soft_wrap=True)


def review_import(
    answers: Annotated[
        Path,
        typer.Argument(
            help="Label Studio's export in the format JSON, or PPOCRLabel's Label.txt.", exists=True, dir_okay=False
        ),
    ],
    review: Annotated[Path, typer.Option(help="Folder that `review-export` wrote.", exists=True, file_okay=False)],
    out: Annotated[
        Path, typer.Option(help="Folder of labelled documents to write, or to add to, for `finscribe import`.")
    ],
    annotators: Annotated[
        str,
        typer.Option(
            help="Whose answer counts where several people corrected a document: latest, or agreed (only fields that "
            "all of them state alike)."
        ),
    ] = "latest",
    locale: Annotated[
        str | None, typer.Option(help="Locale, such as de_AT, of documents for which nobody chose one.")
    ] = None,
) -> None:
    """Read what people corrected as ground truth, with a report of what they changed and how long it took.

    Each corrected document gets a folder with its file and its ground truth, which `finscribe import` reads. Documents
    are split by vendor: those of test and validation vendors are held out from every training.
    """
    from finscribe_assets.review.correction_changes import Annotators
    from finscribe_assets.review.review_import import REVIEW_REPORT_FILE, import_review

    if annotators not in set(Annotators):
        raise UserError(f"--annotators: {annotators!r} is unknown; give {' or '.join(Annotators)}")
    _check_locale(locale)
    report = import_review(answers, review, out, annotators=Annotators(annotators), locale=locale)
    totals = report.totals()
    states = ", ".join(f"{count} {state}" for state, count in sorted(totals["documents"].items()))
    console.print(f"{states}; the details are in {out / REVIEW_REPORT_FILE}", markup=False, soft_wrap=True)
    console.print(
        f"values: {totals['values_confirmed']:,} confirmed, {totals['values_changed']:,} changed, "
        f"{totals['values_moved']:,} moved, {totals['values_added']:,} added, {totals['values_deleted']:,} deleted"
    )
    if totals["minutes"]["corrections_timed"]:
        console.print(
            f"minutes for each correction: {totals['minutes']['median']} in the median, "
            f"{totals['minutes']['total']} together"
        )
    problems = [f"{record['id']}: {problem}" for record in report.documents for problem in record.get("problems", ())]
    for problem in problems[:PROBLEMS_PRINTED]:
        console.print(f"not taken: {escape(problem)}", soft_wrap=True)
    if len(problems) > PROBLEMS_PRINTED:
        console.print(f"and {len(problems) - PROBLEMS_PRINTED:,} more, in the report")


def _check_locale(locale: str | None) -> None:
    from finscribe_assets.documents.locales import is_known_locale

    if locale is not None and not is_known_locale(locale):
        raise UserError(f"--locale: {locale!r} is unknown; give one such as de_AT")
