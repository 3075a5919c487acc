"""Commands that write data for other trainers: export, validate-export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.cli.console_output import bar, console
from finscribe_assets.cli.schema_option import SchemaName, mapping_given
from finscribe_assets.cli.synthesis_commands import WorkerCount, documents_of_split
from finscribe_assets.errors import MissingInputError, UserError

if TYPE_CHECKING:
    from finscribe_assets.exporting.folder_export import ExportSummary

MaxCharacters = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Fail on a sample whose prompt and response together are longer.",
        show_default="no limit, the longest is reported",
    ),
]

MaxTokens = Annotated[
    int,
    typer.Option(
        min=256, help="Report samples with more tokens, images included as the model's processor counts them."
    ),
]
MaxPixels = Annotated[
    int,
    typer.Option(
        min=28 * 28,
        help="Pixels to which the processor reduces larger images: PaddleOCR-VL-1.5 unless given; PaddleOCR-VL has "
        "2822400.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (export, validate_export):
        app.command()(command)


def export(
    workspace: Annotated[
        Path,
        typer.Argument(
            help="The workspace that `finscribe synthesize --out` wrote; with --batch, the storage of the Dagster "
            "assets.",
            exists=True,
            file_okay=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder to write: a new one, an empty one, or one with an unfinished export of the same pairs."
        ),
    ],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "train",
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="messages (ms-swift, LLaMA-Factory, PaddleFormers), erniekit, hf (Parquet with a dataset card), "
            "webdataset, or coco (pages and the boxes on them).",
        ),
    ] = "messages",
    batch: Annotated[
        str | None, typer.Option(help="A batch in the storage of the Dagster assets, such as batch-000.")
    ] = None,
    max_characters: MaxCharacters = None,
    max_tokens: MaxTokens = 8192,
    max_pixels: MaxPixels = 1_003_520,
    max_turns: Annotated[
        int,
        typer.Option(
            min=1,
            help="Number of questions about the same pages in one sample of the format messages; 1 for a sample for "
            "each pair.",
        ),
    ] = 8,
    schema: SchemaName = None,
    workers: WorkerCount = None,
) -> None:
    """Write pairs in a format that trainers load, and validate it.

    Loaders silently drop bad samples (a missing image, an `<image>` too many, an empty response); the
    validation here fails on every one of them. The same pairs give the same bytes; run an interrupted export again to
    finish it.
    """
    from finscribe_assets.exporting.folder_export import ExportFormat, export_pairs
    from finscribe_assets.profiles import workers_from_environment
    from finscribe_assets.ray_pool import pool_from_environment
    from finscribe_assets.rendering.model_resize import PixelBudget
    from finscribe_assets.splitting.split_assignment import Split

    pairs, images, splits = _folders(workspace, batch)
    documents = documents_of_split(splits, split)
    _check_keys(pairs, schema)
    if format_ not in set(ExportFormat):
        raise UserError(f"--format: {format_!r} is unknown; formats are {', '.join(ExportFormat)}")
    with bar(None, "pairs written") as written, bar(None, "samples checked") as checked:
        summary = export_pairs(
            pairs,
            images,
            out,
            documents=documents,
            split=Split(split),
            format_=ExportFormat(format_),
            pool=pool_from_environment(workers or workers_from_environment()),
            max_characters=max_characters,
            max_tokens=max_tokens,
            budget=PixelBudget(max_pixels=max_pixels),
            max_turns=max_turns,
            on_written=written,
            on_checked=checked,
        )
    _print_summary(out, summary, max_tokens)


def _check_keys(pairs: Path, schema: str | None) -> None:
    """Print whose keys the pairs have; refuse pairs in other keys than those that were asked for."""
    from finscribe_assets.instructions.pair_batch import PAIR_RECIPE_FILE, read_pair_recipe

    made_in = read_pair_recipe(pairs).mapping if (pairs / PAIR_RECIPE_FILE).exists() else None
    wanted = mapping_given(schema)
    if wanted is not None and (made_in is None or made_in.content_hash != wanted.content_hash):
        has = "the keys of the schema" if made_in is None else f"the keys of {made_in.name}, as they were then"
        raise UserError(
            f"{pairs}: the pairs are in {has}; run `finscribe pairs {pairs.parent} --schema {schema}` first"
        )
    if made_in is not None:
        console.print(f"responses: keys of {made_in.name}", markup=False, highlight=False)


def _folders(workspace: Path, batch: str | None) -> tuple[Path, Path, Path]:
    """Return where pairs, page images and splits lie, of a workspace or of a batch in Dagster's storage."""
    if batch is None:
        return workspace / "pairs", workspace / "images", workspace / "splits"
    from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN

    if not BATCH_KEY_PATTERN.fullmatch(batch):
        raise UserError(f"--batch: {batch!r} is not of the form batch-007")
    pairs = workspace / "instruction_pairs" / batch
    if not pairs.is_dir():
        raise MissingInputError(f"{pairs}: no such batch; WORKSPACE is the folder that FINSCRIBE_STORAGE names")
    return pairs, workspace / "rendered_images" / batch, workspace / "dataset_splits" / batch


def validate_export(
    folder: Annotated[
        Path, typer.Argument(help="A folder that `finscribe export` wrote.", exists=True, file_okay=False)
    ],
    max_characters: MaxCharacters = None,
    max_tokens: MaxTokens = 8192,
    max_pixels: MaxPixels = 1_003_520,
) -> None:
    """Validate every sample and image of an export again, for instance after copying or editing it.

    Everything that a loader would drop or fail on is an error that names file, line and field, and how to mend it.
    """
    from finscribe_assets.exporting.folder_export import validate_export as validate
    from finscribe_assets.rendering.model_resize import PixelBudget

    with bar(None, "samples checked") as checked:
        summary = validate(
            folder,
            max_characters=max_characters,
            max_tokens=max_tokens,
            budget=PixelBudget(max_pixels=max_pixels),
            on_checked=checked,
        )
    _print_summary(folder, summary, max_tokens)


def _print_summary(folder: Path, summary: ExportSummary, max_tokens: int) -> None:
    from finscribe_assets.exporting.sample_checks import MIN_IMAGE_SIDE

    tally = summary.tally
    samples, images = ("boxes", "pages") if summary.format == "coco" else ("pairs", "images")
    count = tally.samples if summary.format == "coco" else tally.pairs
    console.print(f"{count:,} {samples} and {tally.images:,} {images} of {summary.split} in {folder}, all checked")
    if tally.longest_id:
        console.print(
            f"The longest prompt and response: {tally.longest_characters:,} characters, {tally.longest_id}",
            markup=False,
            soft_wrap=True,
        )
    if tally.pairs > tally.samples:
        console.print(f"{tally.samples:,} samples: questions about the same pages are turns of one conversation")
    if tally.too_long:
        console.print(
            f"{len(tally.too_long):,} samples have more than {max_tokens:,} tokens, which trainers drop or cut "
            f"(about {tally.most_tokens:,} at most): {', '.join(tally.too_long[:3])}",
            markup=False,
            soft_wrap=True,
        )
    if tally.small_images:
        console.print(
            f"{tally.small_images:,} {images} have a side of less than {MIN_IMAGE_SIDE} pixels, "
            "which PaddleOCR-VL enlarges"
        )
    # A line to copy: it is not wrapped, and its brackets are no markup.
    console.print(f"Load it: {summary.load_with}", markup=False, highlight=False, soft_wrap=True)
