"""Commands that measure predictions, and show what was measured: evaluate, summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.cli.schema_option import SchemaName, mapping_given
from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.errors import MissingInputError, UserError

if TYPE_CHECKING:
    from finscribe_assets.evaluation.report import EvaluationReport
    from finscribe_assets.iteration.batch_documents import PredictedDocuments
    from finscribe_assets.iteration.batch_storage import PlanFiles

Predictions = Annotated[
    Path,
    typer.Option(
        help='JSON lines: `{"id": "…", "response": <JSON object or raw text>, "confidence": {"field": 0.97}?, "boxes": '
        '{"field": [{"page": 1, "box": [x0, y0, x1, y1]}]}?}`, boxes in thousandths of the page.',
        exists=True,
        dir_okay=False,
    ),
]
GroundTruth = Annotated[
    Path,
    typer.Option(
        help='JSON lines: {"id": "…", "document": {…}} in the schema of `finscribe schema`, or a part of it.',
        exists=True,
        dir_okay=False,
    ),
]
Labelled = Annotated[
    list[str] | None,
    typer.Option(
        help="Field or group that was labelled, such as seller.name or lines; repeatable, or several with commas. "
        "Other fields are neither expected nor judged. Default of documents without a `labelled` of their own.",
    ),
]

SplitNames = Annotated[
    list[str] | None,
    typer.Option(
        "--split",
        help="Only documents of this split of the --workspace, such as validation; repeatable. `finscribe predict` "
        "reads validation and test, so that all others would count as missing.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (evaluate, summary):
        app.command()(command)


def evaluate(
    predictions: Predictions,
    ground_truth: GroundTruth,
    output: Annotated[Path, typer.Option(help="Report to write, as JSON; an HTML page is written beside it.")],
    reader: Annotated[str, typer.Option(help="Name of the model, for the report.")] = "unnamed reader",
    other: Annotated[
        list[str] | None,
        typer.Option(help="Another reader's predictions to compare with, as NAME=FILE; repeatable."),
    ] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(
            help="Workspace that the documents came from: its pages illustrate the documents with the most errors, and "
            "its splits give exposure, number of pages and degradation.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    split: SplitNames = None,
    labelled: Labelled = None,
    schema: SchemaName = None,
    timing: Annotated[
        Path | None,
        typer.Option(
            help="timing.json of `finscribe predict`: seconds per document, for the speed target.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Measure predictions against ground truth: fields, tables (TEDS), arithmetic, exact match, confidence.

    Bad model output does not stop it: broken JSON, prose, wrong types, unknown or repeated ids are counted and
    reported. The HTML page shows the documents with the most errors, value by value.
    """
    from finscribe_assets.evaluation.report import grounding_rows, headline_rows, target_rows
    from finscribe_assets.iteration.batch_documents import read_files
    from finscribe_assets.iteration.measuring import measure, write_report

    documents = read_files(
        predictions,
        ground_truth,
        others=dict(map(named_file, other or ())),
        workspace=workspace,
        splits=split or (),
        labelled=comma_separated(labelled),
        mapping=mapping_given(schema),
    )
    if documents.keys_note:
        console.print(documents.keys_note, markup=False)
    if workspace:
        note_missing_parts(documents, workspace)
    with bar(len(documents.truths) * (1 + len(documents.others)), "documents measured") as advance:
        report = measure(
            documents,
            reader=reader,
            seconds_per_document=_seconds(timing) if timing else None,
            on_documents=advance,
        )
    write_report(report, documents, output)
    show(f"{len(documents.predictions)} predictions for {len(documents.truths)} documents", headline_rows(report))
    if report.judged and report.judged.partly_labelled:
        show("what was judged", [report.judged.row()])
    if report.grounding:
        show("grounding", grounding_rows(report))
    else:
        console.print(f"Grounding was not measured: {report.grounding_note}.")
    show("targets", target_rows(report.targets))
    _show_comparisons(report)
    if report.empty and report.empty == report.predicted:
        console.print("Warning: no prediction has any value, so nothing was read; check what the reader was given")
    problems = documents.problems.counts.items()
    show("problems of the predictions", [{"problem": name, "count": count} for name, count in problems])
    console.print(f"Report: {output}, {output.with_suffix('.html')}")


def comma_separated(values: list[str] | None) -> list[str]:
    """Return the values of a repeatable option, each of which may hold several with commas."""
    return [name.strip() for value in values or () for name in value.split(",") if name.strip()]


def note_missing_parts(documents: PredictedDocuments, workspace: Path) -> None:
    """Print which parts a workspace lacks, and what the report lacks for that."""
    for present, name, lacking in (
        (documents.drawn, "documents", "no knob value is blamed for a failure"),
        (documents.image_folders, "images", "no page is shown, and nothing is known of what damage destroyed"),
        (documents.attributes, "splits", "nothing is counted by exposure, number of pages and degradation"),
    ):
        if not present:
            console.print(f"{workspace / name}: nothing there, so {lacking}")


def _show_comparisons(report: EvaluationReport) -> None:
    show(
        "against other readers",
        [
            {
                "reader": name,
                "its F1": row["other_field_f1"],
                "F1 here": row["field_f1"],
                "difference": f"{row['difference']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})",
                "p": row["p"],
                "better, worse": f"{row['better']}, {row['worse']}",
            }
            for name, row in ((name, one.row()) for name, one in report.comparisons.items())
        ],
    )


def named_file(given: str) -> tuple[str, Path]:
    """Parse NAME=FILE.

    Raises:
        UserError: It is not of this form.
        MissingInputError: There is no such file.
    """
    name, _, file = given.partition("=")
    if not name or not file:
        raise UserError(f"--other {given!r}: write it as NAME=FILE, such as base=base/predictions.jsonl")
    if not Path(file).is_file():
        raise MissingInputError(f"--other {given!r}: {file} does not exist")
    return name, Path(file)


def _seconds(timing: Path) -> float | None:
    from finscribe_assets.files import read_json

    seconds = read_json(timing).get("wall_seconds_per_document")
    if seconds is not None and not isinstance(seconds, int | float):
        raise UserError(f"{timing}: wall_seconds_per_document is {seconds!r}, not a number of seconds")
    return seconds


def summary(
    storage: Annotated[str, typer.Option(help="Root of the assets' storage: a folder or s3://….")] = "storage",
    key: Annotated[str, typer.Option(help="Batch to show.")] = FIRST_BATCH_KEY,
) -> None:
    """Show the results of an iteration: scores, weak cells, the next plan, and where the files are."""
    from finscribe_assets.documents.batch_keys import next_batch_key
    from finscribe_assets.evaluation.report import headline_rows, target_rows
    from finscribe_assets.evaluation.report_html import EMBEDDED_NOTE
    from finscribe_assets.files import read_json
    from finscribe_assets.iteration.batch_storage import FolderStorage, PlanFiles, Stage
    from finscribe_assets.iteration.history import MINING_FILE
    from finscribe_assets.iteration.measuring import REPORT_FILE, stored_report

    batches = FolderStorage(storage)
    file = batches.folder(Stage.EVALUATION_REPORT, key) / REPORT_FILE
    if not file.exists():
        raise MissingInputError(f"{file}: no report of {key} here; run `make demo`, or name another --storage or --key")
    report = stored_report(batches, key)
    show(f"{report.reader} on {report.documents} validation documents; regions: {report.layout}", headline_rows(report))
    _show_comparisons(report)
    show("targets", target_rows(report.targets))
    found = read_json(batches.folder(Stage.HARD_SAMPLE_PLAN, key) / MINING_FILE)
    show(
        "weak cells",
        [
            {
                "element": cell["element"],
                "error type": cell["error_type"],
                "failures": cell["failures"],
                "of": cell["trials"],
                "turn up": ", ".join(cell["knobs"]),
            }
            for cell in found["weak"]
        ],
    )
    _show_next_plan(PlanFiles(storage), next_batch_key(key))
    if report.reader.startswith("embedded"):
        console.print(EMBEDDED_NOTE)
    for stage in (Stage.EVALUATION_REPORT, Stage.TRAINED_ADAPTER, Stage.HARD_SAMPLE_PLAN):
        console.print(f"{stage:18} {batches.folder(stage, key)}")


def _show_next_plan(plans: PlanFiles, key: str) -> None:
    from finscribe_assets.mining.factor_plan import explain_factors, planned_factors

    if not plans.path(key).exists():
        console.print(f"no plan of {key}: nothing harmful is left to plan for")
        return
    plan = plans.read(key)
    if planned := planned_factors(plan):
        show(f"plan of {key}: what harms the adapter in use", explain_factors(planned))
    else:
        rows = [{"share": part.name, "documents": part.documents} for part in plan.components if part.documents]
        show(f"plan of {key}", rows)
