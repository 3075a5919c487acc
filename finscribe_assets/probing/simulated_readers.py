"""Simulated readers, whose weaknesses are chosen: what a probe should find is known.

A field fails with its base rate, higher by what its document's factors cost its element. A failing field is predicted
with its characters turned round; every other one as it is printed. No page is rendered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from finscribe_assets.documents.elements import element_of
from finscribe_assets.probing.factors import present_factors
from finscribe_assets.probing.readings import FieldPredictions, ReadingTask

Cost = Mapping[str, float]
"""Element → probability that a field fails more; "*" for every element."""


@dataclass(frozen=True)
class SimulatedReader:
    """A reader with chosen weaknesses."""

    seed: int = 0
    base_rate: float = 0.03
    costs: Mapping[str, Cost] = field(default_factory=dict)  # by factor
    interactions: Mapping[tuple[str, str], Cost] = field(default_factory=dict)  # of two factors, beyond their own costs
    # Share of fields whose difficulty is the same in all documents of one number, as a model's failures are; the other
    # fields fail at random.
    repeatable: float = 0.0
    fields_per_document: int | None = None

    @property
    def identity(self) -> str:
        """Return everything that predictions depend on."""
        return repr(self)

    def read(self, tasks: Sequence[ReadingTask]) -> list[FieldPredictions]:
        """Return the printed texts, some of them spoilt."""
        return [self._read(task) for task in tasks]

    def failure_rate(self, present: frozenset[str], element: str) -> float:
        """Return the probability that a field of an element fails on a document with these factors."""
        costs = [cost for factor, cost in self.costs.items() if factor in present]
        costs += [cost for pair, cost in self.interactions.items() if present.issuperset(pair)]
        return min(1.0, self.base_rate + sum(cost.get(element, cost.get("*", 0.0)) for cost in costs))

    def _read(self, task: ReadingTask) -> FieldPredictions:
        drawn = task.document
        present = present_factors(drawn)
        rates = {
            element: self.failure_rate(present, element) for element in {str(element_of(one)) for one in task.fields}
        }
        version = hashlib.sha256(f"{sorted(present)}".encode()).hexdigest()
        values: dict[str, str | None] = {}
        for path in task.fields:
            text = drawn.printed[path]
            is_repeatable = _uniform(f"{self.seed}:repeatable:{drawn.index}:{path}") < self.repeatable
            chance = _uniform(f"{self.seed}:{drawn.index}:{path}:{'' if is_repeatable else version}")
            values[path] = f"¿{text[::-1]}?" if chance < rates[str(element_of(path))] else text
        return FieldPredictions(values)


def _uniform(name: str) -> float:
    """Return a number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64
