"""The next batch's plan: a portfolio of base recipe, a floor over all knobs, and the weak cells.

At least half of the documents are drawn from the base recipe, so that what is known is not forgotten. A tenth is spread
evenly over all knobs, for weaknesses that mining did not see. The rest goes to the weak cells in proportion to
LB·(1 - LB), where LB is the lower bound of a cell's failure rate: a cell that fails nearly always is as little worth as
one that hardly fails, since it does not learn (measured; docs/training-strategy.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.recipe import FONTS, LOCALES, Plan, PlanComponent, Recipe, WeakCell, next_key
from finscribe_assets.files import sha256_of

BASE_SHARE, FLOOR_SHARE = 0.5, 0.1
RAISED = 0.8  # the intensity that a knob is turned up to
PREFERRED = 4.0  # how much likelier than the others a locale or font is made
NO_PLAN = "nothing is weak enough to act on: no cell has five failures and a rate above the threshold"


def make_plan(parent: Plan, cells: Sequence[WeakCell], documents: int) -> Plan | None:
    """Return the plan of the batch after ``parent``, or None when there is no weak cell (NO_PLAN says so).

    The seed follows from the parent's, so that a plan is a function of what was found.
    """
    if not cells:
        return None
    key = next_key(parent.key)
    base = parent.components[0].recipe  # every plan begins with what is replayed
    targeted = _targets(cells)
    # A knob that the base recipe never turns is none of this reader's business.
    usual = [name for name, value in base.knobs.model_dump().items() if value] or list(Knobs.model_fields)
    floor = {name: FLOOR_SHARE / len(usual) for name in usual}
    total = sum(targeted.values())
    shares = (
        {name: (1 - BASE_SHARE - FLOOR_SHARE) * weight / total for name, weight in targeted.items()} if total else {}
    )
    for name, share in floor.items():
        shares[name] = shares.get(name, 0.0) + share
    counts = _apportion(documents, shares)
    components = [PlanComponent(name="base", documents=documents - sum(counts.values()), recipe=base)]
    components += [PlanComponent(name=name, documents=count, recipe=turned_up(base, name))
                   for name, count in sorted(counts.items()) if count]  # fmt: skip
    seed = int(sha256_of(f"{parent.seed}:{key}")[:15], 16)
    return Plan(key=key, seed=seed, components=tuple(components), parent=parent.key, reasons=tuple(cells))


def _targets(cells: Sequence[WeakCell]) -> dict[str, float]:
    """Weight each knob (or locale, or font) that weak cells name; a cell's weight is divided among those it names."""
    weights: dict[str, float] = {}
    for cell in cells:
        for name in cell.knobs:
            weights[name] = weights.get(name, 0.0) + cell.lower_bound * (1 - cell.lower_bound) / len(cell.knobs)
    return weights


def _apportion(documents: int, shares: dict[str, float]) -> dict[str, int]:
    """Turn shares into whole documents by largest remainders; what the shares leave over is the base's."""
    exact = {name: documents * share for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    spare = int(sum(exact.values())) - sum(counts.values())
    for name in sorted(exact, key=lambda name: (counts[name] - exact[name], name))[:spare]:
        counts[name] += 1
    return counts


def turned_up(recipe: Recipe, name: str) -> Recipe:
    """Return a recipe with a knob turned up, or with a locale (``locale:fr_FR``) or font (``font:Lato``) preferred.

    Raises:
        ValueError: there is no such knob, locale or font.
    """
    kind, _, value = name.partition(":")
    if name in Knobs.model_fields:
        raised = max(RAISED, getattr(recipe.knobs, name))
        return recipe.model_copy(update={"knobs": recipe.knobs.model_copy(update={name: raised})})
    if kind == "locale" and value in LOCALES:
        return recipe.model_copy(update={"locales": {**recipe.locales, value: PREFERRED * len(LOCALES)}})
    if kind == "font" and value in FONTS:
        return recipe.model_copy(update={"fonts": {**recipe.fonts, value: PREFERRED * len(FONTS)}})
    raise ValueError(f"{name!r} is no knob, locale:… or font:… of a recipe")


def problems_of(plan: Plan) -> list[str]:
    """Return what is out of bounds in a plan; an empty list for a sound one."""
    problems = []
    base = sum(component.documents for component in plan.components if component.name == "base")
    if plan.documents < 1:
        problems.append("the plan has no documents")
    if base < BASE_SHARE * plan.documents - 1:
        problems.append(f"only {base} of {plan.documents} documents are drawn from the base recipe")
    for component in plan.components:
        for name, value in component.recipe.knobs.model_dump().items():
            if not 0 <= value <= 1:
                problems.append(f"{component.name}: knob {name} is {value}, outside 0 to 1")
    return problems


def explain(plan: Plan) -> list[dict[str, object]]:
    """Return a plan as rows that a person can read, and veto."""
    rows = []
    for component in plan.components:
        reasons = [f"{cell.element} × {cell.error_type}" for cell in plan.reasons if component.name in cell.knobs]
        why = "replay" if component.name == "base" else ", ".join(reasons) or "floor over all knobs"
        rows.append({"share": component.name, "documents": component.documents,
                     "of all": f"{component.documents / max(plan.documents, 1):.0%}", "for": why})  # fmt: skip
    return rows
