"""Write and read a batch's pairs: one shard of pairs for each shard of pages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

from finscribe_assets.documents.document_table import documents_from_table
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
from finscribe_assets.instructions.visible_values import MIN_X_HEIGHT
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
from finscribe_assets.stage_versions import PAIRS_VERSION

PAIR_RECIPE_FILE = "recipe.json"
UNDETERMINED_CURRENCY = '"currency_code":null'  # in the responses of full extraction


@dataclass(frozen=True)
class PairSummary:
    """The number of pairs of a batch, in all and by task."""

    pairs: int
    tasks: dict[str, int]
    fewest_per_document: int  # pairs of the document that has the fewest
    shards: int
    skipped: int  # shards that were up to date


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
    with_pages = [drawn for drawn in documents if drawn.id in rendered]  # rejected documents have none
    pairs = [pair for drawn in with_pages for pair in make_pairs(drawn, rendered[drawn.id], job.recipe)]
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
    """Write the pairs of a batch and their recipe; shards that are up to date are kept.

    Args:
        documents: folder of the batch's document shards.
        images: folder of its page shards.
        folder: folder for the pairs.
        pool: runs the shards.
        recipe: the number of pairs of each task.
        on_shard: called with the number of documents that were finished since the last call.
    """
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
    """Return the recipe of a batch's pairs.

    Raises:
        MissingInputError: the folder has no recipe, as pairs of older versions have none.
    """
    if not (folder / PAIR_RECIPE_FILE).exists():
        raise MissingInputError(
            f"{folder / PAIR_RECIPE_FILE}: the file does not exist; run the pairs stage again: it writes the recipe "
            "and keeps pairs that are up to date"
        )
    return PairRecipe.model_validate(read_json(folder / PAIR_RECIPE_FILE))


def read_pairs(folder: AnyPath) -> Iterator[Pair]:
    """Yield a batch's pairs in order, with one shard in memory at a time."""
    for table in read_shards(folder):
        yield from pairs_from_table(table)


@dataclass(frozen=True)
class PairReview:
    """The result of checking a batch's pairs against its pages."""

    examples: tuple[Pair, ...]  # the first pair of each task
    whole: frozenset[str]  # ids of documents that are small enough, and printed large enough, to be asked as a whole
    whole_page_values: int  # values in responses of full extraction
    left_out: int  # printed values that are too small for the model on whole pages, and so not in these responses
    illegible_to_model: tuple[str, ...]  # ids of pairs that need smaller print than MIN_X_HEIGHT
    undetermined: int  # documents of whose currency nothing legible says which one it is
    unsupported: tuple[str, ...]  # ids of pairs that ask for an unprinted field or give the value of an illegible one


def review_pairs(
    folder: AnyPath, askable: Mapping[str, Container[str]], illegible: Mapping[str, Container[str]]
) -> PairReview:
    """Check that the pages support the response of every pair that asks for one field.

    Args:
        folder: folder of the batch's pairs.
        askable: the paths of the fields that each document's pages determine, by document id.
        illegible: the paths of the printed fields that damage made illegible, by document id.
    """
    examples: dict[Task, Pair] = {}
    unsupported, small, undetermined, values, left_out, whole = [], list[str](), 0, 0, 0, set[str]()
    for pair in read_pairs(folder):
        examples.setdefault(pair.task, pair)
        if pair.task is Task.FULL_EXTRACTION:
            whole.add(pair.document_id)
            undetermined += UNDETERMINED_CURRENCY in pair.response
            values, left_out = values + sum(bool(span.path) for span in pair.spans), left_out + pair.left_out
        if pair.x_height is not None and pair.x_height < MIN_X_HEIGHT:
            small.append(pair.id)
        if pair.task in SINGLE_FIELD_TASKS:
            reveals = pair.target in illegible.get(pair.document_id, ()) and ILLEGIBLE not in pair.response
            states_null = pair.task is Task.FIELD_QUESTION and list(json.loads(pair.response).values()) == [None]
            if reveals or (pair.target not in askable[pair.document_id] and not states_null):
                unsupported.append(pair.id)
    return PairReview(
        tuple(examples.values()), frozenset(whole), values, left_out, tuple(small), undetermined, tuple(unsupported)
    )
