"""The pairs of six documents in two shards, among them a patched page and several pages, and their exports."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.exporting.folder_export import ExportFormat, ExportSummary, export_pairs
from finscribe_assets.files import read_table, write_table
from finscribe_assets.instructions.crops import page_cache, pair_images
from finscribe_assets.instructions.pair import Pair, Patch, Span, SpanType, pairs_from_table, pairs_to_table
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.rendering.page_batch import read_rendered, render_batch
from finscribe_assets.rendering.pages import Box, RenderedDocument
from finscribe_assets.shards import LocalShardPool, shard_files
from finscribe_assets.splitting.split_assignment import Split


@dataclass(frozen=True)
class ExportInputs:
    """Pairs and pages to export; ``documents`` belong to the split, and the two shards contain others as well."""

    pairs: Path
    images: Path
    documents: frozenset[str]
    expected: dict[str, Pair]
    rendered: dict[str, RenderedDocument]
    pixels: Callable[[Pair], list[np.ndarray]]

    def export(self, out: Path, format_: ExportFormat, split: Split = Split.TRAIN, **options) -> ExportSummary:
        options = {"pool": LocalShardPool(1), "documents": self.documents, "max_turns": 1} | options
        return export_pairs(self.pairs, self.images, out, split=split, format_=format_, **options)


@pytest.fixture(scope="session")
def work(tmp_path_factory) -> ExportInputs:
    folder = tmp_path_factory.mktemp("exporting")
    pool = LocalShardPool(1)
    # Nearly any six documents of this recipe have illegible values and several pages among them.
    recipe = Recipe(knobs=Knobs(several_pages=0.6, handwritten_note=1.0, stamp=1.0, fold=1.0))
    synthesize(seed_plan("batch-000", 6, 4, recipe), folder / "documents", pool, shard_size=3)
    render_batch(folder / "documents", folder / "images", pool)
    build_pair_batch(
        folder / "documents", folder / "images", folder / "all", pool, PairRecipe().with_counts(ocr_line=3)
    )
    rendered = {document.id: document for document in read_rendered(folder / "images")}
    documents = frozenset(name for number, name in enumerate(rendered) if number % 2 == 0)
    expected: dict[str, Pair] = {}
    for file in shard_files(folder / "all"):
        pairs = pairs_from_table(read_table(file))
        index, first = next(
            (index, pair) for index, pair in enumerate(pairs) if pair.document_id in documents and pair.box is None
        )
        pairs.insert(
            index + 1,
            replace(
                first,
                id=f"{first.id}/Änderung.<1>",
                prompt="What is\u2028owed?\n{}",
                response='{"a":"\u0085é𝟙\\u"}',
                prompt_held_out="What is there to pay?",
                patches=(Patch(0, Box(40, 40, 120, 60), Box(200, 300, 300, 325)),),
                spans=(Span(0, 5, SpanType.STRUCTURE), Span(6, 8, SpanType.VALUE, "a")),
            ),
        )
        write_table(folder / "pairs" / file.name, pairs_to_table(pairs))
        expected |= {pair.id: pair for pair in pairs if pair.document_id in documents}
    open_page = page_cache(lambda document, number: rendered[document].pages[number])
    return ExportInputs(
        folder / "pairs",
        folder / "images",
        documents,
        expected,
        rendered,
        lambda pair: [np.asarray(image) for image in pair_images(pair, open_page)],
    )


@pytest.fixture(scope="session")
def exported(work, tmp_path_factory) -> Callable[[ExportFormat], Path]:
    """Return a function that returns an export in a format, written once; tests that change one copy it."""
    folders: dict[ExportFormat, Path] = {}

    def folder(format_: ExportFormat) -> Path:
        if format_ not in folders:
            folders[format_] = tmp_path_factory.mktemp("exports") / format_
            work.export(folders[format_], format_)
        return folders[format_]

    return folder


@pytest.fixture
def copied(exported, tmp_path):
    """Return a function that gives a copy of an export, to be broken."""

    def copy(format_: ExportFormat) -> Path:
        return Path(shutil.copytree(exported(format_), tmp_path / "copy"))

    return copy
