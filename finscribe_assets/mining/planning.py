"""The next batch's plan, from weak cells, what they have learnt, a rule of allocation and what a person has vetoed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from finscribe_assets.documents.batch_keys import next_batch_key
from finscribe_assets.documents.drawn_document import Engine
from finscribe_assets.documents.fonts import FONTS
from finscribe_assets.documents.knobs import KNOB_FACTS, Knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import Plan, PlanComponent
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element
from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of
from finscribe_assets.mining.allocation import BASE_SHARE, RULES, Situation
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.learning_history import CellProgress
from finscribe_assets.mining.weak_cell import WeakCell, weak_cells_of

RAISED = 0.8  # the intensity that a knob is turned up to
PREFERRED = 4.0  # how much likelier than all others together a locale, font or the like is made
NO_PLAN = "nothing is weak enough to act on: no cell failed in five documents at a rate above the threshold"
ALL_LEFT_OUT = "no plan: every weak cell is left out, because it is disabled, retired or has no knob to turn up"
NO_KNOB = "no knob: its failures share no drawn value, and no knob of the base recipe is made for them"

_Name = TypeVar("_Name", bound=str)

# Weights of a recipe that a plan can prefer a value of: the name's prefix → field and known values.
_PREFERABLE: dict[str, tuple[str, Collection[str]]] = {
    "type": ("document_types", tuple(DocumentType)),
    "locale": ("locales", LOCALES),
    "font": ("fonts", FONTS),
    "layout": ("layouts", tuple(LAYOUT_FACTS)),
    "engine": ("engines", tuple(Engine)),
}


def disabled_names(names: Collection[str]) -> tuple[str, ...]:
    """Return vetoed names in their usual spelling: cells as ``amount×sign`` (or ``amount*sign``), knobs by name.

    Raises:
        UserError: a name is neither of a cell nor of a knob.
    """
    usual = tuple(dict.fromkeys(name.strip().replace("*", "×").removeprefix("knob:") for name in names))
    for name in usual:
        element, _, error = name.partition("×")
        kind, _, value = name.partition(":")
        is_cell = element in (*Element, "unknown") and error in tuple(ErrorType)
        if not (is_cell or name in KNOB_FACTS or (kind in _PREFERABLE and value in _PREFERABLE[kind][1])):
            raise UserError(f"disabled: {name!r} is no cell, as amount×sign, and no knob, as degradation or font:Lato")
    return usual


def left_to_do(
    cells: Sequence[WeakCell], disabled: Collection[str], progress: Mapping[str, CellProgress]
) -> list[WeakCell]:
    """Return the cells without their vetoed knobs; those that nothing is to be done for say why."""
    judged = []
    for cell in cells:
        knobs = tuple(name for name in cell.knobs if name not in disabled)
        vetoed = cell.name in disabled or (cell.knobs and not knobs)
        retired = progress[cell.name].retired if cell.name in progress else ""
        why = "disabled" if vetoed else NO_KNOB if not cell.knobs else retired
        judged.append(cell.model_copy(update={"knobs": knobs, "left_out": why}))
    return judged


def make_plan(
    parent: Plan,
    cells: Sequence[WeakCell],
    documents: int,
    *,
    rule: str = "portfolio",
    disabled: Collection[str] = (),
    progress: Mapping[str, CellProgress] | None = None,
) -> Plan | None:
    """Return the plan of the batch after ``parent``, or None when no cell is left to act on.

    The seed follows from the parent's, so that a plan is a function of what was found.

    Raises:
        UserError: there is no such rule, or no such name as one of those disabled.
    """
    if rule not in RULES:
        raise UserError(f"rule: {rule!r} is unknown; known are {', '.join(RULES)}")
    vetoed, progress = disabled_names(disabled), progress or {}
    judged = left_to_do(cells, vetoed, progress)
    active = [cell for cell in judged if not cell.left_out]
    if not active:
        return None
    key = next_batch_key(parent.key)
    base = parent.components[0].recipe  # every plan begins with what is replayed
    # A knob that the base recipe never turns is none of this reader's business.
    usual = [name for name, value in base.knobs.model_dump().items() if value] or list(Knobs.model_fields)
    unknown = math.log(2) / max(documents, 1)
    learning = {name: one.learning / unknown for name, one in progress.items()}
    shares = RULES[rule](Situation(active, learning, [name for name in usual if name not in vetoed]))
    counts = _apportion(documents, shares)
    components = [PlanComponent(name="base", documents=documents - sum(counts.values()), recipe=base)]
    components += [
        PlanComponent(name=name, documents=count, recipe=turned_up(base, name))
        for name, count in sorted(counts.items())
        if count
    ]
    reasons = []
    for cell in judged:
        spent = 0 if cell.left_out else sum(counts.get(name, 0) for name in cell.knobs)
        gain = cell.rate * (1 - math.exp(-unknown * learning.get(cell.name, 1.0) * spent))
        reasons.append(cell.model_copy(update={"documents": spent, "expected_gain": round(gain, 4)}))
    seed = int(sha256_of(f"{parent.seed}:{key}")[:15], 16)
    return Plan(
        key=key,
        seed=seed,
        components=tuple(components),
        parent=parent.key,
        reasons=tuple(cell.model_dump(mode="json") for cell in reasons),
        rule=rule,
        disabled=vetoed,
    )


def _apportion(documents: int, shares: dict[str, float]) -> dict[str, int]:
    """Turn shares into whole documents by largest remainders; what the shares leave over is the base's."""
    exact = {name: documents * share for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    spare = int(sum(exact.values())) - sum(counts.values())
    for name in sorted(exact, key=lambda name: (counts[name] - exact[name], name))[:spare]:
        counts[name] += 1
    return counts


def turned_up(recipe: Recipe, name: str) -> Recipe:
    """Return a recipe with a knob turned up on documents that it acts on, or with a value preferred.

    Values are ``type:receipt``, ``locale:fr_FR``, ``font:Lato``, ``layout:invoice_open``, ``engine:weasyprint``.

    Raises:
        UserError: there is no such knob or value.
    """
    kind, _, value = name.partition(":")
    if name in KNOB_FACTS:
        facts = KNOB_FACTS[name]
        knobs = recipe.knobs.model_copy(update={name: max(RAISED, getattr(recipe.knobs, name))})
        locales = [locale for locale in recipe.locales if LOCALE_FACTS[locale].language in facts.languages]
        return recipe.model_copy(
            update={
                "knobs": knobs,
                "document_types": _preferring(recipe.document_types, facts.documents),
                "locales": _preferring(recipe.locales, locales or recipe.locales),
            }
        )
    if kind not in _PREFERABLE or value not in _PREFERABLE[kind][1]:
        raise UserError(f"{name!r} is no knob, type:…, locale:…, font:…, layout:… or engine:… of a recipe")
    field = _PREFERABLE[kind][0]
    known = {str(one): one for one in _PREFERABLE[kind][1]}[value]
    changed = {field: _preferring({known: 1.0, **getattr(recipe, field)}, [known])}
    if kind == "layout":
        changed["document_types"] = _preferring(recipe.document_types, LAYOUT_FACTS[value].document_types)
    return recipe.model_copy(update=changed)


def _preferring(weights: Mapping[_Name, float], favoured: Collection[_Name]) -> dict[_Name, float]:
    """Return weights that make the favoured ones PREFERRED times as likely as the others, if they are not already."""
    own = sum(weight for name, weight in weights.items() if name in favoured)
    others = sum(weights.values()) - own
    factor = PREFERRED * others / own if own and others else 1.0
    return {name: weight * max(1.0, factor) if name in favoured else weight for name, weight in weights.items()}


def problems_of(plan: Plan) -> list[str]:
    """Return what is out of bounds in a plan; an empty list for a sound one."""
    problems = []
    base = sum(component.documents for component in plan.components if component.name == "base")
    if plan.documents < 1:
        problems.append("the plan has no documents")
    if base < BASE_SHARE * plan.documents - 1:
        problems.append(f"only {base} of {plan.documents} documents are drawn from the base recipe")
    for component in plan.components:
        if component.name in plan.disabled:
            problems.append(f"{component.name} is turned up though it is disabled")
        for name, value in component.recipe.knobs.model_dump().items():
            if not 0 <= value <= 1:
                problems.append(f"{component.name}: knob {name} is {value}, outside 0 to 1")
    return problems


def explain(plan: Plan) -> list[dict[str, object]]:
    """Return a plan as rows that a person can read, and veto."""
    rows = []
    for component in plan.components:
        reasons = [cell.name for cell in weak_cells_of(plan) if component.name in cell.knobs and not cell.left_out]
        why = "replay" if component.name == "base" else ", ".join(reasons) or "floor over all knobs"
        rows.append(
            {
                "share": component.name,
                "documents": component.documents,
                "of all": f"{component.documents / max(plan.documents, 1):.0%}",
                "for": why,
            }
        )
    return rows


def explain_cells(cells: Sequence[WeakCell]) -> list[dict[str, object]]:
    """Return weak cells as rows: the evidence, what is turned up for them, and what is expected of that."""
    return [
        {
            "cell": cell.name,
            "failed": f"{cell.failures} of {cell.trials}",
            "rate": f"{cell.rate:.1%}",
            "at least": f"{cell.lower_bound:.1%}",
            "turn up": ", ".join(
                f"{name} ({cell.effects[name]:+.0%})" if name in cell.effects else f"{name} (presumed)"
                for name in cell.knobs
            ),
            "documents": cell.documents,
            "expected rate": f"{cell.rate - cell.expected_gain:.1%}",
            "left out": cell.left_out,
            "examples": ", ".join(cell.examples),
        }
        for cell in cells
    ]
