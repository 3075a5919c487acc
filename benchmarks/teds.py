"""How fast TEDS is beside plain apted, which is how PubTabNet's script does it, and table-recognition-metric.

Tables are of invoice lines; predictions have wrong cells here and there, and a row less or a column more, or nothing
right. All ways score each pair in turn. Plain apted compares texts with rapidfuzz too, so that the trees alone make the
difference: the script's own `distance` is written in Python.

`table-recognition-metric` counts the table among the nodes, and not the tags in cells; its distance is compared. It is
measured where it is installed; it needs `levenshtein`, whose licence is the GPL, so keep it out of the project's
environment:

    pip install --target build/metric --no-deps table-recognition-metric levenshtein
    PYTHONPATH=.:build/metric python benchmarks/teds.py
    PYTHONPATH=. python benchmarks/teds.py --sizes 5x4 20x8     # without the size that takes plain apted minutes
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from rapidfuzz.distance import Levenshtein

from finscribe_assets.evaluation.document_scoring import LINE_TABLE_COLUMNS, score_line_table
from finscribe_assets.evaluation.field_comparison import DocumentComparison
from finscribe_assets.evaluation.teds import rows_to_html, similarity
from finscribe_assets_tests.evaluation.pubtabnet import reference_teds

Rows = list[list[str]]
WORDS = ("Consulting", "Hosting", "Licence", "Printer paper A4", "Cable", "Travel", "Support, monthly", "Chair")


def a_table(draw: random.Random, rows: int, columns: int) -> Rows:
    """Return the texts of an invoice's lines."""
    return [
        [
            f"{draw.choice(WORDS)} {draw.randrange(1000)}" if column % 4 == 1 else f"{draw.randrange(10**6) / 100:,.2f}"
            for column in range(columns)
        ]
        for _ in range(rows)
    ]


def predictions(draw: random.Random, true: Rows) -> dict[str, Rows]:
    """Return predictions by what is wrong in them; a tenth of the cells is wrong in all."""
    wrong = [[text if draw.random() > 0.1 else text[:-1] + "#" for text in row] for row in true]
    wrong[0][0] += "?"
    place = draw.randrange(1, len(true) - 1)
    return {
        "wrong cells": wrong,
        "a row missing": wrong[:place] + wrong[place + 1 :],
        "a column more": [[*row[:2], "1", *row[2:]] for row in wrong],
        "all different": a_table(draw, len(true), len(true[0])),
    }


def seconds(way: Callable[[], float]) -> tuple[float, float]:
    """Return what a way gives, and its CPU seconds: of as many calls as make a tenth of a second."""
    calls, started = 0, time.process_time()
    while not calls or time.process_time() - started < 0.1:
        found = way()
        calls += 1
    return found, (time.process_time() - started) / calls


def ways(predicted: str, true: str, rows: int, columns: int, more: int) -> dict[str, Callable[[], float]]:
    """Return ways to score a pair, all as PubTabNet's score."""
    found: dict[str, Callable[[], float]] = {
        "ours": lambda: similarity(predicted, true).raw,
        "apted": lambda: reference_teds(predicted, true, levenshtein=Levenshtein.distance),
    }
    if find_spec("table_recognition_metric"):
        theirs = import_module("table_recognition_metric").TEDS()
        nodes = max(rows * (columns + 1), more)
        found["table-recognition-metric"] = lambda: 1 - (1 - theirs(predicted, true)) * (nodes + 1) / nodes
    return found


def measured(rows: int, columns: int) -> Iterator[dict[str, Any]]:
    """Yield, by what is wrong, milliseconds of each way and how many times ours fits into them."""
    draw = random.Random(rows)
    true = a_table(draw, rows, columns)
    for name, said in predictions(draw, true).items():
        all_ways = ways(rows_to_html(said), rows_to_html(true), rows, columns, sum(1 + len(row) for row in said))
        scores, spent = {}, {}
        for way, score in all_ways.items():
            scores[way], spent[way] = seconds(score)
        if max(scores.values()) - min(scores.values()) > 1e-9:
            raise AssertionError(f"the ways differ at {rows}x{columns}, {name}: {scores}")
        yield {
            "table": f"{rows}x{columns}, {name}",
            "score": round(scores["ours"], 4),
            "ms": {way: round(value * 1000, 2) for way, value in spent.items()},
            "times": {way: round(value / spent["ours"]) for way, value in spent.items() if way != "ours"},
        }


def of_reports(pairs: int) -> dict[str, float]:
    """Return the CPU microseconds that a document's lines take in a report, both scores, by how well they are read."""
    draw = random.Random(1)
    spent: dict[str, float] = {"all right": 0.0}
    for _ in range(pairs):
        true = a_table(draw, 8, len(LINE_TABLE_COLUMNS))
        for name, said in {"all right": true, **predictions(draw, true)}.items():
            truth, predicted = (
                {
                    f"lines[{number}].{column}": text
                    for number, row in enumerate(rows)
                    for column, text in zip(LINE_TABLE_COLUMNS, row, strict=False)
                }
                for rows in (true, said)
            )
            comparison, asked = DocumentComparison((), truth, predicted), set(truth)
            started = time.process_time()
            score_line_table(comparison, asked)
            spent[name] = spent.get(name, 0.0) + time.process_time() - started
    return {name: round(value / pairs * 1e6) for name, value in spent.items() if name != "a column more"}


def main() -> None:
    """Print a line of JSON for each pair."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", nargs="*", default=["5x4", "20x8", "100x10"])
    parser.add_argument("--pairs", type=int, default=200)
    arguments = parser.parse_args()
    for size in arguments.sizes:
        rows, columns = map(int, size.split("x"))
        for row in measured(rows, columns):
            print(json.dumps(row), flush=True)
    print(json.dumps({"report, us a document of 8 lines": of_reports(arguments.pairs)}))


if __name__ == "__main__":
    main()
