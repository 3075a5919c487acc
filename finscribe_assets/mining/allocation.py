"""Rules that say how much of a batch turns up which knob; what they leave is drawn from the base recipe.

Whatever the rule, half of a batch is the base recipe's, so that what is known is not forgotten. `portfolio` is the rule
to use; the others are what a claim for it has to be held against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from finscribe_assets.mining.weak_cell import WeakCell

BASE_SHARE, FLOOR_SHARE = 0.5, 0.1

Shares = dict[str, float]  # of a batch, by knob


@dataclass(frozen=True)
class Situation:
    """What a rule decides from."""

    cells: Sequence[WeakCell]  # that documents may be spent on, each with its knobs
    learning: Mapping[str, float]  # by name of cell: how well it learns, 1 for one of which nothing is known
    knobs: Sequence[str]  # all that the base recipe turns


Rule = Callable[[Situation], Shares]


def portfolio(now: Situation) -> Shares:
    """Give a tenth evenly to all knobs, for what mining did not see, and the rest by LB·(1 - LB) times learning.

    A cell that fails nearly always is as little worth as one that hardly fails, since it does not learn (measured;
    docs/training-strategy.md).
    """
    worth = {
        cell.name: cell.lower_bound * (1 - cell.lower_bound) * now.learning.get(cell.name, 1.0) for cell in now.cells
    }
    return _sum(_evenly(now.knobs, FLOOR_SHARE), _by_worth(now.cells, worth, 1 - BASE_SHARE - FLOOR_SHARE))


def lower_bound(now: Situation) -> Shares:
    """Spend on what fails most."""
    return _by_worth(now.cells, {cell.name: cell.lower_bound for cell in now.cells}, 1 - BASE_SHARE)


def uniform(now: Situation) -> Shares:
    """Spread evenly over all knobs, whatever is weak."""
    return _evenly(now.knobs, 1 - BASE_SHARE)


def random(now: Situation) -> Shares:
    """Draw everything from the base recipe."""
    return {}


RULES: dict[str, Rule] = {rule.__name__: rule for rule in (portfolio, lower_bound, uniform, random)}


def _evenly(knobs: Sequence[str], share: float) -> Shares:
    return {name: share / len(knobs) for name in knobs}


def _by_worth(cells: Sequence[WeakCell], worth: Mapping[str, float], share: float) -> Shares:
    """Divide a share among cells by their worth, and each cell's among its knobs."""
    targeted: Shares = {}
    for cell in cells:
        for name in cell.knobs:
            targeted[name] = targeted.get(name, 0.0) + worth[cell.name] / len(cell.knobs)
    total = sum(targeted.values())
    return {name: share * weight / total for name, weight in targeted.items()} if total else {}


def _sum(one: Shares, other: Shares) -> Shares:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in one | other}
