"""Weak cells: element × error type, with enough failures to act on, and what the failures share.

A cell is *watched* when at least five fields failed so and the one-sided 95 % Wilson lower bound of its rate is above
the threshold. It is *synthesised for* when, besides, its rate differs from the threshold by a one-sided binomial test
under Benjamini-Hochberg at q = 0.1 over all cells seen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from scipy.stats import binomtest

from finscribe_assets.documents.recipe import Knobs, WeakCell
from finscribe_assets.evaluation.fields import FieldOutcome, Status
from finscribe_assets.evaluation.scoring import Scored
from finscribe_assets.mining.errors import classify

MIN_FAILURES = 5
MIN_DOCUMENTS = 5
THRESHOLD = 0.01  # a rate of failure that is not worth a batch
FALSE_DISCOVERY = 0.1
Z95 = 1.6448536269514722  # one-sided


@dataclass(frozen=True)
class Cell:
    """One way of failing: of so many trials of the element, so many failed so."""

    element: str
    error_type: str
    failures: int
    trials: int
    lower_bound: float
    watched: bool
    weak: bool
    examples: tuple[str, ...]  # "document id: path: truth → predicted"
    documents: frozenset[str]  # in which it happened


def wilson_lower(failures: int, trials: int, z: float = Z95) -> float:
    """Return the lower bound of Wilson's score interval (Wilson 1927) for failures out of trials."""
    if trials == 0:
        return 0.0
    rate = failures / trials
    centre = rate + z * z / (2 * trials)
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return max(0.0, (centre - spread) / (1 + z * z / trials))


def find_cells(scored: Sequence[Scored], threshold: float = THRESHOLD) -> list[Cell]:
    """Return every cell that has a failure, the weakest first."""
    trials: Counter[str] = Counter()
    failures: dict[tuple[str, str], list[tuple[str, FieldOutcome]]] = {}
    for one in scored:
        trials.update(outcome.element for outcome in one.outcomes)
        for outcome, cause in classify(one):
            failures.setdefault((outcome.element, cause), []).append((one.truth.id, outcome))
    weak = _discoveries({key: (len(found), trials[key[0]]) for key, found in failures.items()}, threshold)
    cells = []
    for (element, error_type), found in failures.items():
        bound = wilson_lower(len(found), trials[element])
        watched = len(found) >= MIN_FAILURES and bound > threshold
        cells.append(
            Cell(
                element,
                str(error_type),
                len(found),
                trials[element],
                round(bound, 4),
                watched,
                watched and (element, error_type) in weak,
                tuple(f"{name}: {outcome.path}: {outcome.truth} → {outcome.predicted}" for name, outcome in found[:5]),
                frozenset(name for name, _ in found),
            )
        )
    return sorted(cells, key=lambda cell: (-cell.lower_bound, cell.element, cell.error_type))


def _discoveries(counts: Mapping[tuple[str, str], tuple[int, int]], threshold: float) -> set[tuple[str, str]]:
    """Return the cells whose rate is above the threshold, by Benjamini and Hochberg (1995)."""
    tested = sorted((binomtest(failed, trials, threshold, alternative="greater").pvalue, key)
                    for key, (failed, trials) in counts.items())  # fmt: skip
    last = max((rank for rank, (p, _) in enumerate(tested, 1) if p <= FALSE_DISCOVERY * rank / len(tested)), default=0)
    return {key for _, key in tested[:last]}


@dataclass(frozen=True)
class Share:
    """How a drawn value goes with failure: the mean over documents of an element's error rate, with it and without."""

    name: str  # a knob, or locale:fr_FR, or font:Lato
    rate_with: float
    rate_without: float
    documents_with: int
    lower_bound: float  # one-sided 95 % bound of the difference


def attribute(scored: Sequence[Scored], drawn: Mapping[str, Mapping[str, float]], element: str) -> list[Share]:
    """Return the drawn values under which an element's fields fail more, the strongest first.

    ``drawn`` gives for each document id the drawn values as 0 or 1 (a strength counts from one half of its largest).
    The unit is the document, as its fields share font and damage: the bound is of a difference of two means (Welch
    1947) over at least ``MIN_DOCUMENTS`` documents on each side. Documents of which nothing is known are left out.
    """
    rates = {
        one.truth.id: rate
        for one in scored
        if one.truth.id in drawn and (rate := _error_rate(one, element)) is not None
    }
    shares = []
    for name in sorted({name for document in rates for name in drawn[document]}):
        strongest = max(drawn[document].get(name, 0.0) for document in rates)
        having = {document for document in rates if strongest and drawn[document].get(name, 0.0) >= strongest / 2}
        with_it = [rate for document, rate in rates.items() if document in having]
        without = [rate for document, rate in rates.items() if document not in having]
        if min(len(with_it), len(without)) < MIN_DOCUMENTS:
            continue
        spread = math.sqrt(variance(with_it) / len(with_it) + variance(without) / len(without))
        bound = fmean(with_it) - fmean(without) - Z95 * spread
        if bound > 0:
            shares.append(
                Share(name, round(fmean(with_it), 4), round(fmean(without), 4), len(with_it), round(bound, 4))
            )
    return sorted(shares, key=lambda share: (-share.lower_bound, share.name))


def _error_rate(scored: Scored, element: str) -> float | None:
    failed = [outcome.status is not Status.CORRECT for outcome in scored.outcomes if outcome.element == element]
    return fmean(failed) if failed else None


def knobs_of_element(element: str) -> list[str]:
    """Return the knobs that are said to make an element harder, from the recipe's own metadata."""
    found = []
    for name, field in Knobs.model_fields.items():
        extra = field.json_schema_extra
        elements = extra.get("elements") if isinstance(extra, dict) else None
        if isinstance(elements, list) and element in elements:
            found.append(name)
    return found


def as_weak_cell(cell: Cell, shares: Sequence[Share]) -> WeakCell:
    """Return a cell as a plan's reason: what its failures share, or else the knobs known for its element."""
    knobs = tuple(share.name for share in shares[:3]) or tuple(knobs_of_element(cell.element)[:3])
    return WeakCell(element=cell.element, error_type=cell.error_type, failures=cell.failures, trials=cell.trials,
                    lower_bound=cell.lower_bound, knobs=knobs, examples=tuple(sorted(cell.documents))[:5])  # fmt: skip
