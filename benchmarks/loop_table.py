"""The table and the plot of `loop.py`'s results.

Every reader took the same exam, so seeds and documents are crossed. Intervals are of a bootstrap over both: seeds are
drawn with replacement, and independently the documents of each part (Owen 2007, the pigeonhole bootstrap). Beside it
stands a paired t-test over the seeds alone, which assumes nothing about documents.

    .venv/bin/python benchmarks/loop_table.py --work /tmp/loop --plot docs/images/loop.png
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from loop import ARMS, FIRST, rare_recipe
from loop_exam import OTHERS_PART, UNSEEN, exam_parts
from scipy import stats

from finscribe_assets.documents.plan import Plan
from finscribe_assets.files import read_json, write_json

mpl.use("Agg")
from matplotlib import pyplot as plt

REPLICATES = 4000
COSTLY = 0.1  # exact match that the first adapter loses under a factor, from which the factor counts

Scores = Mapping[str, np.ndarray]
"""Part → (seeds, readers, documents, 2): right fields and fields."""


def read_scores(work: Path, seeds: Sequence[int], readers: Sequence[str]) -> Scores:
    """Return the scores of all readers."""
    files = [[read_json(work / f"seed-{seed}" / "scores" / f"{name}.json") for name in readers] for seed in seeds]
    return {part: np.array([[one[part] for one in row] for row in files], dtype=float) for part in files[0][0]}


def rates(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return exact match (replicates, seeds, readers), documents counted with weights (replicates, documents)."""
    right, fields = (np.einsum("srd,bd->bsr", scores[..., kind], weights) for kind in (0, 1))
    return right / np.maximum(fields, 1)


class Comparison:
    """Replicates of every reader's scores; the first one is the estimate."""

    def __init__(self, scores: Scores, readers: Sequence[str], masks: Mapping[str, np.ndarray]) -> None:
        """Draw the replicates.

        Args:
            scores: Of all parts.
            readers: Their names.
            masks: Part → (seeds, documents): whether a document counts in a seed; all do where a part has none.
        """
        random = np.random.default_rng(0)
        self.readers = list(readers)
        seeds = next(iter(scores.values())).shape[0]
        picked = random.multinomial(seeds, np.full(seeds, 1 / seeds), REPLICATES) / seeds
        self.seed_weights = np.vstack([np.full(seeds, 1 / seeds), picked])
        self.parts: dict[str, np.ndarray] = {}
        for part, values in scores.items():
            documents = values.shape[2]
            drawn = random.multinomial(documents, np.full(documents, 1 / documents), REPLICATES)
            weights = np.vstack([np.ones(documents), drawn])
            mask = masks.get(part, np.ones((seeds, documents)))
            self.parts[part] = rates(values * mask[:, None, :, None], weights)

    def by_seed(self, parts: Sequence[str], reader: str) -> np.ndarray:
        """Return a reader's mean exact match over parts (replicates, seeds)."""
        return np.mean([self.parts[part][:, :, self.readers.index(reader)] for part in parts], axis=0)

    def mean(self, parts: Sequence[str], reader: str) -> np.ndarray:
        """Return a reader's mean over seeds and parts (replicates)."""
        return (self.by_seed(parts, reader) * self.seed_weights).sum(axis=1)

    def difference(self, parts: Sequence[str], reader: str, other: str) -> dict[str, Any]:
        """Return a difference with its interval and p-values."""
        return {
            **summary(self.mean(parts, reader) - self.mean(parts, other)),
            **seed_test(self.by_seed(parts, reader)[0] - self.by_seed(parts, other)[0]),
        }


def summary(replicates: np.ndarray) -> dict[str, Any]:
    """Return the estimate, the 95 % interval, the one-sided lower bound and the two-sided p-value."""
    estimate, drawn = replicates[0], replicates[1:]
    beyond = min((drawn <= 0).mean(), (drawn >= 0).mean())
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "difference": round(float(estimate), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "lower_bound": round(float(np.percentile(drawn, 5)), 4),
        "p": float(max(2 * beyond, 1 / len(drawn))),
    }


def seed_test(differences: np.ndarray) -> dict[str, Any]:
    """Return the differences of the seeds, and the p-value of their paired t-test."""
    test = stats.ttest_1samp(differences, 0) if len(differences) > 1 else None
    return {"seeds": [round(float(one), 4) for one in differences], "p_seeds": float(test.pvalue) if test else None}


def planned_factors(work: Path, seed: int) -> set[str]:
    """Return the factors that the probe's plan of a seed has documents for."""
    plan = Plan.model_validate(read_json(work / f"seed-{seed}" / "probe" / "plan.json"))
    return {name for component in plan.components for name in component.name.split(" + ")}


def tabulate(work: Path, seeds: Sequence[int], arms: Sequence[str]) -> dict[str, Any]:
    """Return everything that is reported."""
    readers = [FIRST, *arms]
    scores = read_scores(work, seeds, readers)
    planned = {seed: planned_factors(work, seed) for seed in seeds}
    factors = next(
        [paper.part for paper in part.papers] for part in exam_parts(rare_recipe()) if part.name == OTHERS_PART
    )
    left = np.array([[factor not in planned[seed] for factor in factors] for seed in seeds], dtype=float)
    missed = {name: [seed for seed in seeds if name not in planned[seed]] for name in UNSEEN}
    everything = Comparison(scores, readers, {})
    rest = Comparison({OTHERS_PART: scores[OTHERS_PART]}, readers, {OTHERS_PART: left})
    bare = {part: np.array(values) for part, values in read_json(work / "base.json").items()}
    cost = {name: float((everything.mean(["base"], FIRST) - everything.mean([name], FIRST))[0]) for name in UNSEEN}
    costly = [name for name in UNSEEN if cost[name] >= COSTLY]
    oracle = everything.mean(costly, "oracle") - everything.mean(costly, "random")
    probe = everything.mean(costly, "probe") - everything.mean(costly, "random")
    share = probe / oracle
    return {
        "seeds": list(seeds),
        "frozen": read_json(work / "frozen.json"),
        "documents of the exam": {part: values.shape[2] for part, values in scores.items()},
        "fields of the exam": {part: int(values[0, 0, :, 1].sum()) for part, values in scores.items()},
        "cost of each factor to the first adapter": {name: round(value, 4) for name, value in cost.items()},
        "costly": costly,
        "exact match": {
            "bare base": {part: round(float(v[:, 0].sum() / v[:, 1].sum()), 4) for part, v in bare.items()},
            **{
                reader: {part: round(float(everything.mean([part], reader)[0]), 4) for part in scores}
                | {"costly": round(float(everything.mean(costly, reader)[0]), 4)}
                for reader in readers
            },
        },
        "costly factors": {
            f"probe − {other}": everything.difference(costly, "probe", other) for other in readers if other != "probe"
        },
        "by factor, probe − random": {name: everything.difference([name], "probe", "random") for name in UNSEEN},
        "share of the oracle's gain over random": {
            "share": round(float(share[0]), 3),
            "low": round(float(np.percentile(share[1:], 2.5)), 3),
            "high": round(float(np.percentile(share[1:], 97.5)), 3),
        },
        "base distribution": {
            f"{arm} − {other}": everything.difference(["base"], arm, other)
            for arm in arms
            for other in ("random", FIRST)
            if arm != other
        },
        "left out by the plan": {
            f"probe − {other}": rest.difference([OTHERS_PART], "probe", other) for other in ("random", FIRST)
        },
        "planned": {seed: sorted(names - {"base", "floor"}) for seed, names in planned.items()},
        "seeds whose plan misses": {name: missing for name, missing in missed.items() if missing},
        "iterations": iterations(work, seeds, costly),
    }


def iterations(work: Path, seeds: Sequence[int], costly: Sequence[str]) -> dict[int, list[dict[str, Any]]]:
    """Return the exam of each iteration of the probe's arm, for the seeds that went on."""
    found = {}
    for seed in seeds:
        scores = work / f"seed-{seed}" / "scores"
        later = sorted(scores.glob("iteration-*.json"))
        if later:
            files = [scores / f"{FIRST}.json", scores / "probe.json", *later]
            found[seed] = [_row(file.stem, read_json(file), costly) for file in files]
    return found


def _row(reader: str, scores: Mapping[str, Any], costly: Sequence[str]) -> dict[str, Any]:
    values = {part: np.array(documents, dtype=float) for part, documents in scores.items()}
    matched = {part: float(one[:, 0].sum() / one[:, 1].sum()) for part, one in values.items()}
    return {
        "reader": reader,
        **{part: round(value, 4) for part, value in matched.items()},
        "costly": round(float(np.mean([matched[name] for name in costly])), 4),
    }


def draw_plot(result: Mapping[str, Any], arms: Sequence[str], file: Path) -> None:
    """Draw exact match by factor and arm, and the differences to random with their intervals."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), width_ratios=[2, 1])
    readers = ["bare base", FIRST, *arms]
    parts = [*UNSEEN, "base"]
    colours = plt.get_cmap("tab10")
    for number, reader in enumerate(readers):
        values = [result["exact match"][reader][part] for part in parts]
        where = np.arange(len(parts)) + (number - len(readers) / 2 + 0.5) * 0.1
        left.bar(where, values, 0.1, label=reader, color=colours(number))
    left.set_xticks(
        range(len(parts)), [part.partition(":")[2] or part.replace("_", "\n") for part in parts], fontsize=8
    )
    left.set_ylabel("exact match of fields")
    left.set_title("Frozen exam, by factor", fontsize=10)
    left.legend(fontsize=7, ncols=2)
    rows = result["costly factors"]
    for number, row in enumerate(reversed(rows.values())):
        right.plot([row["low"], row["high"]], [number, number], color="black")
        right.plot(row["seeds"], [number] * len(row["seeds"]), "o", color="tab:blue", alpha=0.4, markersize=4)
        right.plot(row["difference"], number, "D", color="black", markersize=5)
    right.set_yticks(range(len(rows)), list(reversed(rows)), fontsize=8)
    right.axvline(0, color="grey", linewidth=0.8)
    right.set_title("Costly factors: difference, 95 % interval, seeds", fontsize=10)
    figure.tight_layout()
    figure.savefig(file, dpi=90)


def main(given: argparse.Namespace) -> None:
    """Print the table, and draw the plot."""
    result = tabulate(given.work, given.seeds, ARMS)
    write_json(given.work / "results.json", result)
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if given.plot:
        draw_plot(result, ARMS, given.plot)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--plot", type=Path, help="PNG to write")
    main(parser.parse_args())
