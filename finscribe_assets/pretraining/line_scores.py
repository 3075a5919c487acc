"""Score a base on rendered documents that it has never seen: fields, lines of blocks, and tables.

Every line of every field counts, cut as in inference. Of blocks and tables the renderer gives the boxes of marked lines
and of the table; the printed lines in them are found by `model.line_finding`, and what it gets wrong counts against the
base. The lines of a document share font and damage, so intervals come from resampling documents.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from transformers import PaddleOCRVLForConditionalGeneration, PreTrainedTokenizerFast

from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.metrics import ratio_interval
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.model.decoding import read_lines
from finscribe_assets.pretraining.base_recipe import SCORED_SLICES
from finscribe_assets.pretraining.line_corpus import line_cutter
from finscribe_assets.pretraining.line_cutting import BlockLine
from finscribe_assets.pretraining.table_scores import MAX_TABLE_ROWS, ReadTable, score_tables

SCORED_SEED = 777_000_001  # no pretraining line is drawn with it
_INTERVAL_RESAMPLES = 2000
# Slices whose tables are read, and how many times as many documents: each has one table, but many fields.
_TABLE_SLICES = {"clean": 3, "light": 3, "all_held_out": 1}


@dataclass(frozen=True)
class ReadLine:
    """A line of a document, and what a base read of it."""

    document: int
    element: str  # of a field; of a block's line its region
    expected: str
    prediction: str

    @property
    def is_exact(self) -> bool:
        """Whether the line was read exactly."""
        return self.prediction == self.expected


@dataclass(frozen=True)
class ReadDocuments:
    """Everything that a base read of some documents."""

    fields: list[ReadLine]
    blocks: list[ReadLine]
    tables: list[ReadTable]


@dataclass(frozen=True)
class LineAccuracy:
    """The share of lines that were read exactly, with a 95 % percentile interval over documents."""

    lines: int
    documents: int
    exact_match: float
    low: float
    high: float


def read_drawn_documents(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    recipe: Recipe,
    documents: int,
    seed: int = SCORED_SEED,
    *,
    tables: bool = False,
) -> ReadDocuments:
    """Draw, render, cut and read documents.

    Args:
        model: the base.
        tokenizer: its tokenizer.
        recipe: the documents are drawn from it.
        documents: number of documents.
        seed: of the documents.
        tables: read tables as well.
    """

    def read(strips: Sequence[np.ndarray], prompt: str) -> list[str]:
        return [decoded.text for decoded in read_lines(model, tokenizer, strips, prompt)]

    plan = seed_plan("batch-000", documents, seed, recipe)
    result = ReadDocuments([], [], [])
    for index in range(documents):
        cutter = line_cutter(plan, index)
        fields = list(cutter.field_lines())
        for line, text in zip(fields, read([line.pixels for line in fields], OCR_PROMPT), strict=True):
            result.fields.append(ReadLine(index, line.element, line.text, text))
        blocks = list(cutter.marked_block_lines())
        texts = iter(read([strip for line in blocks for strip in line.strips], OCR_PROMPT))
        for block in blocks:
            result.blocks.append(_read_block_line(index, block, [next(texts) for _ in block.strips]))
        for table in cutter.tables() if tables else ():
            rows = read(table.strips, TABLE_PROMPT) if len(table.grid) <= MAX_TABLE_ROWS else []
            result.tables.append(ReadTable(index, table, tuple(rows)))
    return result


def _read_block_line(document: int, line: BlockLine, predictions: Sequence[str]) -> ReadLine:
    """Join what was read of a block's line. If its label wraps beside its value, words count in any order."""
    if line.texts:
        return ReadLine(document, line.region, "\n".join(line.texts), "\n".join(predictions))
    words = sorted(line.text.split()), sorted(" ".join(predictions).split())
    return ReadLine(document, line.region, *map(" ".join, words))


def line_accuracy(lines: Sequence[ReadLine]) -> LineAccuracy:
    """Return the share of lines that were read exactly, with its interval over documents.

    Raises:
        ValueError: there are no lines.
    """
    if not lines:
        raise ValueError("no lines to score; read at least one document")
    documents = [line.document for line in lines]
    exact = [line.is_exact for line in lines]
    low, high = ratio_interval(documents, [(float(is_exact), 1.0) for is_exact in exact], _INTERVAL_RESAMPLES)
    return LineAccuracy(len(lines), len(set(documents)), round(sum(exact) / len(lines), 4), low, high)


def marked_line_f1(lines: Sequence[ReadLine]) -> float:
    """Return the F1 of marked lines.

    A line that is not read exactly counts as one false negative and one false positive. A line on which no print was
    found counts as a false negative only.
    """
    exact = sum(line.is_exact for line in lines)
    predicted = sum(bool(line.prediction) for line in lines)
    return round(2 * exact / (predicted + len(lines)), 4) if lines else 0.0


def accuracy_by_element(lines: Sequence[ReadLine]) -> dict[str, Any]:
    """Return the accuracy of each element, or region, as a JSON value."""
    elements = sorted({line.element for line in lines})
    return {element: asdict(line_accuracy([line for line in lines if line.element == element])) for element in elements}


def score_base(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    documents: int = 150,
    pretrained_texts: Collection[str] = (),
    *,
    report: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Score a base on every slice of `base_recipe.SCORED_SLICES`, overall and by element.

    Names and wordings recur between documents. Given the texts that the base was trained on, the ``base`` slice also
    has a score over the lines with other texts (``new_texts``): these are read, not remembered.

    Args:
        model: the base.
        tokenizer: its tokenizer.
        documents: number of documents of each slice; slices whose tables are read have more.
        pretrained_texts: texts of all pretraining lines.
        report: called with the name of each slice that is done.

    Returns:
        The content of scores.json, without whole documents.
    """
    scores: dict[str, Any] = {}
    for name, recipe in SCORED_SLICES.items():
        count = documents * _TABLE_SLICES.get(name, 1)
        read = read_drawn_documents(model, tokenizer, recipe, count, tables=name in _TABLE_SLICES)
        scores[name] = {
            "overall": asdict(line_accuracy(read.fields)),
            "elements": accuracy_by_element(read.fields),
            "blocks": asdict(line_accuracy(read.blocks)) | {"key_f1": marked_line_f1(read.blocks)},
            "regions": accuracy_by_element(read.blocks),
        }
        new = [line for line in read.fields if line.expected not in pretrained_texts] if pretrained_texts else []
        if new and name == "base":
            scores[name]["new_texts"] = asdict(line_accuracy(new))
        if name in _TABLE_SLICES:
            scores[name]["tables"] = score_tables(read.tables)
        report(name)
    return {"seed": SCORED_SEED, "slices": scores}
