"""Measure whether a probe finds the weaknesses of a reader, and nothing else.

Readers are simulated over drawn documents, so that their weaknesses are known:

- one: each of six factors costs one element 10 points, or 5; element and factors are drawn at random;
- made for: the same for elements that a knob is made to make harder;
- each: each of six factors costs all elements 10 points, or 5;
- interaction: two of four factors cost more together;
- at random: a reader that fails at everything alike, one field in ten;
- nothing: a reader that fails one field in thirty.

Beside the probe stands its strongest rival, pairs of plain documents with one factor changed, at the same number of
pages. With ``--base`` the embedded base is probed with three seeds, with ``--adapter`` an adapter.

    python benchmarks/probing.py --runs 8
    python benchmarks/probing.py --only one each --runs 24 --out results.json
    python benchmarks/probing.py --runs 0 --base
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import fisher_exact

from finscribe_assets.documents.elements import element_of
from finscribe_assets.evaluation.score_interval import wilson
from finscribe_assets.inference.reader import Reader
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, UNSEEN_FONTS, UNSEEN_KNOBS, UNSEEN_LOCALE
from finscribe_assets.probing.battery import Battery, sample_fields
from finscribe_assets.probing.evidence import CellEffect
from finscribe_assets.probing.factor_effects import FactorEffect, judge_effects
from finscribe_assets.probing.factors import Factor, FactorSpace, factor_elements
from finscribe_assets.probing.reading_cache import ReadingCache
from finscribe_assets.probing.reading_session import ReadingSession
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.probing.sequential_probe import PROBE_SEED, ProbeSettings, probe_reader
from finscribe_assets.probing.simulated_readers import Cost, SimulatedReader
from finscribe_assets.shards import kept_workers

SPACE = FactorSpace(EMBEDDED_RECIPE)
UNSEEN = (*UNSEEN_KNOBS, f"locale:{UNSEEN_LOCALE}", *(f"font:{font}" for font in UNSEEN_FONTS))
PLANTED = 6  # factors of a reader
SIZES = (0.10, 0.05)  # of planted costs, in turn
BATTERIES = 4  # seeds of documents; each is drawn once
PAIRS = 8  # of each factor, that the rival reads
DOCUMENTS_LOOKED_AT = 12  # of each type, for the elements that it has
READERS = ("one", "made for", "each", "interaction", "at random", "nothing")


def elements_of_types() -> dict[str, set[str]]:
    """Return the elements that most documents of each type have."""
    battery = Battery(SPACE, 0)
    found = {}
    for kind in SPACE.types:
        plain = SPACE.plain(kind)
        documents = [battery.draw(plain, number) for number in range(DOCUMENTS_LOOKED_AT)]
        elements = [{str(element_of(path)) for path in sample_fields(one, None)} for one in documents]
        found[str(kind)] = {
            element for element in set().union(*elements) if sum(element in one for one in elements) > len(elements) / 2
        }
    return found


def draw_reader(name: str, seed: int, elements: Mapping[str, set[str]]) -> SimulatedReader:
    """Draw a reader with weaknesses of a sort."""
    chance = random.Random(f"reader:{name}:{seed}")
    if name == "nothing":
        return SimulatedReader(seed=seed)
    if name == "at random":
        return SimulatedReader(seed=seed, base_rate=0.1)
    able = {
        factor: sorted(set().union(*(elements[str(kind)] for kind in SPACE.types if SPACE.can_act(factor, kind))))
        for factor in SPACE.factors
    }
    if name == "made for":
        able = {factor: sorted(factor_elements(factor) & set(some)) or some for factor, some in able.items()}
    # A document type is compared with others at what they have as well; its layouts are factors of their own.
    factors = chance.sample([factor for factor in SPACE.factors if factor.choice != "type"], PLANTED)
    costs: dict[str, Cost] = {}
    for number, factor in enumerate(factors):
        size = SIZES[number % len(SIZES)] if name != "interaction" else 0.2
        costs[factor.name] = {"*": size} if name in ("each", "interaction") else {chance.choice(able[factor]): size}
    if name != "interaction":
        return SimulatedReader(seed=seed, costs=costs)
    names = [factor.name for factor in factors if not factor.choice][:2] or [factor.name for factor in factors[:2]]
    together = {(names[0], names[-1]): {"*": 0.3}} if names[0] != names[-1] else {}
    return SimulatedReader(seed=seed, costs=dict(list(costs.items())[:4]), interactions=together)


@cache
def battery_of(seed: int) -> Battery:
    """Return the documents of a seed; drawing them takes longer than everything else."""
    return Battery(SPACE, seed)


def pairs_alone(reader: SimulatedReader, settings: ProbeSettings) -> tuple[tuple[FactorEffect, ...], int]:
    """Read the rival's documents: pairs of every factor in turn, until the pages are spent.

    Fields count one by one (Fisher's exact test): simulated failures are independent. Verdicts are the probe's.
    """
    session = ReadingSession(reader, battery_of(settings.seed), ReadingCache(None, reader.identity))
    # Factor × element → failures and fields without the factor, and with it.
    counts: defaultdict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros((2, 2), dtype=int))
    pairs: Counter[tuple[str, str]] = Counter()
    for index, factor in product(range(PAIRS), SPACE.factors):
        if session.pages >= settings.budget:
            break
        versions = session.pair(factor, index)
        for version, read in zip(versions, session.read(versions), strict=True):
            has_factor = int(version.setting.has(factor))
            for element, failed in read.items():
                if "/" not in element:
                    counts[factor.name, element][has_factor] += failed
                    pairs[factor.name, element] += has_factor
    cells = []
    for (factor_name, element), ((failed_off, off), (failed_on, on)) in counts.items():
        if off and on:
            table = [[failed_on, on - failed_on], [failed_off, off - failed_off]]
            rates = np.array([failed_off / off, failed_on / on])
            low, high = wilson(rates, np.array([off, on]))
            effect = rates[1] - rates[0]
            bounds = (
                effect - np.hypot(rates[1] - low[1], high[0] - rates[0]),
                effect + np.hypot(high[1] - rates[1], rates[0] - low[0]),
            )
            p = fisher_exact(table, alternative="greater").pvalue
            cells.append(CellEffect(factor_name, element, effect, *bounds, p, 0.0, pairs[factor_name, element]))
    return judge_effects(cells, settings.false_discovery_rate, settings.harmless_below), session.pages


def score_effects(reader: SimulatedReader, effects: tuple[FactorEffect, ...], pages: int) -> dict[str, Any]:
    """Compare effects with what was planted."""
    harmful = {effect.factor for effect in effects if effect.verdict == "harmful"}
    true = set(reader.costs) | {factor for pair in reader.interactions for factor in pair}
    # What an interaction adds to a factor depends on how often the other one is on: no single value is the true one.
    planted = [
        (effect, reader.costs.get(effect.factor, {}))
        for effect in effects
        if not any(effect.factor in pair for pair in reader.interactions)
    ]
    covered = [effect.low <= cost.get(effect.element, cost.get("*", 0.0)) <= effect.high for effect, cost in planted]
    return {
        "found": [[factor, max(cost.values()), factor in harmful] for factor, cost in reader.costs.items()],
        "false": sorted(harmful - true),
        "covered": [sum(covered), len(covered)],
        "harmless": [
            sum(effect.verdict == "harmless" for effect in effects if effect.factor not in true),
            sum(effect.factor not in true for effect in effects),
        ],
        "pages": pages,
    }


def rate(hits: int, count: int) -> str:
    """Write a rate with Wilson's interval."""
    if not count:
        return "–"
    low, high = wilson(hits / count, count)
    return f"{hits}/{count} = {hits / count:.2f} ({low:.2f} to {high:.2f})"


def summarise(runs: list[dict[str, Any]]) -> dict[str, str]:
    """Return the table row of the runs of one sort of reader."""
    row = {}
    for size in sorted({size for run in runs for _, size, _ in run["found"]}, reverse=True):
        found = [is_found for run in runs for _, one, is_found in run["found"] if one == size]
        row[f"recall at {size:.0%}"] = rate(sum(found), len(found))
    row["false factors a run"] = f"{np.mean([len(run['false']) for run in runs]):.2f}"
    row["runs with one"] = rate(sum(bool(run["false"]) for run in runs), len(runs))
    for name in ("covered", "harmless"):
        hits, count = np.sum([run[name] for run in runs], axis=0)
        row[name] = f"{hits / count:.3f}"
    row["pages"] = f"{np.mean([run['pages'] for run in runs]):.0f}"
    return row


def simulate(names: list[str], runs: int, first_seed: int, budget: int, out: Path | None) -> None:
    """Probe simulated readers; results that the file has already are not measured again."""
    elements = elements_of_types()
    results: dict[str, dict[str, Any]] = json.loads(out.read_text()) if out and out.exists() else {}
    for name in names:
        for seed in range(first_seed, first_seed + runs):
            key = f"{name}:{budget}:{seed}"
            if key not in results:
                reader, settings = (
                    draw_reader(name, seed, elements),
                    ProbeSettings(budget=budget, seed=seed % BATTERIES),
                )
                start = time.process_time()
                probed = probe_reader(reader, EMBEDDED_RECIPE, settings, battery=battery_of(settings.seed))
                seconds = time.process_time() - start
                results[key] = {
                    "probe": score_effects(reader, probed.effects, probed.pages) | {"cpu": round(seconds, 1)},
                    "pairs alone": score_effects(reader, *pairs_alone(reader, settings)),
                }
                if out:
                    out.write_text(json.dumps(results, indent=1))
        for method in ("probe", "pairs alone"):
            row = summarise(
                [results[f"{name}:{budget}:{seed}"][method] for seed in range(first_seed, first_seed + runs)]
            )
            print(f"{name}, {method}: {'; '.join(f'{key} {value}' for key, value in row.items())}", flush=True)


def probe_model(adapter: Path | None, seeds: list[int], budget: int, workers: int) -> None:
    """Probe the embedded base or an adapter, and rank what the base was never trained on."""
    for seed in seeds:
        start = time.perf_counter(), time.process_time()
        with kept_workers(workers) as pool:
            reader = RenderedReader(Reader(EMBEDDED, adapter, threads=1), pool)
            probed = probe_reader(reader, EMBEDDED_RECIPE, ProbeSettings(budget=budget, seed=seed))
        clock, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
        ranks = {Factor(name).value: position for position, name in enumerate(probed.harmful, 1) if name in UNSEEN}
        print(
            f"seed {seed}: ranks of the unseen {ranks}, {len(ranks)} of {len(UNSEEN)}; harmful {len(probed.harmful)}; "
            f"{probed.documents} documents, {clock:.0f} s, {cpu:.0f} CPU s of this process",
            flush=True,
        )
        print("  " + ", ".join(probed.harmful), flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=READERS, choices=READERS, help="sorts of simulated readers")
    parser.add_argument("--runs", type=int, default=8, help="of each sort; 0 for none")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--budget", type=int, default=600, help="pages")
    parser.add_argument("--out", type=Path, help="file of results; what it has already is not measured again")
    parser.add_argument("--base", action="store_true", help="probe the embedded base, with three seeds")
    parser.add_argument("--adapter", type=Path, help="probe an adapter")
    parser.add_argument("--workers", type=int, default=2, help="processes that render pages")
    given = parser.parse_args()
    if given.runs:
        simulate(list(given.only), given.runs, given.first_seed, given.budget, given.out)
    if given.base:
        probe_model(None, [PROBE_SEED, 1, 2], given.budget, given.workers)
    if given.adapter:
        probe_model(given.adapter, [PROBE_SEED], given.budget, given.workers)


if __name__ == "__main__":
    main()
