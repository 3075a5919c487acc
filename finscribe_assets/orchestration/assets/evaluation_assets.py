"""Group evaluation: predictions of a batch's adapter, their report, and the plan of the next batch."""

import itertools
import os
from collections.abc import Mapping, Sequence

import dagster as dg
from pydantic import Field
from upath import UPath

from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.evaluation.calibration import Calibration, reliability_diagram
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.paired_comparison import PairedComparison, compare_readers
from finscribe_assets.evaluation.prediction_files import InputProblems, Prediction, Truth, read_predictions
from finscribe_assets.evaluation.report import EvaluationReport, evaluate, headline_rows, target_rows
from finscribe_assets.evaluation.report_html import EMBEDDED_NOTE, to_html
from finscribe_assets.evaluation.slices import circumstances_of
from finscribe_assets.evaluation.worst_documents import PageIllustration, pictures_of
from finscribe_assets.files import read_json, write_json, write_text
from finscribe_assets.inference.prediction import PREDICTED_BY_FILE, PREDICTIONS_FILE, TIMING_FILE, predict_batch
from finscribe_assets.mining.attribution import drawn_values
from finscribe_assets.mining.error_cells import ErrorCell
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.heatmap import heat_map
from finscribe_assets.mining.iteration_decision import IterationRecord, decide
from finscribe_assets.mining.learning_history import ASSUMPTION
from finscribe_assets.mining.mining_report import mine
from finscribe_assets.mining.planning import explain_cells, problems_of
from finscribe_assets.model.adapters import TRAINING_RECORD
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.orchestration.history import MINING_FILE, RECORD_FILE, history_until, mined_before
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.partitions import batches_until, synthesis
from finscribe_assets.orchestration.resources import PlanStore, Sizes, Storage, progress
from finscribe_assets.rendering.page_batch import destroyed_fields
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SplitRow, read_splits

GROUP = "evaluation"
OWNERS = ["team:document-ai"]
REPORT_FILE = "report.json"
SLICED = ("document_type", "locale", "exposure", "pages", "degradation")
MEASURED = (Split.VALIDATION, Split.TEST)
"""Mining looks at validation; test is reported once an adapter, and nothing is chosen by it."""


def measured_documents(storage: Storage, key: str) -> tuple[list[SplitRow], dict[str, DrawnDocument]]:
    """Return the validation and test documents of the data set of a batch: their places, and the documents by id."""
    rows = [row for row in read_splits(storage.folder("dataset_splits", key)) if row.split in MEASURED]
    wanted = {row.document_id for row in rows}
    folders = [storage.folder("synthetic_documents", batch) for batch in sorted({row.batch for row in rows})]
    drawn = itertools.chain.from_iterable(map(read_documents, folders))
    return rows, {document.id: document for document in drawn if document.id in wanted}


@dg.asset(
    partitions_def=synthesis,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "json"},
    code_version="1",
    description="What the adapter, and the bare base beside it, read on validation and test documents.",
    check_specs=[
        dg.AssetCheckSpec(
            "predictions_are_complete",
            asset="predictions",
            blocking=True,
            description="Every validation and test document has one prediction of each reader.",
        ),
    ],
)
def predictions(
    context: dg.AssetExecutionContext, trained_adapter: UPath, dataset_splits: UPath, storage: Storage
) -> dg.MaterializeResult:
    """Read every measured document with the adapter and with its base."""
    folder = storage.folder_of(context)
    rows, drawn = measured_documents(storage, context.partition_key)
    trained_with = read_json(trained_adapter / TRAINING_RECORD)["config"]
    images = [storage.folder("rendered_images", batch) for batch in sorted({row.batch for row in rows})]
    missing: dict[str, list[str]] = {}
    seconds: dict[str, float | None] = {}
    for reader, adapter in (("adapter", trained_adapter), ("base", None)):
        on_documents = progress(context, len(drawn), f"documents read by the {reader}")
        # As many threads as in training, whatever this machine has: predictions do not depend on it.
        summary = predict_batch(
            images,
            set(drawn),
            folder / reader,
            base=trained_with["base"],
            adapter=adapter,
            threads=trained_with["threads"],
            on_documents=on_documents,
        )
        seconds[reader] = summary.seconds_per_document
        found, _ = _read_predictions(folder / reader, drawn)
        missing[reader] = sorted(drawn.keys() - found.keys())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(drawn),
            "splits": dg.MetadataValue.json(
                {str(split): sum(row.split is split for row in rows) for split in MEASURED}
            ),
            "layout": summary.layout,
            "device": summary.device,
            "seconds_per_document": seconds["adapter"] if seconds["adapter"] is not None else "read in an earlier run",
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="predictions_are_complete",
                passed=not any(missing.values()),
                metadata={"missing": dg.MetadataValue.json(missing)},
            ),
        ],
    )


def _read_predictions(folder: UPath, drawn: dict[str, DrawnDocument]) -> tuple[dict[str, Prediction], InputProblems]:
    # Which of a document's values are asked does not matter to what was said of it.
    return read_predictions(folder / PREDICTIONS_FILE, truths_of(drawn, {}))


def truths_of(drawn: dict[str, DrawnDocument], destroyed: dict[str, frozenset[str]]) -> dict[str, Truth]:
    """Return documents as ground truth: what is asked is what can be read on their pages."""
    return {
        name: Truth(name, document.document.to_json(), frozenset(document.printed) - destroyed.get(name, frozenset()))
        for name, document in drawn.items()
    }


def _destroyed(storage: Storage, batches: set[str]) -> dict[str, frozenset[str]]:
    folders = [storage.folder("rendered_images", batch) for batch in sorted(batches)]
    return {name: fields for folder in folders for name, fields in destroyed_fields(folder).items()}


@dg.asset(
    partitions_def=synthesis,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"json"},
    code_version="2",
    deps=[dg.AssetDep("dataset_splits")],
    description="Scores of the adapter on validation, with intervals, beside its base and the adapter before it; test "
    "is reported once, and nothing is chosen by it.",
    check_specs=[
        dg.AssetCheckSpec("something_was_measured", asset="evaluation_report", blocking=True),
        dg.AssetCheckSpec(
            "better_than_base",
            asset="evaluation_report",
            description="The adapter's field F1 on validation is not below its base's.",
        ),
    ],
)
def evaluation_report(
    context: dg.AssetExecutionContext, predictions: UPath, trained_adapter: UPath, storage: Storage
) -> dg.MaterializeResult:
    """Measure the batch's predictions."""
    folder, key = storage.folder_of(context), context.partition_key
    rows, drawn = measured_documents(storage, key)
    base = read_json(trained_adapter / TRAINING_RECORD)["config"]["base"]
    found, problems = _read_predictions(predictions / "adapter", drawn)
    others = {"base": _read_predictions(predictions / "base", drawn)[0]}
    # The adapter before this one read the documents of its own data set; the pair is compared on those both have.
    before = [batch for batch in batches_until(storage.folder("predictions", key)) if batch < key]
    timing = read_json(predictions / "adapter" / TIMING_FILE)
    reports: dict[Split, EvaluationReport] = {}
    destroyed = _destroyed(storage, {row.batch for row in rows})
    for split in MEASURED:
        names = {row.document_id for row in rows if row.split is split}
        truths = truths_of({name: drawn[name] for name in names if name in drawn}, destroyed)
        reports[split] = evaluate(
            dict(sorted(truths.items())),
            {name: found[name] for name in truths if name in found},
            reader=f"{base} + adapter {key}",
            layout=read_json(predictions / "adapter" / PREDICTED_BY_FILE)["layout"] or "none: whole pages",
            problems=problems,
            seconds_per_document=timing["wall_seconds_per_document"],
            others=others,
            circumstances=circumstances_of(rows),
            on_documents=progress(context, 2 * len(truths), f"{split} documents measured, with both readers"),
        )
    report = reports[Split.VALIDATION]
    if before:
        report = report.model_copy(
            update={
                "comparisons": report.comparisons
                | {f"adapter {before[-1]}, on {FIRST_BATCH_KEY}": previous_comparison(storage, key, before[-1])}
            }
        )
    note = EMBEDDED_NOTE if base == EMBEDDED else ""
    images = [storage.folder("rendered_images", batch) for batch in sorted({row.batch for row in rows})]
    pages: dict[str, list[PageIllustration]] = {}
    for name, one in (("test", reports[Split.TEST]), ("report", report)):
        pages = pictures_of(one.worst, images)
        write_text(folder / f"{name}.json", one.to_json())
        write_text(folder / f"{name}.html", to_html(one, note, pages))
    headline = {name: figure.value for name, figure in report.headline.items() if figure}
    against_base = report.comparisons["base"].row()
    return dg.MaterializeResult(
        metadata={
            **headline,
            "base_field_f1": against_base["other_field_f1"],
            "base_difference_p": against_base["p"],
            "validation": table(headline_rows(report)),
            "test": table(headline_rows(reports[Split.TEST])),
            "targets": table(target_rows(report.targets)),
            "comparisons": table({"reader": name, **one.row()} for name, one in report.comparisons.items()),
            "by_element": table(tally.model_dump() for tally in report.by_element),
            "by_rule": table(tally.model_dump() for tally in report.by_rule),
            **{f"by_{name}": table(one.row() for one in report.sliced_by(name)) for name in SLICED},
            "test_by_exposure": table(one.row() for one in reports[Split.TEST].sliced_by("exposure")),
            "responses": table(
                {"parse status": name, "documents": count} for name, count in report.parse_statuses.items()
            ),
            "worst": table(
                {"document": poor.id, "field_f1": poor.field_f1, "failed": len(poor.failed)} for poor in report.worst
            ),
            "worst_page": _first_page(report.worst[0].id, pages) if report.worst else "every document is wholly right",
            "reliability": picture(reliability_diagram(report.calibration), _said_of(report.calibration))
            if report.calibration
            else "no prediction has a confidence",
            "page": dg.MetadataValue.path(str(folder / "report.html")),
            "note": note or f"scores of {base}",
        },
        check_results=[
            dg.AssetCheckResult(check_name="something_was_measured", passed=bool(headline.get("field_f1") is not None)),
            dg.AssetCheckResult(
                check_name="better_than_base",
                passed=against_base["difference"] >= 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=dict(against_base),
            ),
        ],
    )


def _first_page(document: str, pages: Mapping[str, Sequence[PageIllustration]]) -> dg.MarkdownMetadataValue:
    shown = pages[document][0]
    return dg.MetadataValue.md(f"![{shown.text}]({shown.source})")


def _said_of(found: Calibration) -> str:
    return (
        f"reliability diagram: calibration error {found.error} over {found.n} values; "
        f"{found.expected_if_calibrated} by chance"
    )


def previous_comparison(storage: Storage, key: str, before: str) -> PairedComparison:
    """Return how the adapter of ``key`` differs from that of ``before`` on the first batch's validation documents."""
    rows = [
        row
        for row in read_splits(storage.folder("dataset_splits", key))
        if row.split is Split.VALIDATION and row.batch == FIRST_BATCH_KEY
    ]
    names = {row.document_id for row in rows}
    drawn = {
        document.id: document
        for document in read_documents(storage.folder("synthetic_documents", FIRST_BATCH_KEY))
        if document.id in names
    }
    truths = truths_of(drawn, _destroyed(storage, {FIRST_BATCH_KEY}))
    mine_, theirs = (
        read_predictions(storage.folder("predictions", batch) / "adapter" / PREDICTIONS_FILE, truths)[0]
        for batch in (key, before)
    )
    return compare_readers(score(truths, mine_), score(truths, theirs))


class MiningConfig(dg.Config):
    """How the next batch is planned, where it is not as usual."""

    rule: str = Field(default="portfolio", description="rule of allocation, one of mining/allocation.RULES")
    disabled: list[str] = Field(
        default=[],
        description="cells (amount×sign) and knobs (degradation, font:Lato) that no documents are planned for, besides "
        "those named in FINSCRIBE_DISABLE, parted by commas",
    )


def vetoed(config: MiningConfig) -> list[str]:
    """Return what a person has vetoed: in this run's configuration, or for all runs, the sensor's too."""
    named = os.environ.get("FINSCRIBE_DISABLE", "").split(",")
    return [*config.disabled, *(name for name in named if name.strip())]


@dg.asset(
    partitions_def=synthesis,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"json"},
    code_version="2",
    deps=[dg.AssetDep("evaluation_report")],
    description="What the adapter is weak at on validation, and the plan of the next batch: base recipe, a floor over "
    "all knobs, and the weak cells. Without a weak cell there is no plan. The sensor starts the next iteration.",
    check_specs=[
        dg.AssetCheckSpec(
            "plan_is_within_bounds",
            asset="hard_sample_plan",
            blocking=True,
            description="Knobs from 0 to 1, at least half of the documents from the base recipe, nothing disabled.",
        ),
    ],
)
def hard_sample_plan(
    context: dg.AssetExecutionContext,
    config: MiningConfig,
    predictions: UPath,
    storage: Storage,
    plans: PlanStore,
    sizes: Sizes,
) -> dg.MaterializeResult:
    """Mine the batch's predictions, and store the next batch's plan where there is one."""
    folder, key, profile = storage.folder_of(context), context.partition_key, sizes.get()
    rows, drawn = measured_documents(storage, key)
    names = {row.document_id for row in rows if row.split is Split.VALIDATION}
    validation = {name: document for name, document in sorted(drawn.items()) if name in names}
    found, _ = _read_predictions(predictions / "adapter", validation)
    destroyed = _destroyed(storage, {row.batch for row in rows})
    truths = truths_of(validation, destroyed)
    mined = mine(
        score(truths, found),
        plans.read(key),
        profile.targeted_documents,
        drawn_values(list(validation.values())),
        history=mined_before(storage, key),
        rule=config.rule,
        disabled=vetoed(config),
        pages={name: PageContext.of(one, destroyed.get(name, frozenset())) for name, one in validation.items()},
    )
    problems = problems_of(mined.plan) if mined.plan else []
    if mined.plan and not problems:
        plans.write(mined.plan)
    write_json(folder / MINING_FILE, mined.to_json())
    record = _record(storage, key, len(mined.weak), mined.plan.key if mined.plan else None)
    write_text(folder / RECORD_FILE, record.model_dump_json(indent=2) + "\n")
    decision = decide(history_until(storage, key), limit=profile.iteration_limit, threshold=profile.plateau_threshold)
    return dg.MaterializeResult(
        metadata={
            "weak_cells": len(mined.weak),
            "decision": decision.reason,
            "next_batch": decision.next_key or "none",
            "plan": dg.MetadataValue.text(mined.explained)
            if isinstance(mined.explained, str)
            else table(mined.explained),
            "plan_by_cell": table(explain_cells(mined.weak)),
            "disabled": ", ".join(mined.plan.disabled if mined.plan else vetoed(config)) or "nothing",
            "assumption": ASSUMPTION,
            "cells": table(_cell_row(cell) for cell in mined.cells[:40]),
            "confusion": picture(
                heat_map(mined.cells),
                "heat map of element × error type: "
                + "; ".join(f"{cell.element} {cell.error_type} {cell.failures}" for cell in mined.cells[:12]),
            ),
            "low_confidence": table(field.model_dump() for field in mined.low_confidence[:20]),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="plan_is_within_bounds",
                passed=not problems,
                metadata={"problems": dg.MetadataValue.json(problems)},
            ),
        ],
    )


def _cell_row(cell: ErrorCell) -> dict[str, object]:
    return {
        "element": cell.element,
        "error_type": cell.error_type,
        "failures": cell.failures,
        "trials": cell.trials,
        "lower_bound": cell.lower_bound,
        "state": cell.state,
        "example": cell.examples[0] if cell.examples else "",
    }


def _record(storage: Storage, key: str, weak: int, next_key: str | None) -> IterationRecord:
    """Return what the iteration came to, its gain measured on the first batch's validation documents."""
    before = [batch for batch in batches_until(storage.folder("predictions", key)) if batch < key]
    if not before:
        report = EvaluationReport.model_validate(read_json(storage.folder("evaluation_report", key) / REPORT_FILE))
        figure = report.headline["field_f1"]
        return IterationRecord(key=key, metric=figure.value if figure else 0.0, weak_cells=weak, next_key=next_key)
    gain = previous_comparison(storage, key, before[-1]).row()
    return IterationRecord(
        key=key,
        metric=gain["field_f1"],
        gain=gain["difference"],
        gain_upper=gain["high"],
        weak_cells=weak,
        next_key=next_key,
    )
