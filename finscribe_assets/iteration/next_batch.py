"""Mine and plan: what a reader is weak at → the next batch's plan, and the record that the decision is made from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from finscribe_assets.documents.plan import Plan
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.paired_comparison import PairedComparison
from finscribe_assets.evaluation.report import EvaluationReport
from finscribe_assets.files import write_json, write_text
from finscribe_assets.iteration.batch_documents import PredictedDocuments, read_batch
from finscribe_assets.iteration.batch_storage import BatchStorage, PlanFiles, Stage
from finscribe_assets.iteration.decision import Decision, IterationRecord
from finscribe_assets.iteration.history import MINING_FILE, RECORD_FILE, decide_after, mined_before
from finscribe_assets.iteration.measuring import compare_with_previous, previous_key, stored_report
from finscribe_assets.mining.attribution import drawn_values
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.learning_history import EarlierIteration
from finscribe_assets.mining.mining_report import MiningReport, mine
from finscribe_assets.mining.planning import plan_problems
from finscribe_assets.splitting.split_assignment import Split


def mine_documents(
    documents: PredictedDocuments,
    parent: Plan,
    count: int,
    *,
    history: Sequence[EarlierIteration] = (),
    rule: str = "portfolio",
    disabled: Collection[str] = (),
) -> MiningReport:
    """Find what a reader is weak at, and plan the batch that teaches it.

    Args:
        documents: What it predicted. Documents that were drawn here also say which knob values failures share.
        parent: The plan of the batch that it was measured on.
        count: Number of documents of the next batch.
        history: What mining found in earlier iterations, oldest first.
        rule: How documents are allocated to weak cells; one of ``mining.allocation.ALLOCATION_RULES``.
        disabled: Cells (``amount×sign``) and knobs (``degradation``, ``font:Lato``) that get no documents.

    Raises:
        UserError: the rule, or a disabled name, is unknown.
    """
    return mine(
        score(documents.truths, documents.predictions),
        parent,
        count,
        drawn_values(list(documents.drawn.values())),
        history=history,
        rule=rule,
        disabled=disabled,
        pages={
            name: PageContext.of(drawn, documents.destroyed.get(name, frozenset()))
            for name, drawn in documents.drawn.items()
        },
    )


def record_of(
    key: str, report: EvaluationReport, weak_cells: int, next_key: str | None, versus_previous: PairedComparison | None
) -> IterationRecord:
    """Return what an iteration achieved, for the decision.

    Args:
        key: The iteration's batch.
        report: Its validation report, from which the metric of a first iteration is taken.
        weak_cells: Number of weak cells that mining found.
        next_key: The batch that is planned for them; None where none is.
        versus_previous: Its adapter against the one before on the same documents; None for the first iteration.
    """
    if versus_previous is None:
        field_f1 = report.headline["field_f1"]
        return IterationRecord(
            key=key, metric=field_f1.value if field_f1 else 0.0, weak_cells=weak_cells, next_key=next_key
        )
    row = versus_previous.row()
    return IterationRecord(
        key=key,
        metric=row["field_f1"],
        gain=row["difference"],
        gain_upper=row["high"],
        weak_cells=weak_cells,
        next_key=next_key,
    )


@dataclass(frozen=True)
class NextBatch:
    """What mining a batch led to.

    Attributes:
        mined: What was found, with the plan where something is weak.
        problems: Why the plan was refused; it is not stored then.
        decision: Whether another iteration follows.
    """

    mined: MiningReport
    problems: list[str]
    decision: Decision


def plan_next_batch(
    storage: BatchStorage,
    plans: PlanFiles,
    key: str,
    count: int,
    *,
    limit: int,
    threshold: float,
    rule: str = "portfolio",
    disabled: Collection[str] = (),
) -> NextBatch:
    """Mine a batch's validation documents, store the next plan and the iteration's record, and decide.

    Args:
        storage: Where the batch is, and what is found goes.
        plans: Where its plan is, and the next one goes.
        key: The batch.
        count: Number of documents of the next batch.
        limit: Number of iterations after which the loop stops.
        threshold: Gain of field F1 below which an iteration does not count as an improvement.
        rule: How documents are allocated to weak cells.
        disabled: Cells and knobs that get no documents.
    """
    folder = storage.folder(Stage.HARD_SAMPLE_PLAN, key)
    validation = read_batch(storage, key)[Split.VALIDATION]
    mined = mine_documents(
        validation, plans.read(key), count, history=mined_before(storage, key), rule=rule, disabled=disabled
    )
    problems = plan_problems(mined.plan) if mined.plan else []
    if mined.plan and not problems:
        plans.write(mined.plan)
    before = previous_key(storage, key)
    versus = compare_with_previous(storage, key, before) if before else None
    record = record_of(
        key, stored_report(storage, key), len(mined.weak), mined.plan.key if mined.plan else None, versus
    )
    write_json(folder / MINING_FILE, mined.to_json())
    write_text(folder / RECORD_FILE, record.model_dump_json(indent=2) + "\n")
    return NextBatch(mined, problems, decide_after(storage, key, limit=limit, threshold=threshold))
