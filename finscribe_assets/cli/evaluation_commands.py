"""Commands that measure predictions and plan what comes next: evaluate, mine, summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from finscribe_assets.cli.progress_bars import bar, console
from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.errors import MissingInputError, UserError

if TYPE_CHECKING:
    from finscribe_assets.documents.drawn_document import DrawnDocument
    from finscribe_assets.documents.plan import Plan
    from finscribe_assets.evaluation.prediction_files import Prediction, Truth
    from finscribe_assets.evaluation.report import EvaluationReport
    from finscribe_assets.mining.mining_report import MiningReport
    from finscribe_assets.mining.weak_cell import WeakCell

Predictions = Annotated[
    Path,
    typer.Option(
        help='JSON lines: {"id": "…", "response": <JSON object or raw text>, "confidence": {"field": 0.97}?}.',
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


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (evaluate, mine, summary):
        app.command()(command)


def evaluate(
    predictions: Predictions,
    ground_truth: GroundTruth,
    output: Annotated[Path, typer.Option(help="Report to write, as JSON; a page for people is written beside it.")],
    reader: Annotated[str, typer.Option(help="Name of the model, for the report.")] = "unnamed reader",
    other: Annotated[
        list[str] | None,
        typer.Option(help="Another reader's predictions to compare with, as NAME=FILE; repeat it for several."),
    ] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(
            help="Workspace the documents came from: its pages are shown beside the documents read worst, and "
            "its splits tell exposure, number of pages and degradation.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    timing: Annotated[
        Path | None,
        typer.Option(
            help="timing.json of `finscribe predict`: seconds a document, for the target.", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    """Measure predictions against ground truth: fields, tables (TEDS), arithmetic, exact match, confidence.

    Nothing that a model may write stops it: broken JSON, prose, wrong types, unknown or repeated ids are counted and
    reported. The page shows the documents read worst, value by value.
    """
    from finscribe_assets.evaluation.prediction_files import read_predictions, read_truths
    from finscribe_assets.evaluation.report import evaluate as measure
    from finscribe_assets.evaluation.report import headline_rows, target_rows
    from finscribe_assets.evaluation.report_html import to_html
    from finscribe_assets.evaluation.slices import circumstances_of
    from finscribe_assets.evaluation.worst_documents import pictures_of
    from finscribe_assets.files import write_text
    from finscribe_assets.shards import shard_files
    from finscribe_assets.splitting.split_table import SPLITS_FILE, read_splits

    truths = read_truths(ground_truth)
    found, problems = read_predictions(predictions, truths)
    others = {name: read_predictions(file, truths)[0] for name, file in map(_named_file, other or ())}
    known = {}
    if workspace and (workspace / "splits" / SPLITS_FILE).exists():
        known = circumstances_of(read_splits(workspace / "splits"))
    elif workspace:
        console.print(f"{workspace / 'splits'}: no splits there, so nothing is counted by exposure, pages, degradation")
    with bar(len(truths) * (1 + len(others)), "documents measured") as advance:
        report = measure(
            truths,
            found,
            reader=reader,
            problems=problems,
            others=others,
            circumstances=known,
            seconds_per_document=_seconds(timing) if timing else None,
            on_documents=advance,
        )
    page = output.with_suffix(".html")
    pictures = {}
    if workspace and shard_files(workspace / "images"):
        pictures = pictures_of(report.worst, [workspace / "images"])
    elif workspace:
        console.print(f"{workspace / 'images'}: no pages there, so none are shown beside the documents read worst")
    write_text(output, report.to_json())
    write_text(page, to_html(report, pictures=pictures))
    show(f"{len(found)} predictions for {len(truths)} documents", headline_rows(report))
    show("targets", target_rows(report.targets))
    _show_comparisons(report)
    show("problems of the predictions", [{"problem": name, "count": count} for name, count in problems.counts.items()])
    console.print(f"Report: {output}, {page}")


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


def _named_file(given: str) -> tuple[str, Path]:
    name, _, file = given.partition("=")
    if not name or not file:
        raise UserError(f"--other {given!r}: write it as NAME=FILE, such as base=base/predictions.jsonl")
    if not Path(file).is_file():
        raise MissingInputError(f"--other {given!r}: there is no file {file}")
    return name, Path(file)


def _seconds(timing: Path) -> float | None:
    from finscribe_assets.files import read_json

    seconds = read_json(timing).get("wall_seconds_per_document")
    if seconds is not None and not isinstance(seconds, int | float):
        raise UserError(f"{timing}: wall_seconds_per_document is {seconds!r}, not a number of seconds")
    return seconds


def mine(
    predictions: Predictions,
    ground_truth: GroundTruth,
    output: Annotated[Path, typer.Option(help="What was found, as JSON.")],
    plan: Annotated[
        Path | None,
        typer.Option(help="Also write the next batch's plan here, for `finscribe synthesize --plan`.", dir_okay=False),
    ] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(
            help="Workspace the documents came from: its knobs tell what failures "
            "share, and its plan is the parent of the next.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    num_samples: Annotated[int, typer.Option(min=1, help="Documents of the next batch.")] = 200,
    rule: Annotated[
        str,
        typer.Option(
            help="How documents are allocated: portfolio, or lower_bound, uniform, random to compare it with."
        ),
    ] = "portfolio",
    disable: Annotated[
        list[str] | None,
        typer.Option(help="A cell (amount×sign) or knob (degradation, font:Lato) to leave alone. Repeat for more."),
    ] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(
            help="Output of an earlier iteration's mining: tells what cells have learnt. Oldest first.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    counterfactual: Annotated[
        int,
        typer.Option(
            min=0,
            help="Try each suspected knob on so many failing documents: draw and read them again "
            "without it. Needs --workspace and its plan.json.",
        ),
    ] = 0,
    adapter: Annotated[Path | None, typer.Option(help="For --counterfactual: the adapter that read.")] = None,
    base: Annotated[str, typer.Option(help="For --counterfactual: the base that read.")] = "embedded",
) -> None:
    """Find what a reader is weak at, and plan the documents that teach it.

    Failures are put into cells of element × error type; a cell is weak when at least five documents failed so and its
    rate is above the threshold by a test that holds over all cells, fields that fail together counting as one.
    """
    from finscribe_assets.documents.document_batch import read_documents
    from finscribe_assets.documents.plan import seed_plan
    from finscribe_assets.documents.recipe_files import load_plan
    from finscribe_assets.evaluation.document_scoring import score
    from finscribe_assets.evaluation.prediction_files import read_predictions, read_truths
    from finscribe_assets.files import read_json, write_json, write_text
    from finscribe_assets.mining.attribution import drawn_values
    from finscribe_assets.mining.error_classification import PageContext
    from finscribe_assets.mining.learning_history import Earlier
    from finscribe_assets.mining.mining_report import mine as find
    from finscribe_assets.rendering.page_batch import destroyed_fields

    if counterfactual and not workspace:
        raise UserError("--counterfactual: give the --workspace that the documents were drawn in")
    truths = read_truths(ground_truth)
    found, problems = read_predictions(predictions, truths)
    drawn = {}
    destroyed: dict[str, frozenset[str]] = {}
    if workspace:
        drawn = {one.id: one for one in read_documents(workspace / "documents") if one.id in truths}
        destroyed = destroyed_fields(workspace / "images") if (workspace / "images").exists() else {}
    parent = load_plan(workspace / "plan.json") if workspace else seed_plan(FIRST_BATCH_KEY, num_samples, 0)
    pages = {name: PageContext.of(one, destroyed.get(name, frozenset())) for name, one in drawn.items()}
    earlier = [Earlier.from_json(read_json(place)) for place in history or []]
    with bar(None, "mining"):
        report = find(
            score(truths, found),
            parent,
            num_samples,
            drawn_values(list(drawn.values())),
            pages=pages,
            history=earlier,
            rule=rule,
            disabled=disable or (),
        )
    tried = {}
    if counterfactual:
        tried = {"counterfactuals": _tried(report, parent, drawn, found, truths, counterfactual, base, adapter)}
        show("failures with one drawn value reset", tried["counterfactuals"])
    write_json(output, report.to_json() | tried | {"problems": dict(problems.counts)})
    show(
        "cells of element × error type",
        [
            {
                "element": cell.element,
                "error type": cell.error_type,
                "failures": cell.failures,
                "of": cell.trials,
                "at least": f"{cell.lower_bound:.1%}",
                "": cell.state,
            }
            for cell in report.cells[:15]
        ],
    )
    if isinstance(report.explained, str) or report.plan is None:
        _show_weak(report)
        console.print(report.explained)
        return
    show(f"plan of {report.plan.key}", report.explained)
    _show_weak(report)
    if report.plan.disabled:
        console.print(f"disabled: {', '.join(report.plan.disabled)}")
    if plan:
        write_text(plan, report.plan.model_dump_json(indent=2) + "\n")
        console.print(f"Plan: {plan}; next: finscribe synthesize --plan {plan} --out …")


def _show_weak(report: MiningReport) -> None:
    """Print weak cells, narrow enough for a terminal; the output file has the examples too."""

    def knobs(cell: WeakCell) -> str:
        seen = [f"{name} {difference:+.0%}" for name, difference in cell.effects.items() if name in cell.knobs]
        return "\n".join(seen + [f"{name} ?" for name in cell.knobs if name not in cell.effects])

    show(
        "weak cells",
        [
            {
                "cell": f"{cell.element} ×\n{cell.error_type}",
                "rate": f"{cell.rate:.1%}",
                "at least": f"{cell.lower_bound:.1%}",
                "expected": f"{cell.rate - cell.expected_gain:.1%}",
                "documents": cell.documents,
                "turn up": cell.left_out or knobs(cell),
            }
            for cell in report.weak
        ],
    )
    if any(set(cell.knobs) - cell.effects.keys() for cell in report.weak):
        console.print("?: made for such failures, but not what these share", style="dim")


def _tried(
    report: MiningReport,
    plan: Plan,
    drawn: dict[str, DrawnDocument],
    found: dict[str, Prediction],
    truths: dict[str, Truth],
    each: int,
    base: str,
    adapter: Path | None,
) -> list[dict[str, Any]]:
    from finscribe_assets.evaluation.prediction_files import Prediction
    from finscribe_assets.inference.prediction import Mode, predict_document
    from finscribe_assets.inference.reader import Reader
    from finscribe_assets.inference.region_layout import RendererBoxes
    from finscribe_assets.mining.counterfactual import counterfactuals
    from finscribe_assets.rendering.render import render

    reader = Reader(base, adapter)
    mode = Mode.REGIONS if reader.reads_lines else Mode.PAGE

    def read(document: DrawnDocument) -> Prediction:
        record = predict_document(reader, render(document), mode, RendererBoxes())
        return Prediction(record["id"], record["response"], record["confidence"])

    failing = {cell.name: cell.documents for cell in report.cells}
    most = 2 * each * sum(len(cell.knobs) for cell in report.weak)
    with bar(most, "readings, at most") as advance:
        reversals = counterfactuals(
            plan, drawn, found, truths, report.weak, read, each, failing=failing, on_document=advance
        )
    return [{**vars(one), "gone": one.gone} for one in reversals]


def summary(
    storage: Annotated[str, typer.Option(help="Root of the assets' storage: a folder or s3://….")] = "storage",
    key: Annotated[str, typer.Option(help="Batch to show.")] = FIRST_BATCH_KEY,
) -> None:
    """Show what an iteration of the platform came to: scores, weak cells, the next plan, and where it all is."""
    from finscribe_assets.evaluation.report import EvaluationReport, headline_rows, target_rows
    from finscribe_assets.evaluation.report_html import EMBEDDED_NOTE
    from finscribe_assets.files import as_path, read_json

    root = as_path(storage)
    place = root / "evaluation_report" / key / "report.json"
    if not place.exists():
        raise MissingInputError(
            f"{place}: no report of {key} here; run `make demo`, or name another --storage or --key"
        )
    report = EvaluationReport.model_validate_json(place.read_text(encoding="utf-8"))
    show(f"{report.reader} on {report.documents} validation documents; regions: {report.layout}", headline_rows(report))
    _show_comparisons(report)
    show("targets", target_rows(report.targets))
    found = read_json(root / "hard_sample_plan" / key / "mining.json")
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
    if isinstance(found["plan"], list):
        show(
            "next plan",
            [{name: row[name] for name in ("share", "documents", "of all", "for")} for row in found["plan"]],
        )
    else:
        console.print(found["plan"])
    if report.reader.startswith("embedded"):
        console.print(EMBEDDED_NOTE)
    for name in ("evaluation_report", "trained_adapter", "hard_sample_plan"):
        console.print(f"{name:18} {root / name / key}")


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as a table; nothing where there are none."""
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name, value in rows[0].items():
        table.add_column(name, overflow="fold", justify="right" if isinstance(value, int | float) else "left")
    for row in rows:
        table.add_row(
            *(
                "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
                for value in row.values()
            )
        )
    console.print(table)
