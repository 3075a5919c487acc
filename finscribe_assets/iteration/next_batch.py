"""Plan: what harms the adapter in use → the next batch's plan, and the record that the decision is made from.

The loop plans from the probe. Mining the validation documents stays beside it: it names error types and examples, and
plans for readers that cannot be probed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from finscribe_assets.documents.elements import element_of
from finscribe_assets.documents.plan import Plan
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.files import write_json, write_text
from finscribe_assets.iteration.batch_documents import ADAPTER, BASE, PredictedDocuments, read_batch
from finscribe_assets.iteration.batch_storage import BatchStorage, PlanFiles, Stage
from finscribe_assets.iteration.decision import Decision, IterationRecord, record_iteration
from finscribe_assets.iteration.history import MINING_FILE, RECORD_FILE, decide_after, mined_before, taught_factors
from finscribe_assets.iteration.known_values import known_values
from finscribe_assets.iteration.promoting import PROMOTED, decisions_until
from finscribe_assets.iteration.reader_probing import stored_effects
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.factor_plan import PROBE_RULE, PastFactor, PlannedFactor, plan_for_factors
from finscribe_assets.mining.learning_history import EarlierIteration
from finscribe_assets.mining.mining_report import MiningReport, mine
from finscribe_assets.mining.planning import normalise_disabled, plan_problems
from finscribe_assets.promotion.exam_documents import exam_papers
from finscribe_assets.promotion.exam_results import ExamResult, read_result
from finscribe_assets.promotion.gate import overall_gain
from finscribe_assets.promotion.paired_gain import state_progress
from finscribe_assets.splitting.split_assignment import Split

WEIGHING_DOCUMENTS = 100  # of the exam's base part, whose fields weigh effects on elements


def mine_documents(
    documents: PredictedDocuments,
    parent: Plan,
    count: int,
    *,
    history: Sequence[EarlierIteration] = (),
    rule: str = "portfolio",
    disabled: Collection[str] = (),
    weigh_frequency: bool = False,
) -> MiningReport:
    """Find what a reader is weak at, and plan the batch that teaches it.

    Args:
        documents: What it predicted. Documents that were drawn here also say which knob values failures share; on
            others they are measured.
        parent: The plan of the batch that it was measured on.
        count: Number of documents of the next batch.
        history: What mining found in earlier iterations, oldest first.
        rule: How documents are allocated to weak cells; one of ``mining.allocation.ALLOCATION_RULES``.
        disabled: Cells (``amount×sign``) and knobs (``degradation``, ``font:Lato``) that get no documents.
        weigh_frequency: Whether values count for more the more documents of the plan's recipe show them.

    Raises:
        UserError: the rule, or a disabled name, is unknown.
    """
    values, measured = known_values(documents)
    return mine(
        score(documents.truths, documents.predictions),
        parent,
        count,
        values,
        measured=measured,
        weigh_frequency=weigh_frequency,
        history=history,
        rule=rule,
        disabled=disabled,
        pages={
            name: PageContext.of(drawn, documents.destroyed.get(name, frozenset()))
            for name, drawn in documents.drawn.items()
        },
    )


@dataclass(frozen=True)
class NextBatch:
    """What an iteration led to.

    Attributes:
        mined: What failures of validation documents share.
        harmful: Every factor that harms the adapter in use, with what the plan does about it.
        plan: Of the next batch; None where there is nothing to plan.
        problems: Why the plan was refused; it is not stored then.
        decision: Whether another iteration follows.
    """

    mined: MiningReport
    harmful: tuple[PlannedFactor, ...]
    plan: Plan | None
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
    rule: str = PROBE_RULE,
    disabled: Collection[str] = (),
    as_new_batch: bool = False,
) -> NextBatch:
    """Plan the batch after ``key``, store the plan and the iteration's record, and decide.

    Args:
        storage: Where the batch is, and what is found goes.
        plans: Where its plan is, and the next one goes.
        key: The batch.
        count: Number of documents of the next batch.
        limit: Number of iterations after which the loop stops.
        threshold: Gain of field accuracy on the exam that is worth an iteration.
        rule: ``probe``, or one of ``mining.allocation.ALLOCATION_RULES`` to plan from mined cells.
        disabled: Cells, knobs and other factors that get no documents.
        as_new_batch: Store a plan under the next free key where documents have been drawn from another plan of its key.

    Raises:
        PlanInUseError: they have, and ``as_new_batch`` is not set. Nothing is written then.
    """
    folder = storage.folder(Stage.HARD_SAMPLE_PLAN, key)
    validation = read_batch(storage, key)[Split.VALIDATION]
    parent, disabled = plans.read(key), normalise_disabled(disabled)
    mined = mine_documents(
        validation,
        parent,
        count,
        history=mined_before(storage, key),
        rule="portfolio" if rule == PROBE_RULE else rule,
        disabled=disabled,
    )
    found, harmful = plan_for_factors(
        parent,
        stored_effects(storage, key),
        count,
        fields_by_element=_fields_by_element(plans),
        history=[PastFactor(one.factor, one.effect, one.documents) for one in taught_factors(storage, plans, key)],
        disabled=disabled,
    )
    plan = found if rule == PROBE_RULE else mined.plan
    problems = plan_problems(plan) if plan else []
    if plan and not problems:
        if as_new_batch:
            plan = plan.model_copy(update={"key": plans.key_for(plan)})
        plans.write(plan)
    results = exam_results(storage, key)
    weak = len(harmful) if rule == PROBE_RULE else len(mined.weak)
    record = _record(storage, key, parent.documents, results, threshold, weak, plan.key if plan else None)
    write_json(folder / MINING_FILE, mined.to_json())
    write_text(folder / RECORD_FILE, record.model_dump_json(indent=2) + "\n")
    return NextBatch(
        mined=mined,
        harmful=harmful,
        plan=plan,
        problems=problems,
        decision=decide_after(storage, key, limit=limit),
    )


def exam_results(storage: BatchStorage, key: str) -> dict[str, ExamResult]:
    """Return what the readers of a batch's exam got right, by reader.

    Raises:
        MissingInputError: the batch's adapter has taken no exam.
    """
    files = {reader: storage.folder(Stage.EXAM, key) / f"{reader}.jsonl" for reader in (BASE, PROMOTED, ADAPTER)}
    # In the first batch's exam no adapter was in use before.
    return {reader: read_result(file) for reader, file in files.items() if reader != PROMOTED or file.exists()}


def _record(
    storage: BatchStorage,
    key: str,
    documents: int,
    results: dict[str, ExamResult],
    threshold: float,
    weak: int,
    next_key: str | None,
) -> IterationRecord:
    verdict = decisions_until(storage, key)[-1].verdict
    gain = overall_gain(results[ADAPTER], results.get(PROMOTED, results[BASE]))
    return record_iteration(key, documents, verdict, state_progress(gain, threshold), weak, next_key)


def _fields_by_element(plans: PlanFiles) -> Counter[str]:
    """Return the number of fields of each element that the exam asks of documents of the first batch's recipe."""
    papers = exam_papers(plans.deployment_recipe(), (), WEIGHING_DOCUMENTS)
    return Counter(str(element_of(path)) for paper in papers for path in paper.fields)
