"""A batch of pairs as files: one shard of pairs for each shard of pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import documents_from_table
from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import AnyPath, read_json, read_table, sha256_of, write_json
from finscribe_assets.instructions.pair import (
    ILLEGIBLE,
    SINGLE_FIELD_TASKS,
    Pair,
    Task,
    pairs_from_table,
    pairs_to_table,
)
from finscribe_assets.instructions.task_mix import PairRecipe, make_pairs
from finscribe_assets.rendering.pages import pages_from_table
from finscribe_assets.shards import (
    ShardPool,
    read_fingerprint,
    read_shards,
    row_count,
    shard_files,
    write_missing_shards,
    write_shard,
)

PAIRS_VERSION = 3  # raise it with every change to what is asked or answered
PAIR_RECIPE_FILE = "recipe.json"


@dataclass(frozen=True)
class PairSummary:
    """What pairing a batch did."""

    pairs: int
    tasks: dict[str, int]
    fewest_per_document: int  # pairs of the document that has the fewest
    shards: int
    skipped: int  # shards that were there already, made from the same pages


@dataclass(frozen=True)
class _PairJob:
    documents: AnyPath
    images: AnyPath
    path: AnyPath
    recipe: PairRecipe

    @property
    def rows(self) -> int:
        return row_count(self.documents)

    @property
    def fingerprint(self) -> str:
        return sha256_of(f"{PAIRS_VERSION}:{self.recipe.model_dump_json()}:{read_fingerprint(self.images)}")


def _write(job: _PairJob) -> int:
    documents = documents_from_table(read_table(job.documents))
    rendered = {pages.id: pages for pages in pages_from_table(read_table(job.images))}
    pairs = [pair for drawn in documents for pair in make_pairs(drawn, rendered[drawn.id], job.recipe)]
    write_shard(job.path, pairs_to_table(pairs), job.fingerprint)
    return len(documents)


def build_pair_batch(
    documents: AnyPath,
    images: AnyPath,
    folder: AnyPath,
    pool: ShardPool,
    recipe: PairRecipe,
    *,
    on_shard: Callable[[int], None] | None = None,
) -> PairSummary:
    """Write the pairs of a batch, and their recipe; shards that are whole and made from the same pages are kept."""
    jobs = [_PairJob(file, images / file.name, folder / file.name, recipe) for file in shard_files(documents)]
    skipped = write_missing_shards(jobs, _write, pool, folder, on_shard)
    write_json(folder / PAIR_RECIPE_FILE, recipe.model_dump(mode="json"))
    tasks: Counter[str] = Counter()
    by_document: Counter[str] = Counter()
    for table in read_shards(folder, ["task", "document_id"]):
        tasks.update(table["task"].to_pylist())
        by_document.update(table["document_id"].to_pylist())
    return PairSummary(
        tasks.total(), dict(sorted(tasks.items())), min(by_document.values(), default=0), len(jobs), skipped
    )


def read_pair_recipe(folder: AnyPath) -> PairRecipe:
    """Return what a batch's pairs were made by.

    Raises:
        MissingInputError: the pairs were made before recipes were kept; make them again.
    """
    if not (folder / PAIR_RECIPE_FILE).exists():
        raise MissingInputError(
            f"{folder / PAIR_RECIPE_FILE}: no recipe here; make the pairs again, which takes no time "
            "where they are there already"
        )
    return PairRecipe.model_validate(read_json(folder / PAIR_RECIPE_FILE))


def read_pairs(folder: AnyPath) -> Iterator[Pair]:
    """Yield a batch's pairs in order, holding one shard at a time."""
    for table in read_shards(folder):
        yield from pairs_from_table(table)


@dataclass(frozen=True)
class PairReview:
    """What was seen of a batch's pairs."""

    examples: tuple[Pair, ...]  # the first of each task
    unsupported: tuple[str, ...]  # ids of those that ask for what no page prints, or answer what damage destroyed


def review_pairs(
    folder: AnyPath, printed: Mapping[str, Container[str]], destroyed: Mapping[str, Container[str]]
) -> PairReview:
    """Read a batch's pairs once, holding one shard at a time.

    ``printed`` and ``destroyed`` are the fields, by document, that its pages print and that damage made unreadable.
    """
    examples: dict[Task, Pair] = {}
    unsupported = []
    for pair in read_pairs(folder):
        examples.setdefault(pair.task, pair)
        if pair.task in SINGLE_FIELD_TASKS:
            lost = pair.target in destroyed.get(pair.document_id, ()) and ILLEGIBLE not in pair.response
            if lost or pair.target not in printed[pair.document_id]:
                unsupported.append(pair.id)
    return PairReview(tuple(examples.values()), tuple(unsupported))
