"""The paired gain of one reader over another: estimate, confidence bounds, p-value, and statements of power.

Documents are the units: the fields of one document fail together. A gain is the mean over documents of the difference
of two shares in [0, 1], so that Student's t applies from a few dozen documents on; small parts are tested by exchanging
the readers' results, which needs no distribution (Noreen 1989).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np
from scipy import stats

EXCHANGES = 1_999
EXACT_UP_TO = 12  # documents that differ: all 4,096 exchanges of their signs are counted
ALPHA, POWER = 0.05, 0.8


@dataclass(frozen=True)
class PairedGain:
    """The mean difference of two readers on the same documents.

    Attributes:
        documents: Number of documents.
        gain: Mean difference, in [-1, 1].
        low: Lower bound of the two-sided 95 % interval.
        high: Upper bound of the two-sided 95 % interval.
        lower_bound: One-sided 95 % lower bound.
        standard_error: Of the mean.
        p_better: One-sided p-value of "not better".
        p_worse: One-sided p-value of "not worse".
    """

    documents: int
    gain: float
    low: float
    high: float
    lower_bound: float
    standard_error: float
    p_better: float
    p_worse: float


def paired_gain(differences: Sequence[float], seed: int = 0) -> PairedGain:
    """Return the gain from the differences of documents, this reader's share minus the other's.

    Args:
        differences: One for each document.
        seed: Of the random exchanges, where there are too many to count them all.

    Raises:
        ValueError: there are fewer than two documents.
    """
    if len(differences) < 2:
        raise ValueError(f"{len(differences)} documents: a gain needs at least two")
    values = np.asarray(differences, dtype=float)
    mean, error = float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))
    two_sided, one_sided = (float(stats.t.ppf(level, len(values) - 1)) for level in (1 - ALPHA / 2, 1 - ALPHA))
    better, worse = exchange_p(values, seed)
    return PairedGain(
        documents=len(values),
        gain=mean,
        low=mean - two_sided * error,
        high=mean + two_sided * error,
        lower_bound=mean - one_sided * error,
        standard_error=error,
        p_better=better,
        p_worse=worse,
    )


def exchange_p(differences: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the one-sided p-values of "not better" and "not worse", by exchanging the readers' results.

    Under the null hypothesis each document's difference is as likely with the other sign. The observed assignment
    counts as one of the exchanges (Phipson and Smyth 2010), so that p is never 0.

    Args:
        differences: Of shape (documents,).
        seed: Of the random exchanges.
    """
    changed = differences[differences != 0]
    if not len(changed):
        return 1.0, 1.0
    observed = changed.sum()
    if len(changed) <= EXACT_UP_TO:
        signs = np.array(list(product((1.0, -1.0), repeat=len(changed))))
        sums = signs @ changed
        return tuple(float(np.mean(side)) for side in (sums >= observed - 1e-12, sums <= observed + 1e-12))  # type: ignore[return-value]
    signs = np.random.default_rng(seed).integers(0, 2, (EXCHANGES, len(changed))) * 2.0 - 1
    sums = signs @ changed
    as_high, as_low = int((sums >= observed - 1e-12).sum()), int((sums <= observed + 1e-12).sum())
    return (1 + as_high) / (1 + EXCHANGES), (1 + as_low) / (1 + EXCHANGES)


def holm(p_values: dict[str, float], alpha: float = ALPHA) -> set[str]:
    """Return the names whose hypotheses are rejected at a family-wise error of ``alpha`` (Holm 1979)."""
    rejected: set[str] = set()
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        if p > alpha / (len(p_values) - rank):
            break
        rejected.add(name)
    return rejected


class Progress(StrEnum):
    """What an exam can say about a gain."""

    IMPROVED = "improved"
    NO_GAIN = "no gain"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class ProgressStatement:
    """What an exam says about a gain, and how sure that is.

    Attributes:
        progress: The conclusion.
        detectable: The gain that an exam of this size would find with the stated power.
        documents_needed: Number of further documents that would settle an inconclusive result; 0 otherwise.
        text: The conclusion in words.
    """

    progress: Progress
    detectable: float
    documents_needed: int
    text: str


def state_progress(measured: PairedGain, worthwhile: float) -> ProgressStatement:
    """State whether a reader has improved, has not, or whether the exam is too small to tell.

    Args:
        measured: The gain on the exam.
        worthwhile: The smallest gain worth another iteration, in (0, 1].

    Returns:
        *improved* if the gain is significant at 5 %, one-sided; *no gain* if it is not, though an exam of this size
        would find a gain of ``worthwhile`` with a power of 80 %; else *inconclusive*, with the number of further
        documents for that power (normal approximation, as in Cohen 1988).
    """
    factor = float(stats.norm.ppf(1 - ALPHA) + stats.norm.ppf(POWER))
    detectable = factor * measured.standard_error
    if measured.p_better <= ALPHA and measured.gain > 0:
        text = f"improved by {measured.gain:+.4f} [{measured.low:+.4f}, {measured.high:+.4f}]"
        return ProgressStatement(Progress.IMPROVED, detectable, 0, text)
    if detectable <= worthwhile:
        text = f"no gain of at least {worthwhile:g} (power {POWER:g}): {measured.gain:+.4f}"
        return ProgressStatement(Progress.NO_GAIN, detectable, 0, text)
    spread = measured.standard_error * math.sqrt(measured.documents)
    needed = math.ceil((factor * spread / worthwhile) ** 2) - measured.documents
    text = f"inconclusive: {measured.gain:+.4f}; {needed:,} more documents would show a gain of {worthwhile:g}"
    return ProgressStatement(Progress.INCONCLUSIVE, detectable, needed, text)
