"""Plan a batch from measured effects: documents that show the factors which cost most, for each document drawn.

A probe measures by how much a factor (a font, a locale, a knob …) raises a reader's failures. The worth of a factor is
its effect, times how often the reader will meet it, times how well it learns. Factors that surely cost an element a
tenth of its fields come before all others, however rare they are: whoever gets such documents meets them every time.

A plan takes a handful of factors, gives each enough documents, and lets them share documents where they can act
together. The whole plan is for training; older batches are replayed by the trainer (``replay_share``), not drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.batch_keys import next_batch_key
from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.plan import Plan, PlanComponent
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.files import sha256_of
from finscribe_assets.mining.planning import turned_up
from finscribe_assets.mining.prevalence import prevalence

PROBE_RULE = "probe"  # of plans that are made from measured effects
MAX_FACTORS = 6  # of a plan
MIN_DOCUMENTS_PER_FACTOR = 30
# Rise of an element's failure rate, at the lower bound of its interval, from which a factor comes first however rare.
SEVERE_EFFECT = 0.1
# Factors that harm no more than this share of the fields are narrow: a document that shows one teaches a line or two of
# it, and everything else as before. So narrow factors are shown by all documents that are drawn for other factors.
NARROW_SHARE = 0.2
MAX_SHARED_FACTORS = 4  # of a document
CHOICE_FIELDS = {
    "locale": "locales",
    "font": "fonts",
    "layout": "layouts",
    "engine": "engines",
    "type": "document_types",
}
FLOOR_SHARE_OF_PLAN = 0.1  # of the documents, for factors that the probe could not decide
# Fall of a factor's effect for each document that shows it, before anything is known of it: 60 documents take off a
# quarter. Measured on the embedded base with 200 documents for five factors, six per cent to forty (DESIGN, prototype).
PRIOR_LEARNING = -math.log(0.75) / 60
PRIOR_DOCUMENTS = 60  # documents of evidence that the prior counts as
# Share of the prior below which a factor is given up after two plans: 180 documents, say, that had no effect.
LEAST_LEARNING = 0.25
# Times the expected learning: what is plausible. In a run of the demonstration 45 documents each took 80 % off one
# font's effect, a quarter off French, and nothing off light-on-dark print.
LEARNING_INTERVAL = (0.1, 5.0)


class MeasuredEffect(Protocol):
    """An effect of a factor on the failures of one element, as a probe reports it."""

    @property
    def factor(self) -> str:
        """Return the factor's name, such as ``font:Lato`` or ``reversed_print``."""
        ...

    @property
    def element(self) -> str:
        """Return the element, such as ``amount``."""
        ...

    @property
    def effect(self) -> float:
        """Return the rise of the failure rate."""
        ...

    @property
    def low(self) -> float:
        """Return the lower bound of its interval."""
        ...

    @property
    def high(self) -> float:
        """Return the upper bound of its interval."""
        ...

    @property
    def verdict(self) -> str:
        """Return ``harmful``, ``harmless`` or ``undecided``."""
        ...


class PlannedFactor(BaseModel):
    """A harmful factor, and what a plan does about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    factor: str
    effects: dict[str, float] = Field(description="rise of the failure rate by element, harmful ones only")
    effect: float = Field(description="rise of the failure rate over all fields of a document")
    low: float = Field(description="lower bound of the 95 % interval of the largest element's effect")
    high: float
    prevalence: float = Field(description="share of the recipe's documents that show the factor")
    learning: float = Field(description="fall of the effect's logarithm for each document that shows it")
    documents: int = Field(description="documents of the plan that show it")
    expected_effect: float = Field(description="effect expected after the batch")
    expected_low: float = Field(description="if it learns five times as well as expected")
    expected_high: float = Field(description="if it learns a tenth as well as expected")
    left_out: str = Field(default="", description="why the plan does nothing for it")


@dataclass(frozen=True)
class PastFactor:
    """What an earlier plan did about a factor: its effect before the batch, and the documents that showed it."""

    factor: str
    effect: float
    documents: int


def learning_of(factor: str, effect: float, history: Sequence[PastFactor]) -> float:
    """Return how well a factor learns: the fall of its effect's logarithm for each document.

    Args:
        factor: The factor.
        effect: Its effect now, over all fields.
        history: What earlier plans did about factors, oldest first.

    Returns:
        A mean of the prior and of what was seen, weighted by documents; at least 0.
    """
    steps = [past for past in history if past.factor == factor and past.documents and past.effect > 0]
    afters = [*(past.effect for past in steps[1:]), effect][: len(steps)]
    fallen = sum(
        math.log(past.effect / max(after, past.effect / 20)) for past, after in zip(steps, afters, strict=True)
    )
    spent = sum(past.documents for past in steps)
    return max(0.0, (PRIOR_LEARNING * PRIOR_DOCUMENTS + fallen) / (PRIOR_DOCUMENTS + spent))


def plan_for_factors(
    parent: Plan,
    effects: Sequence[MeasuredEffect],
    documents: int,
    *,
    fields_by_element: Mapping[str, int] | None = None,
    history: Sequence[PastFactor] = (),
    disabled: Sequence[str] = (),
) -> tuple[Plan | None, tuple[PlannedFactor, ...]]:
    """Plan the batch after ``parent`` from a probe's effects.

    Args:
        parent: The plan of the batch before, whose first component holds the recipe that the reader is deployed on.
        effects: What the probe measured; those with the verdict ``harmful`` are planned for, those that are
            ``undecided`` share a floor.
        documents: Number of documents of the batch.
        fields_by_element: Number of fields of each element over a sample of documents, which weigh the effects on
            elements; equal weights without it.
        history: What earlier plans did about factors, oldest first.
        disabled: Factors that a person has vetoed.

    Returns:
        The plan, or None if no harmful factor is left to act on; and every harmful factor with what is done about it,
        the most worthwhile first.
    """
    recipe = parent.components[0].recipe
    weights = _weights_of_elements(effects, fields_by_element or {})
    judged = _judge(effects, recipe, weights, history, disabled)
    floor = round(documents * FLOOR_SHARE_OF_PLAN)
    chosen = [factor for factor in judged if not factor.left_out][:MAX_FACTORS]
    groups = _groups(recipe, chosen, weights)
    while len(groups) > 1 and (documents - floor) // len(groups) < MIN_DOCUMENTS_PER_FACTOR:
        chosen.pop()
        groups = _groups(recipe, chosen, weights)
    if not chosen:
        return None, tuple(judged)
    components = _components(recipe, groups, chosen, documents - floor)
    spent = {
        factor.factor: round(sum(one.documents * prevalence(one.recipe, factor.factor) for one in components))
        for factor in chosen
    }
    planned = tuple(_expected(factor, spent.get(factor.factor, 0)) for factor in judged)
    key = next_batch_key(parent.key)
    undecided = sorted({effect.factor for effect in effects if effect.verdict == "undecided"} - set(spent))
    plan = Plan(
        key=key,
        seed=int(sha256_of(f"{parent.seed}:{key}")[:15], 16),
        components=(
            PlanComponent(name="base", documents=0, recipe=recipe),
            *components,
            PlanComponent(name="floor", documents=floor, recipe=floor_recipe(recipe, undecided)),
        ),
        parent=parent.key,
        reasons=tuple(factor.model_dump(mode="json") for factor in planned),
        rule=PROBE_RULE,
        disabled=tuple(disabled),
    )
    return plan, planned


def _weights_of_elements(effects: Iterable[MeasuredEffect], fields: Mapping[str, int]) -> dict[str, float]:
    """Return the share of the fields that each element has; equal shares where the numbers of fields are unknown."""
    elements = sorted({effect.element for effect in effects})
    total = sum(fields.get(element, 0) for element in elements)
    return {element: fields.get(element, 0) / total if total else 1 / len(elements) for element in elements}


def _judge(
    effects: Sequence[MeasuredEffect],
    recipe: Recipe,
    weights: Mapping[str, float],
    history: Sequence[PastFactor],
    disabled: Sequence[str],
) -> list[PlannedFactor]:
    """Return every harmful factor, the most worthwhile first; those that nothing is done about say why."""
    by_factor: dict[str, list[MeasuredEffect]] = {}
    for effect in effects:
        if effect.verdict == "harmful":
            by_factor.setdefault(effect.factor, []).append(effect)
    judged = []
    for name, some in by_factor.items():
        overall = sum(one.effect * weights[one.element] for one in some)
        strongest = max(some, key=lambda one: one.effect)
        share, learning = prevalence(recipe, name), learning_of(name, overall, history)
        spent = [past.documents for past in history if past.factor == name and past.documents]
        why = ""
        if name in disabled:
            why = "disabled"
        elif not share:
            why = "the recipe never draws it"
        elif len(spent) > 1 and learning <= LEAST_LEARNING * PRIOR_LEARNING:
            why = f"{sum(spent)} documents that showed it did not help"
        judged.append(
            PlannedFactor(
                factor=name,
                effects={one.element: round(one.effect, 4) for one in some},
                effect=round(overall, 6),
                low=strongest.low,
                high=strongest.high,
                prevalence=round(share, 6),
                learning=round(learning, 6),
                documents=0,
                expected_effect=round(overall, 6),
                expected_low=round(overall, 6),
                expected_high=round(overall, 6),
                left_out=why,
            )
        )
    return sorted(judged, key=_rank)


def _rank(factor: PlannedFactor) -> tuple[bool, float, float, str]:
    """Return the order of factors: severe ones by what they surely cost, then the others by their worth."""
    severity = factor.low if factor.low >= SEVERE_EFFECT else 0.0
    return bool(factor.left_out), -severity, -factor.effect * factor.prevalence * factor.learning, factor.factor


def _groups(recipe: Recipe, factors: Sequence[PlannedFactor], weights: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Return which factors share documents.

    Of wide factors the strongest is paired with the weakest, and so on; an odd one is drawn alone. Factors of one
    choice, such as two fonts, cannot share a document. Narrow factors join all groups that have room for them.
    """
    narrow = [
        factor.factor
        for factor in factors
        if factor.factor in KNOB_FACTS and sum(weights[element] for element in factor.effects) <= NARROW_SHARE
    ]
    waiting = [factor.factor for factor in factors if factor.factor not in narrow]
    groups: list[tuple[str, ...]] = []
    while waiting:
        first = waiting.pop(0)
        partner = next((name for name in reversed(waiting) if _can_share(recipe, (first,), name)), None)
        if partner:
            waiting.remove(partner)
        groups.append((first, partner) if partner else (first,))
    for name in narrow:
        joined = [
            (*group, name) if len(group) < MAX_SHARED_FACTORS and _can_share(recipe, group, name) else group
            for group in groups
        ]
        groups = joined if joined != groups else [*groups, (name,)]
    return groups


def _components(
    recipe: Recipe, groups: Sequence[tuple[str, ...]], factors: Sequence[PlannedFactor], documents: int
) -> list[PlanComponent]:
    """Return a component for each group: the least number of documents, and of the others in proportion to effects."""
    least = min(MIN_DOCUMENTS_PER_FACTOR, documents // len(groups))
    effects = {factor.factor: factor.effect for factor in factors}
    sums = [sum(effects[name] for name in group) or 1e-9 for group in groups]
    exact = [least + (documents - least * len(groups)) * one / sum(sums) for one in sums]
    counts = [int(one) for one in exact]
    for index in sorted(range(len(groups)), key=lambda index: counts[index] - exact[index])[: documents - sum(counts)]:
        counts[index] += 1
    return [
        PlanComponent(name=" + ".join(group), documents=count, recipe=recipe_showing(recipe, group))
        for group, count in zip(groups, counts, strict=True)
    ]


def _can_share(recipe: Recipe, group: Sequence[str], name: str) -> bool:
    """Return whether a document can show a factor beside others: of another choice, on a type and a locale of all."""
    choices = [factor.partition(":")[0] for factor in (*group, name)]
    if len(set(choices)) < len(choices):
        return False
    together = recipe_showing(recipe, (*group, name))
    return all(prevalence(together, factor) >= 0.5 for factor in (*group, name))


def recipe_showing(recipe: Recipe, factors: Iterable[str]) -> Recipe:
    """Return a recipe whose documents show all of some factors, as often as they can act together."""
    for factor in factors:
        recipe = turned_up(recipe, factor)
    return recipe


def floor_recipe(recipe: Recipe, undecided: Iterable[str]) -> Recipe:
    """Return a recipe in which undecided factors are likelier: twice as often as usual, knobs at 0.3 at least."""
    knobs: dict[str, float] = {}
    changed: dict[str, dict[Any, float]] = {}
    for factor in undecided:
        choice, _, value = factor.partition(":")
        if factor in KNOB_FACTS:
            knobs[factor] = max(0.3, getattr(recipe.knobs, factor))
        else:
            weights = changed.setdefault(CHOICE_FIELDS[choice], dict(getattr(recipe, CHOICE_FIELDS[choice])))
            known = next((name for name in weights if str(name) == value), None)
            if known is not None:
                weights[known] = 2 * weights[known]
    return recipe.model_copy(update={**changed, "knobs": recipe.knobs.model_copy(update=knobs)})


def _expected(factor: PlannedFactor, documents: int) -> PlannedFactor:
    def after(times: float) -> float:
        return round(factor.effect * math.exp(-factor.learning * times * documents), 6)

    slow, fast = LEARNING_INTERVAL
    return factor.model_copy(
        update={
            "documents": documents,
            "expected_effect": after(1.0),
            "expected_low": after(fast),
            "expected_high": after(slow),
            "left_out": factor.left_out or ("" if documents else "other factors are worth more"),
        }
    )


def planned_factors(plan: Plan) -> tuple[PlannedFactor, ...]:
    """Return what a plan does about factors, from its reasons; nothing if it was not made from a probe."""
    return tuple(PlannedFactor.model_validate(reason) for reason in plan.reasons) if plan.rule == PROBE_RULE else ()


def explain_factors(planned: Iterable[PlannedFactor]) -> list[dict[str, object]]:
    """Return planned factors as rows of a table: cause, documents, before and expected after."""
    return [
        {
            "factor": factor.factor,
            "failures": ", ".join(f"{element} {effect:+.0%}" for element, effect in factor.effects.items()),
            "of documents": f"{factor.prevalence:.1%}",
            "before": f"{factor.effect:+.1%}",
            "documents": factor.documents,
            "expected": f"{factor.expected_effect:+.1%} [{factor.expected_low:+.1%}, {factor.expected_high:+.1%}]",
            "left out": factor.left_out,
        }
        for factor in planned
    ]
