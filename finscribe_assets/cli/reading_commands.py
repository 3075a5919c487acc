"""Commands that read with a model, or write it for other tools: predict, extract, merge."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.cli.console_output import bar, console, print_error, print_note
from finscribe_assets.cli.reader_options import (
    Adapter,
    Base,
    Model,
    Promoted,
    Reads,
    Server,
    adapter_or_promoted,
    reader_given,
)
from finscribe_assets.cli.reading_outputs import distinct_stems, draw_record_boxes
from finscribe_assets.cli.schema_option import SchemaName, mapping_given
from finscribe_assets.cli.synthesis_commands import Workspace, documents_of_split, measured_splits
from finscribe_assets.errors import UserError
from finscribe_assets.model.base_names import EMBEDDED

if TYPE_CHECKING:
    from finscribe_assets.inference.image_reader import ImageReader
    from finscribe_assets.inference.region_layout import Layout
    from finscribe_assets.inference.server_settings import ReadingUnit
    from finscribe_assets.rendering.pages import Page
    from finscribe_assets.schema_mapping.mapping import SchemaMapping

SHARD_SUFFIX = ".parquet"  # of rendered pages


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (predict, extract, merge):
        app.command()(command)


def predict(
    workspace: Workspace,
    adapter: Adapter = None,
    promoted: Promoted = None,
    base: Base = EMBEDDED,
    server: Server = None,
    model: Model = None,
    reads: Reads = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for predictions.jsonl; WORKSPACE/predictions unless given.")
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(help="Splits to read; validation and test unless given, or all of imported documents."),
    ] = None,
    tables: Annotated[
        bool,
        typer.Option(
            "--tables",
            help="Find table rows in the pixels and columns by their heads, instead of using the renderer's cell "
            "boxes.",
        ),
    ] = False,
    lines: Annotated[
        bool,
        typer.Option(
            "--lines",
            help="Find the printed lines in the pixels, and fields by labels and positions, instead of using the "
            "renderer's boxes. Predictions then have the boxes of values.",
        ),
    ] = False,
    schema: SchemaName = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Number of CPU threads; the last digits of confidences may depend on it.")
    ] = 1,
) -> None:
    """Read a workspace's documents with a model, and write predictions.jsonl for `evaluate` and `mine`.

    The embedded model reads lines at boxes that come from the renderer; the report calls them an oracle. Imported pages
    have none: their lines are found in the pixels. With --schema, a model that reads pages is asked in your keys, as
    `finscribe pairs --schema` taught it. A run that was stopped, or whose server went away, goes on where it was.
    """
    from finscribe_assets.device_lock import device_lock
    from finscribe_assets.inference.prediction import PREDICTIONS_FILE, predict_batch
    from finscribe_assets.inference.region_layout import RendererTables
    from finscribe_assets.model.torch_runtime import gpu_name

    if lines and tables:
        raise UserError("--lines, --tables: give one of them; --lines finds tables as well")
    splits = workspace / "splits"
    asked = {name for part in split or measured_splits(splits) for name in documents_of_split(splits, part)}
    if not asked:
        raise UserError(f"--split: no document of {workspace} is in {' or '.join(split or measured_splits(splits))}")
    folder = out or workspace / "predictions"
    found_tables = RendererTables() if tables else None
    lock = device_lock(None if server else gpu_name(), f"predictions of {workspace.name}")
    with lock, bar(len(asked), "documents read") as advance:
        reader = reader_given(base, adapter, promoted, server, model, reads, threads)
        summary = predict_batch(
            [workspace / "images"],
            asked,
            folder,
            reader=reader,
            layout=_layout(Regions.LINES, reads_lines=True, threads=threads) if lines else found_tables,
            prompt=_prompt_in(mapping_given(schema)),
            on_documents=advance,
        )
    took = (
        "read before" if summary.seconds_per_document is None else f"{summary.seconds_per_document:.2f} s per document"
    )
    console.print(
        f"{summary.documents} documents in {folder / PREDICTIONS_FILE} ({took}; regions: {summary.layout or 'none'})"
    )


class WeightType(StrEnum):
    """Number formats of merged weights."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Regions(StrEnum):
    """What `extract` finds the regions of a page with."""

    LINES = "lines"
    BLOCKS = "blocks"
    NONE = "none"


def extract(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Images and PDFs: pages, or images of one line; folders of them; or a shard of rendered pages, "
            "part-00000.parquet."
        ),
    ],
    adapter: Adapter = None,
    promoted: Promoted = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="Base model: embedded, a folder with a checkpoint, or OWNER/NAME of a repository on the hub. Without "
            "--base and --adapter, the OCR engine's own recogniser reads the lines."
        ),
    ] = None,
    server: Server = None,
    model: Model = None,
    reads: Reads = None,
    box: Annotated[
        str | None, typer.Option(help="Read only x0,y0,x1,y1 of each image, in pixels from the top left.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="Prompt to use instead of the stock one.")] = None,
    document: Annotated[str | None, typer.Option(help="Read only this document of a shard.")] = None,
    layout: Annotated[
        Regions | None,
        typer.Option(
            help="What finds the regions of a page: lines (a text detector), blocks (PP-DocLayout, where PaddleX is "
            "installed) or none: the page is read whole. Lines for a base that reads lines, else none."
        ),
    ] = None,
    only_json: Annotated[
        bool, typer.Option("--json", help="Constrain the response of a page-level model to a JSON object.")
    ] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="The same, with no other keys than those of the schema.")
    ] = False,
    locale: Annotated[
        str | None, typer.Option(help="Locale whose labels identify fields, such as de_DE; detected unless given.")
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Max new tokens; a response that reaches this number is marked as truncated."),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help="Folder for the pages with numbered lines and named values, FILE-PAGE.png.", file_okay=False),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="One HTML file to look at: pages, boxes, values, lines, and what was not assigned and why."),
    ] = None,
    dpi: Annotated[
        int, typer.Option(min=36, max=600, help="Resolution that PDF pages are rasterised at, in dots per inch.")
    ] = 144,
    schema: SchemaName = None,
    upright: Annotated[
        bool,
        typer.Option(
            help="Turn pages upright and straighten them. Boxes are in pixels of the turned page; --box turns nothing."
        ),
    ] = True,
    threads: Annotated[int, typer.Option(min=1, help="Number of CPU threads.")] = 1,
) -> None:
    """Read images and PDFs and print the result, one JSON object on each line.

    Lines are read by the OCR engine, or by a model where --base or --adapter is given. For a page the record has the
    text of each line, the fields that a label identifies, and the fields that are undetermined, with the reason. A file
    that cannot be read gives an object with its `error`, the others are read, and the exit status is 1. With --schema,
    values are in your keys, and a model that reads pages is asked for them.
    """
    import json

    from finscribe_assets.documents.file_ids import file_document_id
    from finscribe_assets.evaluation.user_records import record_in_user_keys
    from finscribe_assets.files import write_text
    from finscribe_assets.inference.extraction import Extractor, extract_rendered
    from finscribe_assets.inference.extraction_page import Extraction, extractions_to_html
    from finscribe_assets.inference.json_grammar import JsonGrammar
    from finscribe_assets.inference.typed_boxes import parse_box
    from finscribe_assets.opening.input_limits import InputLimits
    from finscribe_assets.opening.page_reader import PageReader

    region = parse_box(box) if box else None
    mapping = mapping_given(schema)
    reader = _reader_of(base, adapter, promoted, server, model, reads, layout, prompt, threads)
    finds = region is None and not all(path.suffix == SHARD_SUFFIX for path in files)
    found_layout = _layout(layout, reads_lines=reader.reads_lines, threads=threads) if finds else None
    reads_pages = not reader.reads_lines and found_layout is None and region is None
    extractor = Extractor(
        reader,
        found_layout,
        prompt or (_prompt_in(mapping) if reads_pages else "") or None,
        JsonGrammar(only_known_keys=keys, mapping=mapping) if only_json or keys else None,
        max_tokens,
        locale,
    )
    failures, read = 0, list[Extraction]()
    listed = _listed(files)
    stems = distinct_stems(listed)
    with PageReader(dpi, InputLimits(), upright=upright and region is None, threads=threads) as opener:
        for path in listed:
            pages: tuple[Page, ...] = ()
            try:
                if path.suffix == SHARD_SUFFIX:
                    records = extract_rendered(reader, path, document, prompt=prompt or _prompt_in(mapping))
                else:
                    content = opener.open(path)
                    pages = content.pages
                    records = [extractor.read_content(str(path), content, region, file_document_id(path))]
            except UserError as error:
                failures += 1
                reason = str(error).removeprefix(f"{path}: ")
                print_error(f"{path}: {reason}")
                records = [{**_id_of(path), "file": str(path), "error": reason}]
            for record in records:
                if boxes is not None and "lines" in record:
                    draw_record_boxes(pages, record, boxes, stems[path])
                if html is not None:
                    read.append(Extraction({"file": str(path), **record}, pages))
                shown = record if mapping is None else record_in_user_keys(record, mapping)
                typer.echo(json.dumps(shown, ensure_ascii=False))
    if html is not None:
        write_text(html, extractions_to_html(read))
    if failures:
        raise typer.Exit(1)


def _reader_of(
    base: str | None,
    adapter: Path | None,
    promoted: str | None,
    server: str | None,
    model: str | None,
    reads: ReadingUnit | None,
    layout: Regions | None,
    prompt: str | None,
    threads: int,
) -> ImageReader:
    """Return the reader that `extract` is asked for: a model, here or on a server, or else the OCR engine.

    The OCR engine is named.

    Raises:
        UserError: the OCR engine is asked for more than lines, or options do not fit together.
    """
    from finscribe_assets.inference.ocr_reader import OcrReader

    if any(given is not None for given in (base, adapter, promoted, server, model, reads)):
        return reader_given(base or EMBEDDED, adapter, promoted, server, model, reads, threads)
    if prompt or layout is Regions.BLOCKS:
        raise UserError(
            f"{'--prompt' if prompt else '--layout blocks'}: the OCR engine reads plain lines only; give --base or "
            "--adapter to read with a model (--base embedded is part of the package), or --server"
        )
    print_note(
        "Lines are read by the OCR engine's own recogniser, since neither --base nor --adapter is given; no training "
        "changes it."
    )
    return OcrReader(threads)


def _prompt_in(mapping: SchemaMapping | None) -> str:
    """Return the prompt that asks for whole documents in a user's keys; empty without a mapping."""
    from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
    from finscribe_assets.instructions.response_keys import structure_of

    return full_extraction_prompt(structure_of(mapping)) if mapping else ""


def _listed(files: list[Path]) -> list[Path]:
    """Return the files that a command was given, with folders replaced by the PDFs and images in them."""
    from finscribe_assets.opening.file_types import page_files

    # A folder without any stays in the list, where opening it gives the error.
    return [file for path in files for file in ((page_files(path) if path.is_dir() else []) or [path])]


def _id_of(path: Path) -> dict[str, str]:
    """Return the id of a file that cannot be read as a document, as a member of its record; none if it has no bytes."""
    from finscribe_assets.documents.file_ids import file_document_id

    try:
        return {"id": file_document_id(path)} if path.is_file() else {}
    except OSError:
        return {}


def _layout(asked: Regions | None, *, reads_lines: bool, threads: int) -> Layout | None:
    from finscribe_assets.inference.doclayout import DocLayout
    from finscribe_assets.inference.region_layout import DetectedLines
    from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder

    chosen = asked or (Regions.LINES if reads_lines else Regions.NONE)
    if chosen is Regions.NONE:
        return None
    return DocLayout() if chosen is Regions.BLOCKS else DetectedLines(RapidOcrFinder(threads))


def merge(
    out: Annotated[Path, typer.Option(help="New folder for the merged checkpoint.")],
    adapter: Annotated[
        Path | None, typer.Option(help="Folder of a trained adapter.", exists=True, file_okay=False)
    ] = None,
    promoted: Promoted = None,
    base: Base = EMBEDDED,
    dtype: Annotated[
        WeightType | None, typer.Option(help="Number format of the weights; the base's unless given.")
    ] = None,
) -> None:
    """Merge an adapter into its base and write one checkpoint, for loaders without LoRA support: transformers, vLLM."""
    from finscribe_assets.inference.checkpoint_merging import merge_adapter

    merged = adapter_or_promoted(adapter, promoted)
    if merged is None:
        raise UserError("give --adapter, or --promoted with the platform's storage")
    summary = merge_adapter(base, merged, out, dtype.value if dtype else None)
    console.print(
        f"{summary.changed} of {summary.tensors} tensors changed, {summary.dtype}. Checkpoint in {out}; read "
        f"with it: `finscribe extract --base {out}`"
    )
