"""Allocation rules: the share of a batch that turns up each knob. The rest of the batch is drawn from the base recipe.

Every rule leaves half of the batch to the base recipe, so that a reader does not forget what it knows. `portfolio` is
the rule to use; the others are there to compare it with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from finscribe_assets.mining.weak_cell import WeakCell

BASE_SHARE = 0.5  # of a batch at least, drawn from the base recipe
LEAST_FREQUENCY = 0.005  # rarer values are taken to be as frequent as this, so that none is left out for ever
FLOOR_SHARE = 0.1  # of a batch, spread evenly over all knobs by the portfolio rule

Shares = dict[str, float]
"""Share of a batch by knob, from 0 to 1."""


@dataclass(frozen=True)
class AllocationInput:
    """What an allocation rule decides from.

    Attributes:
        cells: weak cells that documents may be spent on, with their knobs.
        learning: how well a cell learns, by name of cell; 1 for a cell about which nothing is known.
        knobs: all knobs that the base recipe turns.
        frequency: share of the base recipe's documents that show a knob's feature, by name; if empty, all count alike.
    """

    cells: Sequence[WeakCell]
    learning: Mapping[str, float]
    knobs: Sequence[str]
    frequency: Mapping[str, float] = field(default_factory=dict)


AllocationRule = Callable[[AllocationInput], Shares]


def portfolio(given: AllocationInput) -> Shares:
    """Give a tenth evenly to all knobs, in case mining missed a weakness, and the rest by LB·(1 - LB)·learning.

    LB is the lower bound of a cell's failure rate. A cell that nearly always fails is worth as little as one that
    hardly ever fails, since it does not learn (measured; docs/training-strategy.md).
    """
    worth = {
        cell.name: cell.lower_bound * (1 - cell.lower_bound) * given.learning.get(cell.name, 1.0)
        for cell in given.cells
    }
    by_worth = _shares_by_worth(given, worth, 1 - BASE_SHARE - FLOOR_SHARE)
    return _sum(_even_shares(given.knobs, FLOOR_SHARE), by_worth)


def lower_bound(given: AllocationInput) -> Shares:
    """Give each cell a share in proportion to the lower bound of its failure rate."""
    return _shares_by_worth(given, {cell.name: cell.lower_bound for cell in given.cells}, 1 - BASE_SHARE)


def uniform(given: AllocationInput) -> Shares:
    """Give all knobs the same share, whether or not a cell is weak."""
    return _even_shares(given.knobs, 1 - BASE_SHARE)


def random(given: AllocationInput) -> Shares:
    """Draw the whole batch from the base recipe."""
    return {}


ALLOCATION_RULES: dict[str, AllocationRule] = {
    rule.__name__: rule for rule in (portfolio, lower_bound, uniform, random)
}


def _even_shares(knobs: Sequence[str], share: float) -> Shares:
    return {name: share / len(knobs) for name in knobs}


def _shares_by_worth(given: AllocationInput, worth: Mapping[str, float], share: float) -> Shares:
    """Divide a share among cells in proportion to their worth, and the share of each cell evenly among its knobs.

    Where frequencies are given, a knob's part is multiplied by its own: what is both weak and frequent comes first.
    """
    weights: Shares = {}
    for cell in given.cells:
        for name in cell.knobs:
            often = max(given.frequency.get(name, 0.0), LEAST_FREQUENCY) if given.frequency else 1.0
            weights[name] = weights.get(name, 0.0) + worth[cell.name] / len(cell.knobs) * often
    total = sum(weights.values())
    return {name: share * weight / total for name, weight in weights.items()} if total else {}


def _sum(one: Shares, other: Shares) -> Shares:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in one | other}
