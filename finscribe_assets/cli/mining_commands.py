"""The command that looks for what failures of documents share: mine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.cli.evaluation_commands import (
    GroundTruth,
    Labelled,
    Predictions,
    SplitNames,
    comma_separated,
    note_missing_parts,
)
from finscribe_assets.cli.schema_option import SchemaName, mapping_given
from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.errors import MissingInputError, UserError

if TYPE_CHECKING:
    from finscribe_assets.documents.plan import Plan
    from finscribe_assets.iteration.batch_documents import PredictedDocuments
    from finscribe_assets.mining.mining_report import MiningReport
    from finscribe_assets.mining.weak_cell import WeakCell


Frequencies = Annotated[
    Path | None,
    typer.Option(
        help="Recipe of the documents that you get, such as one that `finscribe fit-recipe` wrote: documents are drawn "
        "from it, and what is both weak and frequent there comes first.",
        exists=True,
        dir_okay=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(mine)


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
            help="Workspace that the documents came from: its knob values show what failures share, and its plan is "
            "the parent of the next.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    split: SplitNames = None,
    labelled: Labelled = None,
    schema: SchemaName = None,
    num_samples: Annotated[int, typer.Option(min=1, help="Number of documents of the next batch.")] = 200,
    rule: Annotated[
        str,
        typer.Option(help="How documents are allocated: portfolio; or lower_bound, uniform, random for comparison."),
    ] = "portfolio",
    disable: Annotated[
        list[str] | None,
        typer.Option(help="A cell (amount×sign) or knob (degradation, font:Lato) that gets no documents; repeatable."),
    ] = None,
    frequencies: Frequencies = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(
            help="Output of `mine` of an earlier iteration, oldest first; shows what cells have learnt.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    counterfactual: Annotated[
        int,
        typer.Option(
            min=0,
            help="For each suspected knob, draw and read this number of failing documents again without it. Needs "
            "--workspace and its plan.json.",
        ),
    ] = 0,
    adapter: Annotated[Path | None, typer.Option(help="For --counterfactual: the adapter that read.")] = None,
    base: Annotated[str, typer.Option(help="For --counterfactual: the base that read.")] = "embedded",
) -> None:
    """Find what a reader is weak at, and plan the documents that teach it.

    Failures are counted in cells of element × error type. A cell is weak when at least five documents failed so and its
    rate is significantly above the threshold (false discovery controlled, clustered by document).
    """
    from finscribe_assets.documents.plan import seed_plan, with_recipe
    from finscribe_assets.documents.recipe_files import load_plan, load_recipe
    from finscribe_assets.files import read_json, write_json, write_text
    from finscribe_assets.importing.folder_import import IMPORT_REPORT_FILE
    from finscribe_assets.iteration.batch_documents import read_files
    from finscribe_assets.iteration.next_batch import mine_documents
    from finscribe_assets.mining.learning_history import EarlierIteration

    if counterfactual and (not workspace or (workspace / IMPORT_REPORT_FILE).exists()):
        raise UserError("--counterfactual: give the --workspace that the documents were drawn in")
    documents = read_files(
        predictions,
        ground_truth,
        workspace=workspace,
        splits=split or (),
        labelled=comma_separated(labelled),
        mapping=mapping_given(schema),
    )
    if documents.keys_note:
        console.print(documents.keys_note, markup=False)
    imported = workspace is not None and (workspace / IMPORT_REPORT_FILE).exists()
    if workspace and imported:
        console.print(f"{workspace}: imported documents; failures are compared by what pages and ground truth show")
    elif workspace:
        note_missing_parts(documents, workspace)
        if not (workspace / "plan.json").exists():
            raise MissingInputError(
                f"{workspace / 'plan.json'}: no such file; --workspace is a folder that `finscribe synthesize` or "
                "`finscribe import` wrote"
            )
    parent = (
        load_plan(workspace / "plan.json") if workspace and not imported else seed_plan(FIRST_BATCH_KEY, num_samples, 0)
    )
    if frequencies:
        parent = with_recipe(parent, load_recipe(frequencies))
    with bar(None, "mining"):
        report = mine_documents(
            documents,
            parent,
            num_samples,
            history=[EarlierIteration.from_json(read_json(file)) for file in history or []],
            rule=rule,
            disabled=disable or (),
            weigh_frequency=frequencies is not None,
        )
    tried: dict[str, Any] = {}
    if counterfactual:
        tried = {"counterfactuals": _try_counterfactuals(report, parent, documents, counterfactual, base, adapter)}
        show("failures with one drawn value reset", tried["counterfactuals"])
    write_json(output, report.to_json() | tried | {"problems": dict(documents.problems.counts)})
    _show_cells(report)
    if isinstance(report.explained, str) or report.plan is None:
        _show_weak(report)
        console.print(f"Warning: {report.explained}" if report.nothing_read else report.explained)
        return
    show(f"plan of {report.plan.key}", report.explained)
    _show_weak(report)
    if report.plan.disabled:
        console.print(f"disabled: {', '.join(report.plan.disabled)}")
    if plan:
        write_text(plan, report.plan.model_dump_json(indent=2) + "\n")
        console.print(f"Plan: {plan}; next: finscribe synthesize --plan {plan} --out …")


def _show_cells(report: MiningReport) -> None:
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


def _show_weak(report: MiningReport) -> None:
    """Print weak cells, narrow enough for a terminal; the output file has the examples too."""

    def knobs(cell: WeakCell) -> str:
        proven = [f"{name} {cell.effects[name]:+.0%}" for name in cell.knobs if name in cell.effects]
        return "\n".join(proven or [f"{name} (suspected)" for name in cell.knobs])

    def suspects(cell: WeakCell) -> str:
        # Why nothing is planned for such cells is printed once, below the table.
        return "\n".join(["not known; to probe:", *cell.to_probe]) if cell.to_probe else ""

    show(
        "weak cells",
        [
            {
                "cell": f"{cell.element} ×\n{cell.error_type}",
                "rate": f"{cell.rate:.1%}",
                "at least": f"{cell.lower_bound:.1%}",
                "expected": f"{cell.rate - cell.expected_gain:.1%}",
                "documents": cell.documents,
                "turn up": suspects(cell) or cell.left_out or knobs(cell),
            }
            for cell in report.weak
        ],
    )
    by_limits: dict[str, list[str]] = {}
    for cell in (cell for cell in report.weak if report.attributions[cell.name].limits.documents):
        by_limits.setdefault(cell.limits, []).append(cell.name)
    for limits, names in by_limits.items():
        console.print(f"{', '.join(names)}: {limits}", style="dim", soft_wrap=True)


def _try_counterfactuals(
    report: MiningReport, plan: Plan, documents: PredictedDocuments, each: int, base: str, adapter: Path | None
) -> list[dict[str, Any]]:
    from finscribe_assets.documents.drawn_document import DrawnDocument
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
            plan,
            dict(documents.drawn),
            dict(documents.predictions),
            dict(documents.truths),
            report.weak,
            read,
            each,
            failing=failing,
            on_document=advance,
        )
    return [{**vars(reversal), "gone": reversal.gone} for reversal in reversals]
