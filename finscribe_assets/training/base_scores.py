"""How well a base reads: exact match on the single printed lines of rendered documents that it has never seen.

Every line of every field counts, short or long, as inference will cut it. A document's lines share font and damage, so
intervals come from resampling documents, not lines.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from transformers import PaddleOCRVLForConditionalGeneration, PreTrainedTokenizerFast

from finscribe_assets.documents.recipe import Recipe, seed_plan
from finscribe_assets.training.base_recipe import SLICES
from finscribe_assets.training.lines import rendered_lines
from finscribe_assets.training.reading import read_lines

SCORED_SEED = 777_000_001  # no pretraining line is drawn with it
RESAMPLES = 2000


@dataclass(frozen=True)
class ReadLine:
    """A line of a document, and what was read."""

    document: int
    element: str
    text: str
    read: str


@dataclass(frozen=True)
class Share:
    """The share of lines read exactly right, with a 95 % percentile interval over documents."""

    lines: int
    documents: int
    exact_match: float
    low: float
    high: float


def read_documents(model: PaddleOCRVLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, recipe: Recipe,
                   documents: int, seed: int = SCORED_SEED) -> list[ReadLine]:  # fmt: skip
    """Draw, render, cut and read every line of so many documents of a recipe."""
    plan = seed_plan("batch-000", documents, seed, recipe)
    lines = [(index, line) for index in range(documents) for line in rendered_lines(plan, index, longest=None)]
    readings = read_lines(model, tokenizer, [line.pixels for _, line in lines])
    return [ReadLine(index, line.element, line.text, reading.text)
            for (index, line), reading in zip(lines, readings, strict=True)]  # fmt: skip


def share_right(lines: Sequence[ReadLine]) -> Share:
    """Return the share of lines read exactly, with its bootstrap interval over documents.

    Raises:
        ValueError: there are no lines.
    """
    if not lines:
        raise ValueError("no lines to score; give at least one document")
    counts: dict[int, list[int]] = {}
    for line in lines:
        count = counts.setdefault(line.document, [0, 0])
        count[0] += line.read == line.text
        count[1] += 1
    table = np.array(list(counts.values()))
    drawn = np.random.default_rng(0).integers(0, len(table), (RESAMPLES, len(table)))
    right, total = table[drawn].sum(axis=1).T
    low, high = np.quantile(right / total, [0.025, 0.975])
    exact = int(table[:, 0].sum()) / len(lines)
    return Share(len(lines), len(table), round(exact, 4), round(float(low), 4), round(float(high), 4))


def score_base(model: PaddleOCRVLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, documents: int = 150,
               pretrained_on: Collection[str] = ()) -> dict[str, Any]:  # fmt: skip
    """Score a base on every slice of `base_recipe.SLICES`, overall and by element, as a JSON value.

    Names and wordings recur between documents. Given the texts that were pretrained on, the ``base`` slice also has a
    score over the lines whose text is not among them (``new_texts``): what is read there is read, not remembered.
    """
    scores: dict[str, Any] = {}
    for name, recipe in SLICES.items():
        lines = read_documents(model, tokenizer, recipe, documents)
        elements = sorted({line.element for line in lines})
        scores[name] = {
            "overall": asdict(share_right(lines)),
            "elements": {element: asdict(share_right([line for line in lines if line.element == element]))
                         for element in elements},
        }  # fmt: skip
        new = [line for line in lines if line.text not in pretrained_on] if pretrained_on else []
        if new and name == "base":
            scores[name]["new_texts"] = asdict(share_right(new))
    return {"seed": SCORED_SEED, "slices": scores}
