"""How well a base reads tables line by line: TEDS and cells of the assembled table, and the finding of lines by itself.

What belongs here: scores of tables that were cut into printed lines. A table is scored as markup, with the texts
verbatim; `measures.py` scores a document's table as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from finscribe_assets.evaluation.figures import resample
from finscribe_assets.evaluation.teds import teds
from finscribe_assets.instructions.otsl import Grid, from_otsl
from finscribe_assets.training.cutting import CutTable
from finscribe_assets.training.table_rows import assemble

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
    truths = [table.cut.grid for table in short]
    found = {"tables": len(tables), "sound": _mean([table.cut.sound for table in tables])}
    if not short:
        return {"lines_found": found, "tables": 0}
    said = [from_otsl(assemble(table.read)) for table in short]
    of_truth = [from_otsl(assemble(table.cut.texts)) for table in short]
    similar = [_teds(one, true) for one, true in zip(said, truths, strict=True)]
    in_shape = [_teds(one, true, structure_only=True) for one, true in zip(said, truths, strict=True)]
    right, cells = zip(*(_cells(one, true) for one, true in zip(said, truths, strict=True)), strict=True)
    others = [(truths[place], truths[other]) for place, other in _pairs_of_one_size(short)]
    return {
        "lines_found": found,
        "tables": len(short),
        "documents": len({table.document for table in short}),
        "teds": _mean(similar),
        "teds_interval": _interval(short, [(value, 1.0) for value in similar]),
        "teds_structure": _mean(in_shape),
        "cells": sum(cells),
        "cell_accuracy": round(sum(right) / sum(cells), 4),
        "cell_interval": _interval(short, list(zip(right, cells, strict=True))),
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
        other = next((other for other in around if sizes[other] == size
                      and tables[other].document != tables[place].document), None)  # fmt: skip
        if other is not None:
            pairs.append((other, place))
    return pairs


def _interval(tables: Sequence[ReadTable], values: Sequence[tuple[float, float]]) -> list[float]:
    """Return the 95 % bootstrap interval over documents of a ratio of sums."""
    sums: dict[int, list[float]] = {}
    for table, (numerator, denominator) in zip(tables, values, strict=True):
        one = sums.setdefault(table.document, [0.0, 0.0])
        one[0] += numerator
        one[1] += denominator
    drawn = resample(np.array(list(sums.values())), 0)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0


def _cells(said: Grid, true: Grid) -> tuple[int, int]:
    """Return how many of a table's cells stand in their place with their text, and of how many."""
    right = sum(row < len(said) and column < len(said[row]) and said[row][column] == text
                for row, texts in enumerate(true) for column, text in enumerate(texts))  # fmt: skip
    return right, sum(map(len, true))


def _teds(said: Grid, true: Grid, *, structure_only: bool = False) -> float:
    return teds(_html(said), _html(true), structure_only=structure_only)


def _html(grid: Grid) -> str:
    rows = []
    for row in grid:
        cells: list[tuple[str, int]] = []
        for text in row:
            if text is None and cells:
                cells[-1] = (cells[-1][0], cells[-1][1] + 1)
            else:
                cells.append((text or "", 1))
        rows.append("".join(f'<td colspan="{span}">{escape(text)}</td>' if span > 1 else f"<td>{escape(text)}</td>"
                            for text, span in cells))  # fmt: skip
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
