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
from loop import ARMS, FIRST
from loop_exam import OTHERS_PART, UNSEEN, exam_parts
from scipy import stats

from finscribe_assets.documents.plan import Plan
from finscribe_assets.files import read_json, write_json
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.promotion.exam_results import BASE_PART

mpl.use("Agg")
from matplotlib import pyplot as plt

REPLICATES = 4000
COSTLY = 0.1  # exact match that the first adapter loses under a factor, from which the factor counts


class Results:
    """The scores of all readers on the exam, and replicates of their means."""

    def __init__(self, work: Path, seeds: Sequence[int]) -> None:
        """Read the scores; a seed counts for the readers that took the exam."""
        self.scores: dict[str, dict[int, dict[str, np.ndarray]]] = {}
        for reader in (FIRST, *ARMS):
            files = {seed: work / f"seed-{seed}" / "scores" / f"{reader}.json" for seed in seeds}
            self.scores[reader] = {
                seed: {part: np.array(values, dtype=float) for part, values in read_json(file).items()}
                for seed, file in files.items()
                if file.exists()
            }

    def seeds_of(self, *readers: str) -> list[int]:
        """Return the seeds of which all of some readers took the exam."""
        return sorted(set.intersection(*(set(self.scores[reader]) for reader in readers)))

    def rates(
        self, readers: Sequence[str], parts: Sequence[str], masks: Mapping[int, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return exact match, the mean over parts, of readers on the seeds that they share.

        Args:
            readers: Names of readers.
            parts: Names of parts.
            masks: Seed → which documents of the one part count; all do unless given.

        Returns:
            Replicates (replicates, seeds, readers), the first of which is the estimate, and the weights of the seeds in
            each (replicates, seeds).
        """
        random = np.random.default_rng(0)
        seeds = self.seeds_of(*readers)
        picked = random.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)), REPLICATES) / len(seeds)
        seed_weights = np.vstack([np.full(len(seeds), 1 / len(seeds)), picked])
        total = np.zeros((REPLICATES + 1, len(seeds), len(readers)))
        for part in parts:
            values = np.array([[self.scores[reader][seed][part] for reader in readers] for seed in seeds])
            if masks is not None:
                values = values * np.array([masks[seed] for seed in seeds])[:, None, :, None]
            documents = values.shape[2]
            drawn = random.multinomial(documents, np.full(documents, 1 / documents), REPLICATES)
            weights = np.vstack([np.ones(documents), drawn])
            right, fields = (np.einsum("srd,bd->bsr", values[..., index], weights) for index in (0, 1))
            total += right / np.maximum(fields, 1)
        return total / len(parts), seed_weights

    def mean(self, reader: str, parts: Sequence[str]) -> float | None:
        """Return a reader's mean over its seeds and some parts."""
        if not self.scores[reader]:
            return None
        rates, _ = self.rates([reader], parts)
        return round(float(rates[0].mean()), 4)

    def difference(
        self, reader: str, other: str, parts: Sequence[str], masks: Mapping[int, np.ndarray] | None = None
    ) -> dict[str, Any] | None:
        """Return the difference of two readers with its interval and p-values; None if they share no seed."""
        if not self.seeds_of(reader, other):
            return None
        rates, weights = self.rates([reader, other], parts, masks)
        by_seed = rates[:, :, 0] - rates[:, :, 1]
        drawn = (by_seed * weights).sum(axis=1)[1:]
        low, bound, high = np.percentile(drawn, [2.5, 5, 97.5])
        beyond = min((drawn <= 0).mean(), (drawn >= 0).mean())
        test = stats.ttest_1samp(by_seed[0], 0) if by_seed[0].std() > 0 else None
        return {
            "difference": round(float(by_seed[0].mean()), 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
            "lower_bound": round(float(bound), 4),
            "p": float(min(max(2 * beyond, 1 / REPLICATES), 1)),
            "seeds": [round(float(one), 4) for one in by_seed[0]],
            "p_seeds": round(float(test.pvalue), 5) if test else None,
        }

    def share_of_oracle(self, parts: Sequence[str]) -> dict[str, Any] | None:
        """Return the share of the oracle's gain over random that the probe's plan has, with its interval."""
        if not self.seeds_of("probe", "oracle", "random"):
            return None
        rates, weights = self.rates(["probe", "oracle", "random"], parts)
        means = (rates * weights[:, :, None]).sum(axis=1)
        share = (means[:, 0] - means[:, 2]) / (means[:, 1] - means[:, 2])
        low, high = np.percentile(share[1:], [2.5, 97.5])
        return {"share": round(float(share[0]), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def planned_factors(work: Path, seed: int) -> set[str]:
    """Return the factors that the probe's plan of a seed has documents for."""
    plan = Plan.model_validate(read_json(work / f"seed-{seed}" / "probe" / "plan.json"))
    return {name for component in plan.components for name in component.name.split(" + ")} - {"base", "floor"}


def tabulate(work: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Return everything that is reported."""
    results = Results(work, seeds)
    others = next(part.papers for part in exam_parts(EMBEDDED_RECIPE) if part.name == OTHERS_PART)
    planned = {seed: planned_factors(work, seed) for seed in results.seeds_of("probe")}
    left_out = {seed: np.array([paper.part not in names for paper in others]) for seed, names in planned.items()}
    bare = {part: np.array(values) for part, values in read_json(work / "base.json").items()}
    parts = list(bare)
    base = results.mean(FIRST, [BASE_PART]) or 0.0
    cost = {name: round(base - (results.mean(FIRST, [name]) or 0.0), 4) for name in UNSEEN}
    costly = [name for name in UNSEEN if cost[name] >= COSTLY]
    rivals = [reader for reader in (FIRST, *ARMS) if reader != "probe"]
    return {
        "frozen": read_json(work / "frozen.json"),
        "seeds": {reader: results.seeds_of(reader) for reader in (FIRST, *ARMS)},
        "papers": {part: len(values) for part, values in bare.items()},
        "fields": {part: int(values[:, 1].sum()) for part, values in bare.items()},
        "cost of each factor to the first adapter": cost,
        "costly": costly,
        "exact match": {
            "bare base": {part: round(float(v[:, 0].sum() / v[:, 1].sum()), 4) for part, v in bare.items()},
            **{
                reader: {part: results.mean(reader, [part]) for part in parts}
                | {"costly": results.mean(reader, costly)}
                for reader in (FIRST, *ARMS)
            },
        },
        "costly factors": {f"probe − {other}": results.difference("probe", other, costly) for other in rivals},
        "all six factors": {f"probe − {other}": results.difference("probe", other, UNSEEN) for other in rivals},
        "by factor": {name: results.difference("probe", "random", [name]) for name in UNSEEN},
        "share of the oracle's gain over random": results.share_of_oracle(costly),
        "base distribution": {
            f"{arm} − {other}": results.difference(arm, other, [BASE_PART])
            for arm in ARMS
            for other in ("random", FIRST)
            if arm != other
        },
        "left out by the plan": {
            f"probe − {other}": results.difference("probe", other, [OTHERS_PART], left_out)
            for other in ("random", FIRST)
        },
        "planned": {seed: sorted(names) for seed, names in planned.items()},
        "seeds whose plan misses": {
            name: missing
            for name in UNSEEN
            if (missing := [seed for seed, names in planned.items() if name not in names])
        },
        "learning": learning(work, results),
        "iterations": iterations(work, seeds, costly),
    }


def learning(work: Path, results: Results) -> list[dict[str, Any]]:
    """Return what the plans expected of each factor, and what the exam says happened: what it costs, before and after.

    The plan's effect is over all fields of the probe's documents, so that only the share of it that is left compares.
    """
    rows = []
    for seed in results.seeds_of(FIRST, "probe"):
        planned = {row["factor"]: row for row in read_json(work / f"seed-{seed}" / "probe" / "factors.json")}
        rates = {
            reader: {part: float(v[:, 0].sum() / v[:, 1].sum()) for part, v in results.scores[reader][seed].items()}
            for reader in (FIRST, "probe")
        }
        for name in UNSEEN:
            if planned.get(name, {}).get("documents"):
                before, after = (one[BASE_PART] - one[name] for one in rates.values())
                rows.append(
                    {
                        "seed": seed,
                        "factor": name,
                        "documents": planned[name]["documents"],
                        "plan": f"{planned[name]['before']} → {planned[name]['expected']}",
                        "exam": f"{before:+.1%} → {after:+.1%}",
                        "left": round(after / before, 2) if before > 0 else None,
                    }
                )
    return rows


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


def draw_plot(result: Mapping[str, Any], file: Path) -> None:
    """Draw exact match by factor and arm, and the differences to random with their intervals."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), width_ratios=[2, 1])
    readers = [reader for reader, scores in result["exact match"].items() if scores[BASE_PART] is not None]
    parts = [*UNSEEN, "base"]
    colours = plt.get_cmap("tab10")
    for number, reader in enumerate(readers):
        values = [result["exact match"][reader][part] for part in parts]
        where = np.arange(len(parts)) + (number - len(readers) / 2 + 0.5) * 0.1
        left.bar(where, values, 0.1, label=reader, color=colours(number))
    left.set_xticks(
        range(len(parts)), [part.rpartition(":")[2].replace("_", "\n").replace(" ", "\n") for part in parts], fontsize=8
    )
    left.set_ylabel("exact match of fields")
    left.set_title("Frozen exam, by factor", fontsize=10)
    left.set_ylim(0, 1.3)
    left.legend(fontsize=7, ncols=4, loc="upper center")
    rows = {name: row for name, row in result["costly factors"].items() if row}
    for number, row in enumerate(reversed(rows.values())):
        right.plot([row["low"], row["high"]], [number, number], color="black")
        right.plot(row["seeds"], [number] * len(row["seeds"]), "o", color="tab:blue", alpha=0.4, markersize=4)
        right.plot(row["difference"], number, "D", color="black", markersize=5)
    right.set_yticks(range(len(rows)), list(reversed(rows)), fontsize=8)
    right.axvline(0, color="grey", linewidth=0.8)
    right.set_title("Costly factors: difference, seeds", fontsize=10)
    figure.tight_layout()
    figure.savefig(file, dpi=90)


def main(given: argparse.Namespace) -> None:
    """Print the table, and draw the plot."""
    result = tabulate(given.work, given.seeds)
    write_json(given.work / "results.json", result)
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if given.plot:
        draw_plot(result, given.plot)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--plot", type=Path, help="PNG to write")
    main(parser.parse_args())
