"""Measure the speed of TEDS against plain apted, the method of PubTabNet's script, and table-recognition-metric.

Tables are invoice lines. Predictions have some wrong cells, and a row fewer or a column more, or nothing right. Every
method scores each pair in turn. Plain apted compares texts with rapidfuzz as well, so that the difference comes from
the trees alone: the script's own `distance` is written in Python.

`table-recognition-metric` counts the table among the nodes, and not the tags in cells; its distance is compared. It is
measured if it is installed. It needs `levenshtein`, whose licence is the GPL, so keep it out of the project's
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

Table = list[list[str]]
WORDS = ("Consulting", "Hosting", "Licence", "Printer paper A4", "Cable", "Travel", "Support, monthly", "Chair")


def draw_table(chance: random.Random, rows: int, columns: int) -> Table:
    """Return the texts of invoice lines."""
    return [
        [
            f"{chance.choice(WORDS)} {chance.randrange(1000)}"
            if column % 4 == 1
            else f"{chance.randrange(10**6) / 100:,.2f}"
            for column in range(columns)
        ]
        for _ in range(rows)
    ]


def predictions(chance: random.Random, true: Table) -> dict[str, Table]:
    """Return predictions by their errors; a tenth of the cells is wrong, except where all differ."""
    wrong = [[text if chance.random() > 0.1 else text[:-1] + "#" for text in row] for row in true]
    wrong[0][0] += "?"
    index = chance.randrange(1, len(true) - 1)
    return {
        "wrong cells": wrong,
        "a row missing": wrong[:index] + wrong[index + 1 :],
        "a column more": [[*row[:2], "1", *row[2:]] for row in wrong],
        "all different": draw_table(chance, len(true), len(true[0])),
    }


def timed(method: Callable[[], float]) -> tuple[float, float]:
    """Return the result of a method and its CPU seconds, the mean of the calls of a tenth of a second."""
    calls, started = 0, time.process_time()
    while not calls or time.process_time() - started < 0.1:
        score = method()
        calls += 1
    return score, (time.process_time() - started) / calls


def methods(predicted: str, true: str, rows: int, columns: int, predicted_nodes: int) -> dict[str, Callable[[], float]]:
    """Return the methods that score a pair, all on the scale of PubTabNet's score."""
    found: dict[str, Callable[[], float]] = {
        "ours": lambda: similarity(predicted, true).raw,
        "apted": lambda: reference_teds(predicted, true, levenshtein=Levenshtein.distance),
    }
    if find_spec("table_recognition_metric"):
        theirs = import_module("table_recognition_metric").TEDS()
        nodes = max(rows * (columns + 1), predicted_nodes)
        found["table-recognition-metric"] = lambda: 1 - (1 - theirs(predicted, true)) * (nodes + 1) / nodes
    return found


def measure(rows: int, columns: int) -> Iterator[dict[str, Any]]:
    """Yield the milliseconds of each method by the errors of the prediction, and how much slower than ours it is."""
    chance = random.Random(rows)
    true = draw_table(chance, rows, columns)
    for errors, predicted in predictions(chance, true).items():
        nodes = sum(1 + len(row) for row in predicted)
        scores, seconds = {}, {}
        for name, method in methods(rows_to_html(predicted), rows_to_html(true), rows, columns, nodes).items():
            scores[name], seconds[name] = timed(method)
        if max(scores.values()) - min(scores.values()) > 1e-9:
            raise AssertionError(f"the methods differ at {rows}x{columns}, {errors}: {scores}")
        yield {
            "table": f"{rows}x{columns}, {errors}",
            "score": round(scores["ours"], 4),
            "ms": {name: round(value * 1000, 2) for name, value in seconds.items()},
            "times": {name: round(value / seconds["ours"]) for name, value in seconds.items() if name != "ours"},
        }


def of_reports(pairs: int) -> dict[str, float]:
    """Return the CPU microseconds that both scores of a document's lines take in a report, by errors."""
    chance = random.Random(1)
    seconds: dict[str, float] = {"all right": 0.0}
    for _ in range(pairs):
        true = draw_table(chance, 8, len(LINE_TABLE_COLUMNS))
        for errors, predicted in {"all right": true, **predictions(chance, true)}.items():
            true_values, predicted_values = (
                {
                    f"lines[{index}].{column}": text
                    for index, row in enumerate(rows)
                    for column, text in zip(LINE_TABLE_COLUMNS, row, strict=False)
                }
                for rows in (true, predicted)
            )
            comparison, expected = DocumentComparison((), true_values, predicted_values), set(true_values)
            started = time.process_time()
            score_line_table(comparison, expected)
            seconds[errors] = seconds.get(errors, 0.0) + time.process_time() - started
    return {errors: round(value / pairs * 1e6) for errors, value in seconds.items() if errors != "a column more"}


def main() -> None:
    """Print a line of JSON for each pair."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", nargs="*", default=["5x4", "20x8", "100x10"], help="rows x columns of tables")
    parser.add_argument("--pairs", type=int, default=200, help="documents that the scores of reports are timed on")
    arguments = parser.parse_args()
    for size in arguments.sizes:
        rows, columns = map(int, size.split("x"))
        for row in measure(rows, columns):
            print(json.dumps(row), flush=True)
    print(json.dumps({"report, us for a document of 8 lines": of_reports(arguments.pairs)}))


if __name__ == "__main__":
    main()
