"""Measure whether mining finds the weaknesses of a reader, and nothing else; and how fast.

Readers are simulated over drawn documents, so that their weaknesses are known:

- causes: single errors of every type (mining/simulated_reader.py), which must be classified as that type;
- cells: failure rates at and above the threshold, by field and by document, for weak cells;
- attribution: a drawn value that raises the failure rate, which must be found first;
- power: an effect of the smallest size that a sample is said to show, which must be found as often as is said;
- speed: documents mined in a CPU second.

    python benchmarks/mining.py
    python benchmarks/mining.py --only causes --errors 300
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import element_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.evaluation.document_scoring import ScoredDocument, score
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.mining.attribution import Attribution, drawn_values
from finscribe_assets.mining.cell_evidence import ATTRIBUTION_POWER
from finscribe_assets.mining.error_cells import RATE_THRESHOLD, CellKey, DocumentFailures, find_cells
from finscribe_assets.mining.error_classification import PageContext, classify_errors
from finscribe_assets.mining.mining_report import mine
from finscribe_assets.mining.simulated_reader import (
    FIELD_ERRORS,
    RESPONSE_ERRORS,
    InjectionNotPossible,
    simulate_response,
)

MAX_ROWS = 20  # of a table; longer ones take long to compare and show nothing more
MAX_TRIES = 60  # documents tried for each error, as not every document can fail in every way
POWER_RATE = 0.1  # failure rate without the value, where the power of attribution is measured
MAX_HALF_CLUSTERED = 0.75
PLANTED_EXCESS = 0.12  # of a planted failure rate above the threshold
DOCUMENTS = 100
MIN_PREVALENCE = 0.06  # share of the documents that have a planted value
CLUSTERING = {"fields on their own": 0.0, "half by document": 0.5, "documents as a whole": 1.0}
"""Share of the failures that hit all fields of a document at once."""


def truth_of(drawn: DrawnDocument) -> Truth:
    return Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed))


def score_response(drawn: DrawnDocument, response: Any) -> ScoredDocument:
    return score({drawn.id: truth_of(drawn)}, {drawn.id: Prediction(drawn.id, response)})[0]


def causes(documents: Sequence[DrawnDocument], errors: int) -> dict[str, Any]:
    """Inject single errors; an error counts as found if every field that fails by it is classified as its type."""
    # A text that means another number in its document (1.234 with another country's separators) is wrong by itself.
    sound = [one for one in documents if not classify_errors(score_response(one, unflatten(dict(one.printed))))]
    print(f"{'injected':20}    n  right  taken for")
    shares: dict[str, float] = {}
    locales: set[str] = set()
    for error_type in (*RESPONSE_ERRORS, *FIELD_ERRORS):
        chance = random.Random(error_type)
        taken_for: Counter[str] = Counter()
        for _ in range(errors * MAX_TRIES):
            if taken_for.total() == errors:
                break
            drawn = chance.choice(sound)
            try:
                text, illegible = simulate_response(drawn, error_type, chance)
            except InjectionNotPossible:
                continue
            classified = classify_errors(score_response(drawn, text), PageContext.of(drawn, illegible))
            found = Counter(str(cause) for _, cause in classified)
            if found:  # otherwise the error made no difference
                is_right = set(found) == {error_type}
                taken_for[error_type if is_right else next(other for other in found if other != error_type)] += 1
                locales.add(drawn.document.locale)
        shares[error_type] = round(taken_for[error_type] / max(taken_for.total(), 1), 3)
        others = ", ".join(f"{name} {count}" for name, count in taken_for.most_common() if name != error_type)
        print(f"{error_type:20} {taken_for.total():4}  {shares[error_type]:.3f}  {others}")
    worst = min(shares, key=lambda error_type: shares[error_type])
    return {
        "documents": len(sound),
        "left_out": len(documents) - len(sound),
        "error_types": len(shares),
        "locales": len(locales),
        "mean": round(float(np.mean(list(shares.values()))), 4),
        "worst": {worst: shares[worst]},
    }


def fields_of(documents: Sequence[DrawnDocument]) -> dict[str, Counter[str]]:
    """Return the number of printed fields by element, by document id."""
    return {one.id: Counter(str(element_of(path)) for path in one.printed) for one in documents}


def simulate_failures(
    fields: Mapping[str, Counter[str]],
    rate: Callable[[str, CellKey], float],
    keys: Sequence[CellKey],
    clustering: float,
    chance: np.random.Generator,
) -> list[DocumentFailures]:
    """Simulate a reader with given failure rates; a share of the failures hits all fields of a document at once."""
    tallies = []
    for name, trials in fields.items():
        failures: dict[CellKey, int] = {}
        left = dict(trials)
        for key in keys:
            p = rate(name, key)
            whole = chance.random() < p and chance.random() < clustering
            count = left.get(key[0], 0) if whole else chance.binomial(left.get(key[0], 0), p * (1 - clustering))
            if count:
                failures[key] = int(count)
                left[key[0]] -= int(count)
        tallies.append(DocumentFailures(name, trials, failures, {}))
    return tallies


def weak_cells(fields: Mapping[str, Counter[str]], runs: int) -> dict[str, Any]:
    """Count false weak cells if all cells fail at the threshold, and planted weaknesses that are found."""
    elements = sorted({element for one in fields.values() for element in one})
    keys = [(element, cause) for element in elements for cause in ("digit", "missing", "other")]
    frequent = [element for element in elements if sum(element in one for one in fields.values()) > 0.9 * len(fields)]
    names = list(fields)
    results: dict[str, Any] = {}
    for label, clustering in CLUSTERING.items():
        chance = np.random.default_rng(0)
        false, watched, found, beside = 0, 0, 0, 0
        for run in range(runs):
            sample = {name: fields[name] for name in chance.choice(names, DOCUMENTS, replace=False)}
            cells = find_cells(simulate_failures(sample, lambda *_: RATE_THRESHOLD, keys, clustering, chance))
            false += sum(cell.weak for cell in cells)
            watched += sum(cell.watched for cell in cells)
            planted = (frequent[run % len(frequent)], "digit")
            cells = find_cells(
                simulate_failures(
                    sample,
                    lambda _, key, planted=planted: (
                        RATE_THRESHOLD + PLANTED_EXCESS if key == planted else RATE_THRESHOLD / 2
                    ),
                    keys,
                    clustering,
                    chance,
                )
            )
            weak = [(cell.element, cell.error_type) for cell in cells if cell.weak]
            found += planted in weak
            beside += len(set(weak) - {planted})
        results[label] = {
            "false_cells_per_run": false / runs,
            "watched_per_run": watched / runs,
            "planted_found": found / runs,
            "false_beside_planted": beside / runs,
        }
    return {"documents": DOCUMENTS, "runs": runs, "cells": len(keys), **results}


def attribution(documents: Sequence[DrawnDocument], runs: int, sample: int) -> dict[str, Any]:
    """Count how often a planted value is found first, and how often another value is named."""
    fields, values = fields_of(documents), drawn_values(documents)
    key = ("amount", "digit")
    elements = sorted({element for one in fields.values() for element in one})
    null_cells = [(element, cause) for element in elements for cause in ("digit", "missing", "substitution")]
    names = list(fields)
    all_values = sorted({name for drawn in values.values() for name in drawn})
    outcome: dict[str, Counter[str]] = {}
    chance = np.random.default_rng(0)

    def dimension_of(value: str) -> str:
        return value.partition(":")[0] if ":" in value else "knob"

    for run in range(runs * 2):
        sampled = list(chance.choice(names, sample, replace=False))
        having = {value: sum(values[name].get(value, 0) >= 0.3 for name in sampled) for value in all_values}
        possible = [value for value in all_values if MIN_PREVALENCE * sample <= having[value] <= 0.6 * sample]
        dimensions = sorted({dimension_of(value) for value in possible})
        dimension = dimensions[run % len(dimensions)]
        planted = chance.choice([value for value in possible if dimension_of(value) == dimension])
        if run >= runs:
            dimension, planted = "nothing", ""
        keys = null_cells if dimension == "nothing" else [key]
        tallies = simulate_failures(
            {name: fields[name] for name in sampled},
            lambda name, _, planted=planted: 0.3 if values[name].get(planted, 0) >= 0.3 else 0.03,
            keys,
            0.5,
            chance,
        )
        attributed = Attribution(tallies, values).attribute(keys)
        found = [effect.name for one in attributed.values() for effect in one.effects]
        counts = outcome.setdefault(dimension, Counter())
        counts["runs"] += 1
        counts["first"] += found[:1] == [planted]
        counts["spurious"] += bool(set(found) - {planted})
    planted_runs = [counts for dimension, counts in outcome.items() if dimension != "nothing"]
    total = sum(planted_runs, Counter())
    return {
        "documents": sample,
        "rate": "0.30 with the value, 0.03 without; half of the failures by document",
        "planted_found_first": round(total["first"] / total["runs"], 3),
        "runs_with_a_spurious_value": round(total["spurious"] / total["runs"], 3),
        "cells_of_a_reader_without_causes": len(null_cells),
        "spurious_if_nothing_is_planted": round(outcome["nothing"]["spurious"] / outcome["nothing"]["runs"], 3),
        "by_dimension": {
            dimension: {"runs": counts["runs"], "first": counts["first"], "spurious": counts["spurious"]}
            for dimension, counts in outcome.items()
        },
    }


def half_clustered(rate: float) -> float:
    """Return the rate to ask of `simulate_failures` for a failure rate, half of it by document; at most 0.75.

    A field fails with its document or else by itself, each with half of the rate p: p/2 + (1 - p/2)·p/2.
    """
    return 2 * (1 - (1 - rate) ** 0.5)


def power(documents: Sequence[DrawnDocument], runs: int, sample: int) -> dict[str, Any]:
    """Plant effects of the smallest size that a sample is said to show, and count how often they are found."""
    fields, values = fields_of(documents), drawn_values(documents)
    key, names, chance = ("amount", "digit"), list(fields), np.random.default_rng(0)
    found, others, planted = 0, 0, []
    while len(planted) < runs:
        sampled = {name: fields[name] for name in chance.choice(names, sample, replace=False)}
        without_cause = simulate_failures(sampled, lambda *_: half_clustered(POWER_RATE), [key], 0.5, chance)
        tested = Attribution(without_cause, values).attribute([key])[key].limits.tested
        able = [
            one
            for one in tested
            if one.smallest_effect is not None and one.smallest_effect < MAX_HALF_CLUSTERED - POWER_RATE
        ]
        if not able:
            continue
        value = able[chance.integers(len(able))]
        effect = value.smallest_effect or 0.0
        slope = effect / max(values[name].get(value.name, 0.0) for name in sampled)
        tallies = simulate_failures(
            sampled,
            lambda name, _, value=value.name, slope=slope: half_clustered(
                POWER_RATE + slope * values[name].get(value, 0.0)
            ),
            [key],
            0.5,
            chance,
        )
        effects = Attribution(tallies, values).attribute([key])[key].effects
        named = {name for one in effects for name in (one.name, *one.inseparable)}
        found += value.name in named
        others += bool(named) and value.name not in named
        planted.append(effect)
    return {
        "documents": sample,
        "stated_power": ATTRIBUTION_POWER,
        "found": round(found / runs, 3),
        "another_value_found": round(others / runs, 3),
        "runs": runs,
        "planted_effects": [round(float(part), 3) for part in np.quantile(planted, (0.1, 0.5, 0.9))],
    }


def speed(documents: Sequence[DrawnDocument], copies: int) -> dict[str, Any]:
    """Measure documents in a CPU second, for a reader that fails in four fifths of the documents in many ways."""
    chance = random.Random(0)
    predictions = {}
    for drawn in documents:
        try:
            failing = chance.random() < 0.8
            text = simulate_response(drawn, chance.choice(list(FIELD_ERRORS)), chance)[0] if failing else "{}"
        except InjectionNotPossible:
            text = "{}"
        predictions[drawn.id] = Prediction(drawn.id, text)
    started = time.process_time()
    scored = score({one.id: truth_of(one) for one in documents}, predictions)
    scoring = time.process_time() - started
    values, pages = drawn_values(documents), {one.id: PageContext.of(one) for one in documents}
    plan = seed_plan("batch-000", len(documents), 0)
    started = time.process_time()
    report = mine(scored * copies, plan, 200, values, pages=pages)
    mining = time.process_time() - started
    count = len(documents) * copies
    return {
        "documents": count,
        "weak_cells": sum(cell.weak for cell in report.cells),
        "scored_per_cpu_second": round(len(documents) / scoring),
        "mined_per_cpu_second": round(count / mining),
        "cpu_seconds_of_mining": round(mining, 1),
    }


def main() -> None:
    """Print the confusion of causes, and all results as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--only", choices=("causes", "cells", "attribution", "power", "speed"), help="run this part alone"
    )
    parser.add_argument("--errors", type=int, default=100, help="errors of each type")
    parser.add_argument("--runs", type=int, default=200, help="simulated readers of each sort")
    parser.add_argument("--sample", type=int, default=400, help="documents that a reader of the attribution part reads")
    parser.add_argument("--documents", type=int, default=1200, help="documents to draw")
    parser.add_argument("--seed", type=int, default=1, help="of the documents")
    arguments = parser.parse_args()
    plan = seed_plan("batch-000", arguments.documents, arguments.seed)
    documents = [draw_document(plan, index) for index in range(arguments.documents)]
    short = [one for one in documents if max(len(one.document.lines), len(one.document.entries)) <= MAX_ROWS]
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "causes": lambda: causes(short, arguments.errors),
        "cells": lambda: weak_cells(fields_of(documents), arguments.runs),
        "attribution": lambda: attribution(documents, arguments.runs, arguments.sample),
        "power": lambda: {
            str(sample): power(documents, arguments.runs, sample) for sample in (51, 100, arguments.sample)
        },
        "speed": lambda: speed(short[:500], 20),
    }
    results = {name: part() for name, part in parts.items() if arguments.only in (None, name)}
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
