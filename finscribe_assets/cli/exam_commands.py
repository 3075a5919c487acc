"""Commands that decide which adapter is used, and whether to go on: exam, adapters, promise, decide, status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.cli.probe_commands import DeploymentRecipe, chosen_recipe
from finscribe_assets.cli.reader_options import Base
from finscribe_assets.cli.synthesis_commands import WorkerCount
from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY, LAST_BATCH_KEY
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.profiles import workers_from_environment

if TYPE_CHECKING:
    from finscribe_assets.iteration.decision import IterationRecord

CANDIDATE_FILE, RIVAL_FILE, VERDICT_FILE = "candidate.jsonl", "rival.jsonl", "verdict.json"

Storage = Annotated[str, typer.Option(help="The platform's storage: a folder or s3://…")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (exam, adapters, promise, decide, status):
        app.command()(command)


def exam(
    adapter: Annotated[
        Path, typer.Option(help="Folder of the adapter that takes the exam.", exists=True, file_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder to write: both readers' results, and verdict.json.")],
    against: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the adapter in use, which it is compared with; the bare base unless given.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    base: Base = "embedded",
    recipe: DeploymentRecipe = None,
    factor: Annotated[
        list[str] | None,
        typer.Option(help="A factor with a part of its own, such as font:Lato or reversed_print; repeatable."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(help="Plan of the adapter's batch: its factors get parts.", exists=True, dir_okay=False),
    ] = None,
    documents: Annotated[int, typer.Option(min=2, help="Number of documents of the recipe.")] = 300,
    threads: Annotated[int, typer.Option(min=1, help="Number of CPU threads that read.")] = 1,
    workers: WorkerCount = None,
) -> None:
    """Let an adapter and the reader in use take the exam, and say whether it should come into use.

    The exam's documents are the same for every reader, and from sellers that no batch and no probe has. An adapter is
    promoted if it is better by a paired test, no factor got significantly worse, and neither documents of the recipe
    nor responses to the base's stock prompts got worse.
    """
    from finscribe_assets.device_lock import device_lock
    from finscribe_assets.documents.recipe_files import load_plan
    from finscribe_assets.files import write_text
    from finscribe_assets.inference.reader import Reader
    from finscribe_assets.mining.factor_plan import planned_factors
    from finscribe_assets.model.torch_runtime import gpu_name
    from finscribe_assets.probing.rendered_reading import RenderedReader
    from finscribe_assets.promotion.exam_documents import exam_papers
    from finscribe_assets.promotion.exam_reading import take_exam
    from finscribe_assets.promotion.exam_results import write_result
    from finscribe_assets.promotion.gate import judge
    from finscribe_assets.rendering.system_packages import require_system
    from finscribe_assets.shards import kept_workers

    require_system()
    planned = planned_factors(load_plan(plan)) if plan else ()
    factors = [*(factor or []), *(one.factor for one in planned if one.documents)]

    def say_left_out(name: str) -> None:
        console.print(f"{name}: no part of the exam, as the recipe hardly draws documents that show it", soft_wrap=True)

    papers = exam_papers(chosen_recipe(recipe, base), factors, documents, on_left_out=say_left_out)
    pool_of_workers, lock = kept_workers(workers or workers_from_environment()), device_lock(gpu_name(), "an exam")
    with lock, pool_of_workers as pool, bar(len(papers), "documents read") as advance:
        readers = [RenderedReader(Reader(base, one, threads=threads), pool) for one in (adapter, against)]
        candidate, rival = take_exam(readers, papers, on_documents=advance)
    verdict = judge(candidate, rival)
    write_result(candidate, out / CANDIDATE_FILE)
    write_result(rival, out / RIVAL_FILE)
    write_text(out / VERDICT_FILE, verdict.model_dump_json(indent=2) + "\n")
    show("parts of the exam", verdict.rows())
    show("the gate", [check.model_dump() for check in verdict.checks])
    console.print(f"{'promoted' if verdict.promoted else 'refused'}: {verdict.reason}", soft_wrap=True)


def adapters(storage: Storage = "storage", key: Annotated[str, typer.Option(help="Up to this batch.")] = "") -> None:
    """Show the platform's adapters: which one is in use, which were refused or withdrawn, and why."""
    from finscribe_assets.iteration.batch_storage import FolderStorage
    from finscribe_assets.iteration.promoting import adapter_folder, adapter_in_use, decisions_until, withdrawal_steps
    from finscribe_assets.promotion.adapter_withdrawals import registry_rows

    batches, until = FolderStorage(storage), key or LAST_BATCH_KEY
    decisions = decisions_until(batches, until)
    if not decisions:
        raise MissingInputError(f"{storage}: no adapter was judged yet; materialise adapter_registry, or run make demo")
    steps = [step for step in withdrawal_steps(batches) if step.after <= until]
    show("adapters", registry_rows(decisions, steps))
    for step in steps:
        console.print(step.text, soft_wrap=True)
    in_use = adapter_in_use(batches, until)
    console.print(
        f"in use: {in_use.key}, {adapter_folder(batches, in_use)}" if in_use else "in use: the bare base",
        soft_wrap=True,
    )


def promise(
    storage: Storage = "storage",
    key: Annotated[str, typer.Option(help="Batch whose plan is meant; not the first, which has none.")] = "batch-001",
    picture: Annotated[
        Path | None, typer.Option(help="Also draw all iterations up to this batch, as a PNG.", dir_okay=False)
    ] = None,
) -> None:
    """Show what a batch's plan promised for each cause, and what the exam says happened."""
    from finscribe_assets.files import write_bytes
    from finscribe_assets.iteration.batch_storage import FolderStorage, PlanFiles
    from finscribe_assets.iteration.loop_picture import loop_picture, loop_steps
    from finscribe_assets.iteration.next_batch import exam_results
    from finscribe_assets.iteration.promise import promises, untouched_parts
    from finscribe_assets.mining.factor_plan import planned_factors

    batches, plans = FolderStorage(storage), PlanFiles(storage)
    results = exam_results(batches, key)
    kept = promises(planned_factors(plans.read(key)), results)
    if picture:
        write_bytes(picture, loop_picture(loop_steps(batches, plans, key)))
    show(f"{key}: promised and kept, accuracy of fields on the exam", [one.row() for one in kept])
    show(
        "what it did not aim at",
        [
            {"part": part, "before": f"{before:.1%}", "after": f"{after:.1%}"}
            for part, (before, after) in untouched_parts(kept, results).items()
        ],
    )


def decide(
    storage: Annotated[
        str | None, typer.Option(help="Decide from the platform's storage, a folder or s3://…; with --key.")
    ] = None,
    key: Annotated[str, typer.Option(help="Batch whose iteration has ended.")] = FIRST_BATCH_KEY,
    exams: Annotated[
        list[Path] | None,
        typer.Option(
            "--exam",
            help="Folder of `finscribe exam`, of this and each earlier iteration; oldest first.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(help="Plan of the next batch; without one, nothing is weak.", exists=True, dir_okay=False),
    ] = None,
    wanted: Annotated[
        str | None, typer.Option(help="For scripts: exit with status 1 unless this batch is to follow.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of iterations after which the loop stops.")] = 5,
    threshold: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Gain of field accuracy on the exam that is worth an iteration.")
    ] = 0.01,
) -> None:
    """Decide whether another iteration is worth its documents, and print why.

    The loop stops when nothing is weak, at the limit, or when two adapters in a row were not promoted; it then says
    whether the exam would have shown a worthwhile gain. The sensor of the platform decides by the same function.
    """
    from finscribe_assets.files import as_path
    from finscribe_assets.iteration.batch_storage import FolderStorage
    from finscribe_assets.iteration.decision import decide as decide_from
    from finscribe_assets.iteration.history import records_until

    if storage is not None:
        records = records_until(FolderStorage(storage), key)
        if not records or records[-1].key != key:
            raise MissingInputError(f"{as_path(storage)}: no hard_sample_plan of {key}; materialise it first")
    elif exams:
        records = _records_of_exams(exams, plan, threshold)
    else:
        raise UserError("give --storage, or --exam for each iteration")
    decision = decide_from(records, limit=limit)
    show("iterations", [record.row() for record in records])
    console.print(f"{decision.action}: {decision.reason}", soft_wrap=True)
    if wanted and decision.next_key != wanted:
        raise typer.Exit(1)


def status(
    storage: Storage = "storage",
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Number of iterations after which the loop stops.", show_default="the profile's"),
    ] = None,
) -> None:
    """Show the loop's status: all iterations on the same documents, unfinished batches, and what follows.

    The platform's asset `iterations` shows the same.
    """
    import os

    from finscribe_assets.iteration.batch_storage import FolderStorage
    from finscribe_assets.iteration.loop_status import loop_status
    from finscribe_assets.profiles import profile_named

    profile = profile_named(os.environ.get("FINSCRIBE_PROFILE", "demo"))
    found = loop_status(FolderStorage(storage), limit=limit or profile.iteration_limit)
    if not found.records and not found.unfinished:
        raise MissingInputError(f"{storage}: no batch here; run `make demo`, or name another --storage")
    show("iterations", found.rows)
    if not found.same_documents:
        console.print("The exam's documents changed between iterations: their accuracies do not compare.")
    for key, stages in found.unfinished.items():
        console.print(f"{key} is not finished; it has results of {', '.join(stages)}", soft_wrap=True)
    console.print(f"{found.decision.action}: {found.decision.reason}", soft_wrap=True)


def _records_of_exams(exams: list[Path], plan: Path | None, threshold: float) -> list[IterationRecord]:
    """Return the records of iterations that were made on plain files; batches are counted from 0."""
    from finscribe_assets.documents.batch_keys import next_batch_key
    from finscribe_assets.documents.recipe_files import load_plan
    from finscribe_assets.iteration.decision import record_iteration
    from finscribe_assets.promotion.exam_results import read_result
    from finscribe_assets.promotion.gate import judge, overall_gain
    from finscribe_assets.promotion.paired_gain import state_progress

    records, key = [], FIRST_BATCH_KEY
    for number, folder in enumerate(exams, 1):
        candidate, rival = (read_result(folder / name) for name in (CANDIDATE_FILE, RIVAL_FILE))
        stated = state_progress(overall_gain(candidate, rival), threshold)
        is_last = number == len(exams)
        weak = len(load_plan(plan).reasons) if plan and is_last else 0
        next_key = next_batch_key(key) if plan or not is_last else None
        records.append(record_iteration(key, 0, judge(candidate, rival), stated, weak, next_key))
        key = next_batch_key(key)
    return records
