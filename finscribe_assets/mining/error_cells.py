"""Error cells, element × error type, and the test whether a cell fails often enough to act on.

The fields of one document share its font, its damage and its layout, and fail together: thirty failures of one document
are one observation. Therefore the failure rate of a cell is the mean over documents of the share of the element's
fields that failed, and bounds and tests use the *effective* number of trials: the number of independent trials whose
mean would vary as much (the design effect of Kish 1965, applied to tests as by Rao and Scott 1992).

A cell is *watched* if at least ``MIN_FAILING_DOCUMENTS`` documents failed and the one-sided 95 % Wilson lower bound of
its rate is above the threshold. It is *weak*, and documents are synthesised for it, if in addition its rate is
significantly above the threshold by a one-sided binomial test, with the false discovery rate over all cells controlled
at 0.1 (Benjamini and Hochberg 1995), and if documents can teach it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.score_interval import wilson
from finscribe_assets.mining.error_classification import PageContext, classify_errors
from finscribe_assets.mining.error_types import NOT_TEACHABLE

MIN_FAILING_DOCUMENTS = 5  # of a cell that is watched
RATE_THRESHOLD = 0.01  # a failure rate up to which a cell is not worth a batch
FALSE_DISCOVERY_RATE = 0.1
Z95 = 1.6448536269514722  # one-sided 95 % quantile of the standard normal distribution
MAX_CELL_EXAMPLES = 5
MAX_EXAMPLE_LENGTH = 120  # characters of each value in an example

CellKey = tuple[str, str]
"""Element and error type."""


@dataclass(frozen=True)
class DocumentFailures:
    """Fields and failures of one document.

    Attributes:
        id: of the document.
        trials: number of fields by element.
        failures: number of failures by cell.
        examples: the first failure of each cell, as ``path: truth → predicted``.
    """

    id: str
    trials: Mapping[str, int]
    failures: Mapping[CellKey, int]
    examples: Mapping[CellKey, str]


@dataclass(frozen=True)
class ErrorCell:
    """How often an element fails in one way.

    Attributes:
        element: of the failed fields.
        error_type: how they failed.
        failures: number of failed fields.
        trials: number of fields of the element.
        rate: failure rate, mean over documents.
        effective: effective number of independent trials.
        lower_bound: one-sided 95 % Wilson lower bound of the rate.
        watched: whether enough documents failed and the lower bound is above the threshold.
        weak: whether documents are synthesised for the cell.
        examples: as ``document id: path: truth → predicted``.
        documents: ids of the documents with a failure.
    """

    element: str
    error_type: str
    failures: int
    trials: int
    rate: float
    effective: float
    lower_bound: float
    watched: bool
    weak: bool
    examples: tuple[str, ...]
    documents: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the cell's name, such as ``amount×sign``."""
        return f"{self.element}×{self.error_type}"

    @property
    def key(self) -> CellKey:
        """Return element and error type."""
        return self.element, self.error_type

    @property
    def teachable(self) -> bool:
        """Return whether documents can be drawn that teach a reader to avoid these failures."""
        return self.error_type not in NOT_TEACHABLE

    @property
    def state(self) -> str:
        """Return ``weak``, ``watched``, ``not teachable`` or, for a cell that fails too rarely, an empty string."""
        return "" if not self.watched else "weak" if self.weak else "watched" if self.teachable else "not teachable"


def tally_failures(scored: ScoredDocument, page: PageContext | None = None) -> DocumentFailures:
    """Count the fields of a document by element, and its failures by cell.

    Args:
        scored: the document.
        page: what else is known of its page.
    """
    failures: Counter[CellKey] = Counter()
    examples: dict[CellKey, str] = {}
    for outcome, error_type in classify_errors(scored, page or PageContext()):
        key = (outcome.element, str(error_type))
        failures[key] += 1
        path, truth, predicted = (
            str(value)[:MAX_EXAMPLE_LENGTH] for value in (outcome.path, outcome.truth, outcome.predicted)
        )
        examples.setdefault(key, f"{path}: {truth} → {predicted}")
    trials = Counter(outcome.element for outcome in scored.outcomes)
    return DocumentFailures(scored.truth.id, trials, failures, examples)


def effective_trials(rates: np.ndarray, trials: float) -> float:
    """Return the number of independent trials whose mean has the variance of the mean of the documents' rates.

    It lies between the number of documents, if all fields of a document fail together, and ``trials``, if fields fail
    independently. A binomial mean of n trials has the variance m·(1 - m)/n; the mean of D documents has v/D.

    Args:
        rates: failure rates of the documents, (documents,).
        trials: number of fields of all documents.
    """
    mean, variance = float(rates.mean()), float(rates.var())
    return float(trials) if variance == 0 else min(trials, mean * (1 - mean) / variance * len(rates))


def find_cells(tallies: Sequence[DocumentFailures], threshold: float = RATE_THRESHOLD) -> list[ErrorCell]:
    """Return every cell with a failure, in descending order of the lower bound of its rate.

    Args:
        tallies: failures of the documents.
        threshold: failure rate that a weak cell must exceed.
    """
    with_element: dict[str, list[DocumentFailures]] = {}
    failing: dict[CellKey, list[DocumentFailures]] = {}
    for tally in tallies:
        for element in tally.trials:
            with_element.setdefault(element, []).append(tally)
        for key in tally.failures:
            failing.setdefault(key, []).append(tally)
    trials = {element: sum(tally.trials[element] for tally in found) for element, found in with_element.items()}
    evidence: dict[CellKey, tuple[float, float]] = {}  # rate and effective trials
    for key, failed in failing.items():
        rates = np.zeros(len(with_element[key[0]]))
        rates[: len(failed)] = [tally.failures[key] / tally.trials[key[0]] for tally in failed]
        evidence[key] = float(rates.mean()), effective_trials(rates, trials[key[0]])
    significant = _discoveries(evidence, threshold)
    cells = []
    for key, failed in failing.items():
        rate, effective = evidence[key]
        bound = float(wilson(rate, effective, Z95)[0])
        watched = len(failed) >= MIN_FAILING_DOCUMENTS and bound > threshold
        cells.append(
            ErrorCell(
                *key,
                failures=sum(tally.failures[key] for tally in failed),
                trials=trials[key[0]],
                rate=round(rate, 4),
                effective=round(effective, 1),
                lower_bound=round(bound, 4),
                watched=watched,
                weak=watched and key in significant and key[1] not in NOT_TEACHABLE,
                examples=tuple(f"{tally.id}: {tally.examples.get(key, '')}" for tally in failed[:MAX_CELL_EXAMPLES]),
                documents=tuple(tally.id for tally in failed),
            )
        )
    return sorted(cells, key=lambda cell: (-cell.lower_bound, cell.element, cell.error_type))


def _discoveries(evidence: Mapping[CellKey, tuple[float, float]], threshold: float) -> set[CellKey]:
    """Return the cells whose rate is significantly above the threshold (Benjamini and Hochberg 1995)."""
    # P(X ≥ k) of a binomial is a regularised incomplete beta function, which also takes fractional numbers.
    tested = sorted((float(betainc(rate * n, n - rate * n + 1, threshold)), key) for key, (rate, n) in evidence.items())
    ranks = (rank for rank, (p, _) in enumerate(tested, 1) if p <= FALSE_DISCOVERY_RATE * rank / len(tested))
    return {key for _, key in tested[: max(ranks, default=0)]}
