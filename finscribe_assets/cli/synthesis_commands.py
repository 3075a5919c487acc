"""Commands that make a data set: synthesize, render, pairs, split."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.cli.console_output import bar, console
from finscribe_assets.cli.schema_option import SchemaName, mapping_given
from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.profiles import workers_from_environment

if TYPE_CHECKING:
    from finscribe_assets.documents.plan import Plan
    from finscribe_assets.instructions.task_mix import PairRecipe
    from finscribe_assets.schema_mapping.mapping import SchemaMapping

Workspace = Annotated[
    Path,
    typer.Argument(
        help="The workspace: the folder that `finscribe synthesize --out` wrote.", exists=True, file_okay=False
    ),
]
WorkerCount = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Number of worker processes; the data do not depend on it.",
        show_default="all processors",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (synthesize, render, pairs, split):
        app.command()(command)


def synthesize(
    out: Annotated[Path, typer.Option(help="Workspace to write: documents/, documents.parquet, documents.jsonl.")],
    num_samples: Annotated[int, typer.Option(min=1, help="Number of documents.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same seed gives the same documents, byte for byte.")] = 0,
    recipe: Annotated[
        Path | None,
        typer.Option(help="YAML or JSON recipe: weights and knob intensities.", exists=True, dir_okay=False),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A named recipe: simple, medium or complex documents; born_digital, scanned or photographed ones; or "
            "embedded, which holds what the embedded base can learn."
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="A plan that `finscribe mine --plan` wrote; it determines number, seed and recipe.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    shard_size: Annotated[int, typer.Option(min=1, help="Number of documents in a shard.")] = 100,
    workers: WorkerCount = None,
) -> None:
    """Draw documents with exact ground truth.

    `documents.jsonl` is the ground-truth format that `evaluate` and `mine` read: one `{"id": …, "document": {…}}` on
    each line, in the schema that `finscribe schema` prints.
    """
    from finscribe_assets.documents.document_batch import synthesize as draw_batch
    from finscribe_assets.documents.document_batch import write_ground_truth, write_single_table
    from finscribe_assets.documents.plan import seed_plan
    from finscribe_assets.documents.recipe_files import load_plan, load_recipe
    from finscribe_assets.documents.recipe_presets import RECIPE_PRESETS
    from finscribe_assets.files import write_text
    from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
    from finscribe_assets.ray_pool import pool_from_environment

    given = [name for name, value in (("--plan", plan), ("--recipe", recipe), ("--preset", preset)) if value]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)}: each of these options determines what is drawn; give one")
    presets = RECIPE_PRESETS | {"embedded": EMBEDDED_RECIPE}
    if preset and preset not in presets:
        raise UserError(f"--preset: {preset!r} is unknown; choose one of {', '.join(presets)}")
    chosen = presets[preset] if preset else load_recipe(recipe) if recipe else None
    wanted = load_plan(plan) if plan else seed_plan(FIRST_BATCH_KEY, num_samples, seed, chosen)
    write_text(out / "plan.json", wanted.model_dump_json(indent=2) + "\n")
    with bar(wanted.documents, "documents") as advance:
        summary = draw_batch(
            wanted,
            out / "documents",
            pool_from_environment(workers or workers_from_environment()),
            shard_size=shard_size,
            on_shard=advance,
        )
    write_single_table(out / "documents", out / "documents.parquet")
    write_ground_truth(out / "documents", out / "documents.jsonl")
    console.print(
        f"{wanted.documents} documents in {out} ({summary.skipped} of {summary.shards} shards existed already)"
    )


def render(
    workspace: Workspace,
    dpi: Annotated[int, typer.Option(min=72, max=300, help="Resolution, in dots per inch.")] = 144,
    preview: Annotated[
        bool, typer.Option(help="Also write preview.png: the first pages with their boxes drawn on.")
    ] = True,
    workers: WorkerCount = None,
) -> None:
    """Render page images with exact boxes into images/.

    A document whose pages do not show what it contains is rejected: it gets no pages, and later commands leave it out.
    If more than 1 % of the documents are rejected, and more than one, the exit status is 1.
    """
    from finscribe_assets.documents.document_batch import write_ground_truth
    from finscribe_assets.ray_pool import pool_from_environment
    from finscribe_assets.rendering.page_batch import destroyed_fields, read_rendered, render_batch
    from finscribe_assets.rendering.preview import contact_sheet

    started = time.perf_counter()
    with bar(_documents(workspace), "documents rendered") as advance:
        summary = render_batch(
            workspace / "documents",
            workspace / "images",
            pool_from_environment(workers or workers_from_environment()),
            dpi=dpi,
            on_shard=advance,
        )
    console.print(
        f"{summary.pages} pages in {workspace / 'images'} after {time.perf_counter() - started:.1f} s "
        f"({summary.skipped} of {summary.shards} shards existed already)"
    )
    destroyed = destroyed_fields(workspace / "images")
    if destroyed or summary.rejects:
        # Evaluation must not ask for values that no reader can see.
        write_ground_truth(workspace / "documents", workspace / "documents.jsonl", destroyed, summary.rejects)
    if destroyed:
        console.print(
            f"{sum(map(len, destroyed.values()))} values of {len(destroyed)} documents are damaged beyond "
            "reading; documents.jsonl no longer asks for them"
        )
    for reason in summary.rejects.values():
        console.print(f"rejected: {reason}")
    if preview and summary.pages:
        sheet = workspace / "preview.png"
        first = [document for document, _ in zip(read_rendered(workspace / "images"), range(12), strict=False)]
        contact_sheet(first).save(sheet)
        console.print(f"Look at {sheet}")
    if summary.too_many_rejects:
        console.print(f"{len(summary.rejects)} of {summary.documents} documents were rejected, more than may be")
        raise typer.Exit(1)


def pairs(
    workspace: Workspace,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            help="Highest number of pairs of a task for each document, such as ocr_line=8 or arithmetic=1.5; "
            "repeatable. Other "
            "tasks keep their usual number."
        ),
    ] = None,
    only: Annotated[bool, typer.Option("--only", help="Make pairs of no other tasks than those in --mix.")] = False,
    lines: Annotated[
        bool,
        typer.Option("--lines", help="Mix for a base that reads single printed lines, as the embedded one does."),
    ] = False,
    max_pixels: Annotated[
        int,
        typer.Option(
            min=28 * 28,
            help="Pixels to which the model's processor reduces larger images: print that is too small after that is "
            "not asked. The default is that of PaddleOCR-VL-1.5; PaddleOCR-VL has 2822400.",
        ),
    ] = 1_003_520,
    schema: SchemaName = None,
    workers: WorkerCount = None,
) -> None:
    """Turn pages into instruction pairs in pairs/: extraction, questions, arithmetic, boxes, tables, lines of text.

    With --schema, prompts name your keys and responses are your JSON, so that a model learns to write it.
    """
    from finscribe_assets.instructions.pair_batch import build_pair_batch
    from finscribe_assets.ray_pool import pool_from_environment

    with bar(_documents(workspace), "documents paired") as advance:
        summary = build_pair_batch(
            workspace / "documents",
            workspace / "images",
            workspace / "pairs",
            pool_from_environment(workers or workers_from_environment()),
            _recipe(mix or [], only=only, lines=lines, max_pixels=max_pixels, mapping=mapping_given(schema)),
            on_shard=advance,
        )
    for task, count in sorted(summary.tasks.items()):
        console.print(f"{count:8,}  {task}")


def _recipe(mix: list[str], *, only: bool, lines: bool, max_pixels: int, mapping: SchemaMapping | None) -> PairRecipe:
    from finscribe_assets.instructions.pair import Task
    from finscribe_assets.instructions.task_mix import DEFAULT_MIX, LINE_MIX, PairRecipe

    counts: dict[str, float] = {}
    for item in mix:
        task, _, count = item.partition("=")
        if task not in set(Task):
            raise UserError(f"--mix {item}: {task!r} is unknown; tasks are {', '.join(Task)}")
        try:
            counts[task] = float(count)
        except ValueError:
            raise UserError(f"--mix {item}: give a number of pairs, such as {task}=2") from None
    usual = {} if only else LINE_MIX if lines else DEFAULT_MIX
    return PairRecipe(mix=usual, max_pixels=max_pixels, mapping=mapping).with_counts(**counts)


def split(
    workspace: Workspace,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            help="Workspace of an earlier batch that is trained on too, oldest first; its splits stay as they are.",
        ),
    ] = None,
    hold_out: Annotated[
        bool,
        typer.Option(help="Keep the held-out layouts, fonts and locale from the first batch's training."),
    ] = True,
    workers: WorkerCount = None,
) -> None:
    """Split documents 80/10/10 into train, validation and test, in splits/.

    All documents of one vendor and template family are in one split; held-out layouts, fonts and locales are in
    validation and test only. `docs/splits.md` explains the columns of `splits.parquet`. The manifest is all that
    `finscribe rebuild` needs to rebuild the data set.
    """
    from finscribe_assets.ray_pool import pool_from_environment
    from finscribe_assets.splitting.leak_checks import find_leaks
    from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
    from finscribe_assets.splitting.page_hashes import read_hashes
    from finscribe_assets.splitting.split_table import read_splits

    folders = [*(earlier or []), workspace]
    batches = [BatchInputs.of_workspace(plan_of(folder), folder) for folder in folders]
    manifest = build_data_set(
        batches,
        batches[-1].key,
        workspace / "splits",
        pool_from_environment(workers or workers_from_environment()),
        hold_out=hold_out,
    )
    if wrong := manifest.wrong_plans():
        raise UserError(
            f"the documents of {', '.join(wrong)} were drawn from another plan than plan.json: draw them anew"
        )
    pages = [page for batch in batches for page in read_hashes(batch.hashes)]
    found = find_leaks(read_splits(workspace / "splits"), pages)
    if found:
        raise UserError(f"{workspace / 'splits'}: documents leak between splits: {json.dumps(found)}")
    console.print_json(data=manifest.counts())
    for row in manifest.counts_by("exposure"):
        console.print(", ".join(f"{name} {value}" for name, value in row.items()))


def _documents(workspace: Path) -> int:
    from finscribe_assets.shards import row_count, shard_files

    refuse_imported(workspace)
    files = shard_files(workspace / "documents")
    if not files:
        raise MissingInputError(
            f"{workspace / 'documents'}: no documents; run `finscribe synthesize --out {workspace}` first"
        )
    return sum(row_count(file) for file in files)


def plan_of(workspace: Path) -> Plan:
    """Return the plan of a workspace.

    Raises:
        UserError: it holds imported documents, or no plan.
    """
    from finscribe_assets.documents.recipe_files import load_plan

    refuse_imported(workspace)
    if not (file := workspace / "plan.json").exists():
        raise MissingInputError(f"{file}: no such file; a workspace is a folder that `finscribe synthesize` wrote")
    return load_plan(file)


def refuse_imported(workspace: Path) -> None:
    """Refuse a workspace of imported documents to a command that needs drawn ones.

    Raises:
        UserError: it is one.
    """
    from finscribe_assets.importing.folder_import import IMPORT_REPORT_FILE

    if (workspace / IMPORT_REPORT_FILE).exists():
        raise UserError(
            f"{workspace}: holds imported documents, which have no drawn content and never enter training; predict, "
            "evaluate, mine, queue and export take them, this command needs a workspace of `finscribe synthesize`"
        )


def documents_of_split(splits: Path, split: str) -> set[str]:
    """Return the ids of the documents of one split."""
    from finscribe_assets.splitting.split_assignment import Split
    from finscribe_assets.splitting.split_table import read_splits

    if split not in set(Split):
        raise UserError(f"--split: {split!r} is unknown; splits are {', '.join(Split)}")
    return {row.document_id for row in read_splits(splits) if row.split == split}


def measured_splits(splits: Path) -> list[str]:
    """Return the splits that are read unless others are named: validation and test, or that of imported documents."""
    from finscribe_assets.splitting.split_assignment import Split
    from finscribe_assets.splitting.split_table import read_splits

    is_imported = Split.REAL in {row.split for row in read_splits(splits)}
    return [Split.REAL] if is_imported else [Split.VALIDATION, Split.TEST]
