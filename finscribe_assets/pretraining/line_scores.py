"""How well a base reads rendered documents that it has never seen: fields, lines of blocks and tables.

Every line of every field counts, short or long, as inference will cut it. Of blocks and tables the renderer gives the
boxes of marked lines and of the table; the printed lines in them are found by `line_finding.py`, and what it gets wrong
counts against the base. A document's lines share font and damage, so intervals come from resampling documents.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from transformers import PaddleOCRVLForConditionalGeneration, PreTrainedTokenizerFast

from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.metrics import ratio_interval
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.model.decoding import read_lines
from finscribe_assets.pretraining.base_recipe import SCORED_SLICES
from finscribe_assets.pretraining.line_corpus import sheets_of
from finscribe_assets.pretraining.line_cutting import BlockLine
from finscribe_assets.pretraining.table_scores import MOST_ROWS, ReadTable, of_tables

SCORED_SEED = 777_000_001  # no pretraining line is drawn with it
RESAMPLES = 2000
# Slices whose tables are read, and how many times as many documents: each has one table, but many fields.
WITH_TABLES = {"clean": 3, "light": 3, "all_held_out": 1}


@dataclass(frozen=True)
class ReadLine:
    """A line of a document, and what was read."""

    document: int
    element: str  # of a field; of a block's line its region
    text: str
    read: str


@dataclass(frozen=True)
class ReadDocuments:
    """All that was read of some documents."""

    fields: list[ReadLine]
    blocks: list[ReadLine]
    tables: list[ReadTable]


@dataclass(frozen=True)
class Share:
    """The share of lines read exactly right, with a 95 % percentile interval over documents."""

    lines: int
    documents: int
    exact_match: float
    low: float
    high: float


def read_documents(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    recipe: Recipe,
    documents: int,
    seed: int = SCORED_SEED,
    *,
    tables: bool = False,
) -> ReadDocuments:
    """Draw, render, cut and read so many documents of a recipe; tables only if asked."""

    def read(strips: Sequence[np.ndarray], prompt: str) -> list[str]:
        return [reading.text for reading in read_lines(model, tokenizer, strips, prompt)]

    plan = seed_plan("batch-000", documents, seed, recipe)
    found = ReadDocuments([], [], [])
    for index in range(documents):
        sheets = sheets_of(plan, index)
        fields = list(sheets.fields())
        for line, text in zip(fields, read([line.pixels for line in fields], OCR_PROMPT), strict=True):
            found.fields.append(ReadLine(index, line.element, line.text, text))
        blocks = list(sheets.block_lines())
        texts = iter(read([strip for line in blocks for strip in line.strips], OCR_PROMPT))
        for block in blocks:
            found.blocks.append(_read_block(index, block, [next(texts) for _ in block.strips]))
        for table in sheets.tables() if tables else ():
            rows = read(table.strips, TABLE_PROMPT) if len(table.grid) <= MOST_ROWS else []
            found.tables.append(ReadTable(index, table, tuple(rows)))
    return found


def _read_block(document: int, line: BlockLine, read: Sequence[str]) -> ReadLine:
    """Return what was read of a block's line; where its label wraps beside its value, words count in any order."""
    if line.texts:
        return ReadLine(document, line.region, "\n".join(line.texts), "\n".join(read))
    words = sorted(line.text.split()), sorted(" ".join(read).split())
    return ReadLine(document, line.region, *map(" ".join, words))


def share_right(lines: Sequence[ReadLine]) -> Share:
    """Return the share of lines read exactly, with its bootstrap interval over documents.

    Raises:
        UserError: there are no lines.
    """
    if not lines:
        raise UserError("no lines to score; give at least one document")
    documents = [line.document for line in lines]
    right = [line.read == line.text for line in lines]
    low, high = ratio_interval(documents, [(float(one), 1.0) for one in right], RESAMPLES)
    return Share(len(lines), len(set(documents)), round(sum(right) / len(lines), 4), low, high)


def key_f1(lines: Sequence[ReadLine]) -> float:
    """Return the F1 of marked lines, label and value: one that is not read exactly is both missing and made up.

    One on which no print was found is missing alone.
    """
    right = sum(line.read == line.text for line in lines)
    said = sum(bool(line.read) for line in lines)
    return round(2 * right / (said + len(lines)), 4) if lines else 0.0


def by_element(lines: Sequence[ReadLine]) -> dict[str, Any]:
    """Return the share read exactly of each element, or region, as a JSON value."""
    elements = sorted({line.element for line in lines})
    return {element: asdict(share_right([line for line in lines if line.element == element])) for element in elements}


def score_base(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    documents: int = 150,
    pretrained_on: Collection[str] = (),
    *,
    report: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Score a base on every slice of `base_recipe.SCORED_SLICES`, overall and by element, as a JSON value.

    Names and wordings recur between documents. Given the texts that were pretrained on, the ``base`` slice also has a
    score over the lines whose text is not among them (``new_texts``): what is read there is read, not remembered.
    ``report`` is given the name of each slice that is done.
    """
    scores: dict[str, Any] = {}
    for name, recipe in SCORED_SLICES.items():
        count = documents * WITH_TABLES.get(name, 1)
        read = read_documents(model, tokenizer, recipe, count, tables=name in WITH_TABLES)
        scores[name] = {
            "overall": asdict(share_right(read.fields)),
            "elements": by_element(read.fields),
            "blocks": asdict(share_right(read.blocks)) | {"key_f1": key_f1(read.blocks)},
            "regions": by_element(read.blocks),
        }
        new = [line for line in read.fields if line.text not in pretrained_on] if pretrained_on else []
        if new and name == "base":
            scores[name]["new_texts"] = asdict(share_right(new))
        if name in WITH_TABLES:
            scores[name]["tables"] = of_tables(read.tables)
        report(name)
    return {"seed": SCORED_SEED, "slices": scores}
