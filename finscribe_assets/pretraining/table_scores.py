"""How well a base reads tables line by line: TEDS and cells of the assembled table, and the finding of lines by itself.

What belongs here: scores of tables that were cut into printed lines. A table is scored as markup, with the texts
verbatim; `measures.py` scores a document's table as data.
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

MOST_ROWS = 8  # of tables that are read, the head included


@dataclass(frozen=True)
class ReadTable:
    """A page's part of a table, and the OTSL that was read of each of its strips; none of tables with more rows."""

    document: int
    cut: CutTable
    read: tuple[str, ...]


def of_tables(tables: Sequence[ReadTable]) -> dict[str, Any]:
    """Return the scores of tables of up to ``MOST_ROWS`` rows, and of the finding of lines in all, as a JSON value.

    ``floor`` is what a reader scores that answers with another document's table of the same size: the next such one.
    ``perfect_rows`` is the TEDS of assembling what truly stands on the strips that were found: what the model cannot
    mend.
    """
    short = [table for table in tables if len(table.cut.grid) <= MOST_ROWS]
    documents, truths = [table.document for table in short], [table.cut.grid for table in short]
    found = {"tables": len(tables), "sound": _mean([table.cut.sound for table in tables])}
    if not short:
        return {"lines_found": found, "tables": 0}
    said = [from_otsl(assemble_table(table.read)) for table in short]
    of_truth = [from_otsl(assemble_table(table.cut.texts)) for table in short]
    similar = [_teds(one, true) for one, true in zip(said, truths, strict=True)]
    in_shape = [_teds(one, true, structure_only=True) for one, true in zip(said, truths, strict=True)]
    right, cells = zip(*(_cells(one, true) for one, true in zip(said, truths, strict=True)), strict=True)
    others = [(truths[place], truths[other]) for place, other in _pairs_of_one_size(short)]
    return {
        "lines_found": found,
        "tables": len(short),
        "documents": len(set(documents)),
        "teds": _mean(similar),
        "teds_interval": list(ratio_interval(documents, [(value, 1.0) for value in similar])),
        "teds_structure": _mean(in_shape),
        "cells": sum(cells),
        "cell_accuracy": round(sum(right) / sum(cells), 4),
        "cell_interval": list(ratio_interval(documents, list(zip(right, cells, strict=True)))),
        "exact_tables": _mean([one == true for one, true in zip(said, truths, strict=True)]),
        "perfect_rows": _mean([_teds(one, true) for one, true in zip(of_truth, truths, strict=True)]),
        "floor": _mean([_teds(one, other) for one, other in others]),
        "floor_structure": _mean([_teds(one, other, structure_only=True) for one, other in others]),
    }


def _pairs_of_one_size(tables: Sequence[ReadTable]) -> list[tuple[int, int]]:
    """Return each table with the next one of another document that has as many rows and columns."""
    sizes = [(len(table.cut.grid), len(table.cut.grid[0])) for table in tables]
    pairs = []
    for place, size in enumerate(sizes):
        around = [*range(place + 1, len(tables)), *range(place)]
        other = next(
            (other for other in around if sizes[other] == size and tables[other].document != tables[place].document),
            None,
        )
        if other is not None:
            pairs.append((other, place))
    return pairs


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0


def _cells(said: Grid, true: Grid) -> tuple[int, int]:
    """Return how many of a table's cells stand in their place with their text, and of how many."""
    right = sum(
        row < len(said) and column < len(said[row]) and said[row][column] == text
        for row, texts in enumerate(true)
        for column, text in enumerate(texts)
    )
    return right, sum(map(len, true))


def _teds(said: Grid, true: Grid, *, structure_only: bool = False) -> float:
    return teds(*(otsl_to_html(to_otsl(grid)).text for grid in (said, true)), structure_only=structure_only)
