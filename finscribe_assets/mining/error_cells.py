"""Weak cells: element × error type, failing often enough to act on.

The fields of one document share its font, its damage and its layout, and fail together: thirty failures of one document
are one observation. So a cell's rate is the mean over documents of the share of the element's fields that failed so,
and both bounds and tests count *effective* fields: as many independent ones as would vary as much as the documents do
(the design effect of Kish 1965, used for tests as by Rao and Scott 1992).

A cell is *watched* when at least five documents failed so and the one-sided 95 % Wilson lower bound of its rate is
above the threshold. It is *weak*, and synthesised for, when, besides, its rate is above the threshold by a one-sided
binomial test under Benjamini-Hochberg at q = 0.1 over all cells seen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.mining.error_classification import PageContext, classify
from finscribe_assets.mining.error_types import NOT_TEACHABLE

MIN_DOCUMENTS = 5  # that failed so
THRESHOLD = 0.01  # a rate of failure that is not worth a batch
FALSE_DISCOVERY = 0.1
Z95 = 1.6448536269514722  # one-sided
SHOWN = 5  # examples of a cell
LONGEST = 120  # characters of a value in an example

Key = tuple[str, str]  # element and error type


@dataclass(frozen=True)
class DocumentFailures:
    """One document's fields by element, and its failures by cell."""

    id: str
    trials: Mapping[str, int]
    failures: Mapping[Key, int]
    examples: Mapping[Key, str]  # the first failure of each cell, "path: truth → predicted"


@dataclass(frozen=True)
class ErrorCell:
    """One way of failing: of so many trials of the element, so many failed so."""

    element: str
    error_type: str
    failures: int
    trials: int
    rate: float  # mean over documents
    effective: float  # number of independent trials that say as much
    lower_bound: float
    watched: bool
    weak: bool
    examples: tuple[str, ...]  # "document id: path: truth → predicted"
    documents: tuple[str, ...]  # in which it happened

    @property
    def name(self) -> str:
        """Return the cell's name, as in ``amount×sign``."""
        return f"{self.element}×{self.error_type}"

    @property
    def teachable(self) -> bool:
        """Tell whether documents can be drawn that teach a reader to avoid these failures."""
        return self.error_type not in NOT_TEACHABLE

    @property
    def state(self) -> str:
        """Return ``weak``, ``watched``, ``not teachable`` or, for a cell that fails too rarely, an empty string."""
        return "" if not self.watched else "weak" if self.weak else "watched" if self.teachable else "not teachable"


def tally(scored: ScoredDocument, page: PageContext | None = None) -> DocumentFailures:
    """Count a document's fields and its failures by first cause."""
    failures: Counter[Key] = Counter()
    examples: dict[Key, str] = {}
    for outcome, cause in classify(scored, page or PageContext()):
        key = (outcome.element, str(cause))
        failures[key] += 1
        said = [str(value)[:LONGEST] for value in (outcome.path, outcome.truth, outcome.predicted)]
        examples.setdefault(key, f"{said[0]}: {said[1]} → {said[2]}")
    return DocumentFailures(
        scored.truth.id, Counter(outcome.element for outcome in scored.outcomes), failures, examples
    )


def wilson_lower(failures: float, trials: float, z: float = Z95) -> float:
    """Return the lower bound of Wilson's score interval (Wilson 1927) for failures out of trials."""
    if trials == 0:
        return 0.0
    rate = failures / trials
    centre = rate + z * z / (2 * trials)
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return max(0.0, (centre - spread) / (1 + z * z / trials))


def effective_trials(rates: np.ndarray, trials: float) -> float:
    """Return the number of independent trials whose mean varies as much as the mean of documents' rates does.

    It is between the number of documents, where each fails as a whole, and ``trials``, where fields fail on their own.
    """
    mean, variance = float(rates.mean()), float(rates.var())
    return float(trials) if variance == 0 else min(trials, mean * (1 - mean) / variance * len(rates))


def find_cells(tallies: Sequence[DocumentFailures], threshold: float = THRESHOLD) -> list[ErrorCell]:
    """Return every cell that has a failure, the weakest first."""
    documents: dict[str, list[int]] = {}  # by element: those that have fields of it
    failed: dict[Key, list[int]] = {}
    for number, one in enumerate(tallies):
        for element in one.trials:
            documents.setdefault(element, []).append(number)
        for key in one.failures:
            failed.setdefault(key, []).append(number)
    evidence: dict[Key, tuple[float, float]] = {}  # rate and effective trials
    for key, places in failed.items():
        rates = np.zeros(len(documents[key[0]]))
        shares = [tallies[place].failures[key] / tallies[place].trials[key[0]] for place in places]
        rates[: len(shares)] = shares
        trials = sum(tallies[place].trials[key[0]] for place in documents[key[0]])
        evidence[key] = float(rates.mean()), effective_trials(rates, trials)
    weak = _discoveries(evidence, threshold)
    cells = []
    for key, places in failed.items():
        rate, effective = evidence[key]
        bound = wilson_lower(rate * effective, effective)
        watched = len(places) >= MIN_DOCUMENTS and bound > threshold
        cells.append(
            ErrorCell(
                *key,
                failures=sum(tallies[place].failures[key] for place in places),
                trials=sum(tallies[place].trials[key[0]] for place in documents[key[0]]),
                rate=round(rate, 4),
                effective=round(effective, 1),
                lower_bound=round(bound, 4),
                watched=watched,
                weak=watched and key in weak and key[1] not in NOT_TEACHABLE,
                examples=tuple(
                    f"{tallies[place].id}: {tallies[place].examples.get(key, '')}" for place in places[:SHOWN]
                ),
                documents=tuple(tallies[place].id for place in places),
            )
        )
    return sorted(cells, key=lambda cell: (-cell.lower_bound, cell.element, cell.error_type))


def _discoveries(evidence: Mapping[Key, tuple[float, float]], threshold: float) -> set[Key]:
    """Return the cells whose rate is above the threshold, by Benjamini and Hochberg (1995)."""
    # P(X ≥ k) of a binomial is a regularised incomplete beta function, which takes effective numbers too.
    tested = sorted((float(betainc(rate * n, n - rate * n + 1, threshold)), key) for key, (rate, n) in evidence.items())
    last = max((rank for rank, (p, _) in enumerate(tested, 1) if p <= FALSE_DISCOVERY * rank / len(tested)), default=0)
    return {key for _, key in tested[:last]}
