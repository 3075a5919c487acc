"""Score tables that a base read line by line: TEDS and cells of the assembled table, and the line finding by itself.

A table is scored as markup, with its texts verbatim. As data, documents' tables are scored in `evaluation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finscribe_assets.evaluation.metrics import ratio_interval
from finscribe_assets.evaluation.table_html import otsl_to_html
from finscribe_assets.evaluation.teds import teds
from finscribe_assets.instructions.otsl import Grid, from_otsl, to_otsl
from finscribe_assets.model.table_assembly import assemble_table
from finscribe_assets.pretraining.line_cutting import CutTable

MAX_TABLE_ROWS = 8  # of tables that are read, the head included


@dataclass(frozen=True)
class ReadTable:
    """A page's part of a table, and the OTSL that a base read of each strip; empty if the table has too many rows."""

    document: int
    table: CutTable
    predictions: tuple[str, ...]


def score_tables(tables: Sequence[ReadTable]) -> dict[str, Any]:
    """Score tables of up to MAX_TABLE_ROWS rows, and the line finding of all tables.

    Returns:
        A JSON value. ``sound`` is the share of tables whose lines were all found. ``perfect_rows`` is the TEDS if every
        strip were read exactly: what line finding and assembly cost. ``floor`` is the TEDS of a reader that answers
        with another document's table of the same size. Each score has a version for structure alone.
    """
    lines_found = {"tables": len(tables), "sound": _mean([read.table.all_lines_found for read in tables])}
    short = [read for read in tables if len(read.table.grid) <= MAX_TABLE_ROWS]
    if not short:
        return {"lines_found": lines_found, "tables": 0}
    documents, truths = [read.document for read in short], [read.table.grid for read in short]
    predictions = [from_otsl(assemble_table(read.predictions)) for read in short]
    perfect = [from_otsl(assemble_table(read.table.texts)) for read in short]
    pairs = list(zip(predictions, truths, strict=True))
    similarities = [_teds(prediction, truth) for prediction, truth in pairs]
    structures = [_teds(prediction, truth, structure_only=True) for prediction, truth in pairs]
    exact_cells, cells = zip(*(_count_cells(prediction, truth) for prediction, truth in pairs), strict=True)
    strangers = [(truths[other], truths[index]) for other, index in _pairs_of_one_size(short)]
    return {
        "lines_found": lines_found,
        "tables": len(short),
        "documents": len(set(documents)),
        "teds": _mean(similarities),
        "teds_interval": list(ratio_interval(documents, [(value, 1.0) for value in similarities])),
        "teds_structure": _mean(structures),
        "cells": sum(cells),
        "cell_accuracy": round(sum(exact_cells) / sum(cells), 4),
        "cell_interval": list(ratio_interval(documents, list(zip(exact_cells, cells, strict=True)))),
        "exact_tables": _mean([prediction == truth for prediction, truth in pairs]),
        "perfect_rows": _mean([_teds(assembled, truth) for assembled, truth in zip(perfect, truths, strict=True)]),
        "floor": _mean([_teds(stranger, truth) for stranger, truth in strangers]),
        "floor_structure": _mean([_teds(stranger, truth, structure_only=True) for stranger, truth in strangers]),
    }


def _pairs_of_one_size(tables: Sequence[ReadTable]) -> list[tuple[int, int]]:
    """Return the index of each table, after that of the next table of another document with the same size."""
    sizes = [(len(read.table.grid), len(read.table.grid[0])) for read in tables]
    pairs = []
    for index, size in enumerate(sizes):
        following = [*range(index + 1, len(tables)), *range(index)]
        stranger = next(
            (other for other in following if sizes[other] == size and tables[other].document != tables[index].document),
            None,
        )
        if stranger is not None:
            pairs.append((stranger, index))
    return pairs


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0


def _count_cells(prediction: Grid, truth: Grid) -> tuple[int, int]:
    """Return the number of a table's cells that have their text at their position, and the number of all cells."""
    exact = sum(
        row < len(prediction) and column < len(prediction[row]) and prediction[row][column] == text
        for row, texts in enumerate(truth)
        for column, text in enumerate(texts)
    )
    return exact, sum(map(len, truth))


def _teds(prediction: Grid, truth: Grid, *, structure_only: bool = False) -> float:
    markup = [otsl_to_html(to_otsl(grid)).text for grid in (prediction, truth)]
    return teds(*markup, structure_only=structure_only)
