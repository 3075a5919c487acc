"""Whether mining finds what is wrong with a reader, and nothing else; and how fast.

Readers are simulated (mining/simulated_reader.py) over documents that are really drawn, so that what is wrong is known:
single errors of every kind, for their causes; failure rates at and above the threshold, of fields on their own and of
whole documents, for weak cells; a rate that a drawn value raises, for attribution.

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
from finscribe_assets.mining.error_cells import RATE_THRESHOLD, CellKey, DocumentFailures, find_cells
from finscribe_assets.mining.error_classification import PageContext, classify_errors
from finscribe_assets.mining.mining_report import mine
from finscribe_assets.mining.simulated_reader import (
    FIELD_ERRORS,
    RESPONSE_ERRORS,
    InjectionNotPossible,
    simulate_response,
)

LONGEST_TABLE = 20  # rows; longer ones take long to compare and show nothing more
TRIES = 60  # documents looked at for each error wanted, as not every document can fail in every way
ABOVE = 0.12  # by which a planted rate is above the threshold
DOCUMENTS = 100
FEWEST = 0.06  # of the documents, that have a planted value
TOGETHER = {"fields on their own": 0.0, "half by document": 0.5, "documents as a whole": 1.0}


def truth_of(drawn: DrawnDocument) -> Truth:
    return Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed))


def measured(drawn: DrawnDocument, response: Any) -> ScoredDocument:
    return score({drawn.id: truth_of(drawn)}, {drawn.id: Prediction(drawn.id, response)})[0]


def causes(documents: Sequence[DrawnDocument], errors: int) -> dict[str, Any]:
    """Inject errors one by one; an error counts as found where every field that fails by it has its cause."""
    # A text that means another number where it stands (1.234 with another country's separators) is wrong without error.
    sound = [one for one in documents if not classify_errors(measured(one, unflatten(dict(one.printed))))]
    print(f"{'injected':20}    n  right  taken for")
    right: dict[str, float] = {}
    locales: set[str] = set()
    for kind in (*RESPONSE_ERRORS, *FIELD_ERRORS):
        chance = random.Random(kind)
        taken_for: Counter[str] = Counter()
        for _ in range(errors * TRIES):
            if taken_for.total() == errors:
                break
            drawn = chance.choice(sound)
            try:
                text, illegible = simulate_response(drawn, kind, chance)
            except InjectionNotPossible:
                continue
            scored = measured(drawn, text)
            found = Counter(str(cause) for _, cause in classify_errors(scored, PageContext.of(drawn, illegible)))
            if found:  # else it made no difference
                taken_for[kind if set(found) == {kind} else next(one for one in found if one != kind)] += 1
                locales.add(drawn.document.locale)
        right[kind] = round(taken_for[kind] / max(taken_for.total(), 1), 3)
        others = ", ".join(f"{name} {count}" for name, count in taken_for.most_common() if name != kind)
        print(f"{kind:20} {taken_for.total():4}  {right[kind]:.3f}  {others}")
    worst = min(right, key=lambda kind: right[kind])
    return {
        "documents": len(sound),
        "left_out": len(documents) - len(sound),
        "kinds": len(right),
        "locales": len(locales),
        "mean": round(float(np.mean(list(right.values()))), 4),
        "worst": {worst: right[worst]},
    }


def fields_of(documents: Sequence[DrawnDocument]) -> dict[str, Counter[str]]:
    return {one.id: Counter(str(element_of(path)) for path in one.printed) for one in documents}


def simulated(
    fields: Mapping[str, Counter[str]],
    rate: Callable[[str, CellKey], float],
    keys: Sequence[CellKey],
    together: float,
    chance: np.random.Generator,
) -> list[DocumentFailures]:
    """Return what a reader does that fails at given rates, a share of its failures all fields of a document at once."""
    tallies = []
    for name, trials in fields.items():
        failures: dict[CellKey, int] = {}
        left = dict(trials)
        for key in keys:
            p = rate(name, key)
            whole = chance.random() < p and chance.random() < together
            count = left.get(key[0], 0) if whole else chance.binomial(left.get(key[0], 0), p * (1 - together))
            if count:
                failures[key] = int(count)
                left[key[0]] -= int(count)
        tallies.append(DocumentFailures(name, trials, failures, {}))
    return tallies


def weak_cells(fields: Mapping[str, Counter[str]], runs: int) -> dict[str, Any]:
    """Return false cells a run where nothing is wrong, and how many planted weaknesses are found."""
    elements = sorted({element for one in fields.values() for element in one})
    keys = [(element, cause) for element in elements for cause in ("digit", "missing", "other")]
    often = [element for element in elements if sum(element in one for one in fields.values()) > 0.9 * len(fields)]
    names = list(fields)
    results: dict[str, Any] = {}
    for said, together in TOGETHER.items():
        chance = np.random.default_rng(0)
        false, watched, found, beside = 0, 0, 0, 0
        for run in range(runs):
            own = {name: fields[name] for name in chance.choice(names, DOCUMENTS, replace=False)}
            cells = find_cells(simulated(own, lambda *_: RATE_THRESHOLD, keys, together, chance))
            false += sum(cell.weak for cell in cells)
            watched += sum(cell.watched for cell in cells)
            planted = (often[run % len(often)], "digit")
            usual = find_cells(
                simulated(
                    own,
                    lambda _, key, planted=planted: RATE_THRESHOLD + ABOVE if key == planted else RATE_THRESHOLD / 2,
                    keys,
                    together,
                    chance,
                )
            )
            weak = [(cell.element, cell.error_type) for cell in usual if cell.weak]
            found += planted in weak
            beside += len(set(weak) - {planted})
        results[said] = {
            "false_cells_a_run": false / runs,
            "watched_a_run": watched / runs,
            "planted_found": found / runs,
            "false_beside_planted": beside / runs,
        }
    return {"documents": DOCUMENTS, "runs": runs, "cells": len(keys), **results}


def attribution(documents: Sequence[DrawnDocument], runs: int, sample: int) -> dict[str, Any]:
    """Return how often a planted value is found first, and how often any other is named."""
    fields, values = fields_of(documents), drawn_values(documents)
    key = ("amount", "digit")
    names = list(fields)
    every = sorted({name for own in values.values() for name in own})
    outcome: dict[str, Counter[str]] = {}
    chance = np.random.default_rng(0)
    for run in range(runs * 2):
        own = list(chance.choice(names, sample, replace=False))
        having = {one: sum(values[name].get(one, 0) >= 0.3 for name in own) for one in every}
        possible = [one for one in every if FEWEST * sample <= having[one] <= 0.6 * sample]
        kinds = sorted({one.partition(":")[0] if ":" in one else "knob" for one in possible})
        kind = kinds[run % len(kinds)]
        planted = chance.choice([one for one in possible if (one.partition(":")[0] if ":" in one else "knob") == kind])
        if run >= runs:
            kind, planted = "nothing", ""
        tallies = simulated(
            {name: fields[name] for name in own},
            lambda name, _, planted=planted: 0.3 if values[name].get(planted, 0) >= 0.3 else 0.03,
            [key],
            0.5,
            chance,
        )
        found = [effect.name for effect in Attribution(tallies, values).effects(key)]
        counts = outcome.setdefault(kind, Counter())
        counts["runs"] += 1
        counts["first"] += found[:1] == [planted]
        counts["spurious"] += bool(set(found) - {planted})
    planted_runs = [counts for kind, counts in outcome.items() if kind != "nothing"]
    total = sum(planted_runs, Counter())
    return {
        "documents": sample,
        "rate": "0.30 with the value, 0.03 without; half of the failures by document",
        "planted_found_first": round(total["first"] / total["runs"], 3),
        "runs_with_a_spurious_value": round(total["spurious"] / total["runs"], 3),
        "spurious_where_nothing_is_planted": round(outcome["nothing"]["spurious"] / outcome["nothing"]["runs"], 3),
        "by_kind": {
            kind: {"runs": counts["runs"], "first": counts["first"], "spurious": counts["spurious"]}
            for kind, counts in outcome.items()
        },
    }


def speed(documents: Sequence[DrawnDocument], copies: int) -> dict[str, Any]:
    """Return documents a CPU second of a reader that fails in many ways, each in a fifth of the documents."""
    chance = random.Random(0)
    answers = {}
    for drawn in documents:
        try:
            text = (
                simulate_response(drawn, chance.choice(list(FIELD_ERRORS)), chance)[0]
                if chance.random() < 0.8
                else "{}"
            )
        except InjectionNotPossible:
            text = "{}"
        answers[drawn.id] = Prediction(drawn.id, text)
    started = time.process_time()
    scored = score({one.id: truth_of(one) for one in documents}, answers)
    measuring = time.process_time() - started
    values, pages = drawn_values(documents), {one.id: PageContext.of(one) for one in documents}
    plan = seed_plan("batch-000", len(documents), 0)
    started = time.process_time()
    report = mine(scored * copies, plan, 200, values, pages=pages)
    mining = time.process_time() - started
    count = len(documents) * copies
    return {
        "documents": count,
        "weak_cells": sum(cell.weak for cell in report.cells),
        "measured_a_cpu_second": round(len(documents) / measuring),
        "mined_a_cpu_second": round(count / mining),
        "cpu_seconds_of_mining": round(mining, 1),
    }


def main() -> None:
    """Print the confusion of causes, and all figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--only", choices=("causes", "cells", "attribution", "speed"))
    parser.add_argument("--errors", type=int, default=100, help="errors of each kind")
    parser.add_argument("--runs", type=int, default=200, help="simulated readers of each sort")
    parser.add_argument("--sample", type=int, default=400, help="documents of a reader, for attribution")
    parser.add_argument("--documents", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    plan = seed_plan("batch-000", arguments.documents, arguments.seed)
    documents = [draw_document(plan, index) for index in range(arguments.documents)]
    short = [one for one in documents if max(len(one.document.lines), len(one.document.entries)) <= LONGEST_TABLE]
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "causes": lambda: causes(short, arguments.errors),
        "cells": lambda: weak_cells(fields_of(documents), arguments.runs),
        "attribution": lambda: attribution(documents, arguments.runs, arguments.sample),
        "speed": lambda: speed(short[:500], 20),
    }
    found = {name: part() for name, part in parts.items() if arguments.only in (None, name)}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
