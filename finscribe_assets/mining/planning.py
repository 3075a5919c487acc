"""Plan the next batch: from weak cells, their progress, an allocation rule and what a person has disabled."""

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
from finscribe_assets.evaluation.field_comparison import UNKNOWN_ELEMENT
from finscribe_assets.files import sha256_of
from finscribe_assets.mining.allocation import ALLOCATION_RULES, BASE_SHARE, AllocationInput
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.learning_history import CellProgress
from finscribe_assets.mining.prevalence import prevalence
from finscribe_assets.mining.weak_cell import WeakCell, weak_cells_of

RAISED_INTENSITY = 0.8  # that a knob is turned up to
PREFERRED_ODDS = 4.0  # of a preferred locale, font or the like against all others together
NOTHING_WEAK = "no plan: no cell failed in at least five documents at a rate that is significantly above the threshold"
ALL_LEFT_OUT = "no plan: every weak cell is left out"
NO_CAUSE_FOUND = "its failures share no drawn value: a probe can find the cause (finscribe probe)"
DRAWN_VALUES_UNKNOWN = (
    "no drawn value of its documents is known: give their workspace (--workspace), or probe the reader "
    "(finscribe probe)"
)

_Name = TypeVar("_Name", bound=str)

# The weights of a recipe in which a plan can prefer a choice: dimension → field of the recipe, and known choices.
_PREFERABLE: dict[str, tuple[str, Collection[str]]] = {
    "type": ("document_types", tuple(DocumentType)),
    "locale": ("locales", LOCALES),
    "font": ("fonts", FONTS),
    "layout": ("layouts", tuple(LAYOUT_FACTS)),
    "engine": ("engines", tuple(Engine)),
}


def normalise_disabled(names: Collection[str]) -> tuple[str, ...]:
    """Return the names of disabled cells and knobs in their normal form, each once.

    Args:
        names: cells as ``amount×sign`` or ``amount*sign``; knobs as ``degradation`` or ``font:Lato``.

    Raises:
        UserError: a name is neither that of a cell nor that of a knob.
    """
    normal = tuple(dict.fromkeys(name.strip().replace("*", "×").removeprefix("knob:") for name in names))
    for name in normal:
        element, _, error_type = name.partition("×")
        dimension, _, choice = name.partition(":")
        is_cell = element in (*Element, UNKNOWN_ELEMENT) and error_type in tuple(ErrorType)
        is_choice = dimension in _PREFERABLE and choice in _PREFERABLE[dimension][1]
        if not (is_cell or is_choice or name in KNOB_FACTS):
            raise UserError(
                f"disabled: {name!r} is neither a cell, such as amount×sign, nor a knob, such as degradation or "
                "font:Lato; `finscribe mine` lists both"
            )
    return normal


def mark_left_out(
    cells: Sequence[WeakCell], disabled: Collection[str], progress: Mapping[str, CellProgress]
) -> list[WeakCell]:
    """Remove disabled knobs from cells, and state why a cell gets no documents.

    A cell is left out if it is disabled, if all of its knobs are, if no cause is known, or if it is retired.

    Args:
        cells: the weak cells.
        disabled: names as ``normalise_disabled`` returns them.
        progress: by name of cell.
    """
    marked = []
    for cell in cells:
        knobs = tuple(name for name in cell.knobs if name not in disabled)
        is_disabled = cell.name in disabled or (cell.knobs and not knobs)
        retired = progress[cell.name].retired if cell.name in progress else ""
        reason = "disabled" if is_disabled else retired if cell.knobs else cell.left_out or NO_CAUSE_FOUND
        marked.append(cell.model_copy(update={"knobs": knobs, "left_out": reason}))
    return marked


def make_plan(
    parent: Plan,
    cells: Sequence[WeakCell],
    documents: int,
    *,
    rule: str = "portfolio",
    disabled: Collection[str] = (),
    progress: Mapping[str, CellProgress] | None = None,
    weigh_frequency: bool = False,
) -> Plan | None:
    """Make the plan of the batch after ``parent``.

    The seed is derived from the parent's, so that the plan is a function of the arguments.

    Args:
        parent: the plan of the current batch; its first component is the base recipe.
        cells: the weak cells.
        documents: number of documents to plan.
        rule: name of the allocation rule.
        disabled: names of cells and knobs that get no documents.
        progress: how well cells have learnt, by name of cell.
        weigh_frequency: whether the share of a cell's knob is in proportion to how many documents of the base recipe
            show it, such as a recipe that was fitted to the user's documents.

    Returns:
        The plan; None if all cells are left out.

    Raises:
        UserError: the rule or a disabled name is unknown.
    """
    if rule not in ALLOCATION_RULES:
        raise UserError(f"rule: {rule!r} is unknown; known are {', '.join(ALLOCATION_RULES)}")
    disabled, progress = normalise_disabled(disabled), progress or {}
    marked = mark_left_out(cells, disabled, progress)
    active = [cell for cell in marked if not cell.left_out]
    if not active:
        return None
    key = next_batch_key(parent.key)
    base = parent.components[0].recipe
    # A knob that the base recipe never turns does not concern this reader.
    knobs = [name for name, value in base.knobs.model_dump().items() if value] or list(Knobs.model_fields)
    untried = math.log(2) / max(documents, 1)  # learning of an untried cell
    learning = {name: cell_progress.learning / untried for name, cell_progress in progress.items()}
    shown = {name for cell in active for name in cell.knobs}
    frequency = {name: prevalence(base, name) for name in sorted(shown)} if weigh_frequency else {}
    given = AllocationInput(active, learning, [name for name in knobs if name not in disabled], frequency)
    seed = int(sha256_of(f"{parent.seed}:{key}")[:15], 16)
    counts = _whole_documents(documents, ALLOCATION_RULES[rule](given), seed)
    components = [PlanComponent(name="base", documents=documents - sum(counts.values()), recipe=base)]
    components += [
        PlanComponent(name=name, documents=count, recipe=turned_up(base, name))
        for name, count in sorted(counts.items())
        if count
    ]
    reasons = []
    for cell in marked:
        planned = 0 if cell.left_out else sum(counts.get(name, 0) for name in cell.knobs)
        gain = cell.rate * (1 - math.exp(-untried * learning.get(cell.name, 1.0) * planned))
        reasons.append(cell.model_copy(update={"documents": planned, "expected_gain": round(gain, 4)}))
    return Plan(
        key=key,
        seed=seed,
        components=tuple(components),
        parent=parent.key,
        reasons=tuple(cell.model_dump(mode="json") for cell in reasons),
        rule=rule,
        disabled=disabled,
    )


def _whole_documents(documents: int, shares: dict[str, float], seed: int) -> dict[str, int]:
    """Turn shares into whole numbers of documents by largest remainders; what remains belongs to the base recipe.

    Equal remainders are ordered by the seed, so that no knob goes without documents in every plan.
    """
    exact = {name: documents * share for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    spare = int(sum(exact.values())) - sum(counts.values())
    for name in sorted(exact, key=lambda name: (counts[name] - exact[name], sha256_of(f"{seed}:{name}")))[:spare]:
        counts[name] += 1
    return counts


def turned_up(recipe: Recipe, name: str) -> Recipe:
    """Return a recipe that draws a value more often.

    A knob is raised to ``RAISED_INTENSITY``, and the document types and locales that it applies to are preferred.

    Args:
        recipe: the recipe.
        name: a knob, or ``type:receipt``, ``locale:fr_FR``, ``font:Lato``, ``layout:invoice_open``,
            ``engine:weasyprint``.

    Raises:
        UserError: the name is unknown.
    """
    dimension, _, choice = name.partition(":")
    if name in KNOB_FACTS:
        facts = KNOB_FACTS[name]
        intensity = max(RAISED_INTENSITY, getattr(recipe.knobs, name))
        locales = [locale for locale in recipe.locales if LOCALE_FACTS[locale].language in facts.languages]
        return recipe.model_copy(
            update={
                "knobs": recipe.knobs.model_copy(update={name: intensity}),
                "document_types": _preferring(recipe.document_types, facts.documents),
                "locales": _preferring(recipe.locales, locales or recipe.locales),
            }
        )
    if dimension not in _PREFERABLE or choice not in _PREFERABLE[dimension][1]:
        raise UserError(f"{name!r} is neither a knob nor type:…, locale:…, font:…, layout:… or engine:… of a recipe")
    field, choices = _PREFERABLE[dimension]
    known = next(value for value in choices if str(value) == choice)
    changed = {field: _preferring({known: 1.0, **getattr(recipe, field)}, [known])}
    if dimension == "layout":
        changed["document_types"] = _preferring(recipe.document_types, LAYOUT_FACTS[choice].document_types)
    return recipe.model_copy(update=changed)


def _preferring(weights: Mapping[_Name, float], preferred: Collection[_Name]) -> dict[_Name, float]:
    """Return weights with the odds of the preferred names raised to ``PREFERRED_ODDS``, if they are lower."""
    preferred_weight = sum(weight for name, weight in weights.items() if name in preferred)
    others = sum(weights.values()) - preferred_weight
    factor = PREFERRED_ODDS * others / preferred_weight if preferred_weight and others else 1.0
    return {name: weight * max(1.0, factor) if name in preferred else weight for name, weight in weights.items()}


def plan_problems(plan: Plan) -> list[str]:
    """Return what is wrong with a plan; an empty list if it is within its bounds."""
    problems = []
    base = sum(component.documents for component in plan.components if component.name == "base")
    if plan.documents < 1:
        problems.append("the plan has no documents")
    # A plan from a probe needs no documents of the base recipe: training replays earlier batches.
    if plan.rule in ALLOCATION_RULES and base < BASE_SHARE * plan.documents - 1:
        problems.append(f"only {base} of {plan.documents} documents are drawn from the base recipe")
    for component in plan.components:
        problems += [
            f"{name} is turned up though it is disabled"
            for name in component.name.split(" + ")
            if name in plan.disabled
        ]
        for name, value in component.recipe.knobs.model_dump().items():
            if not 0 <= value <= 1:
                problems.append(f"{component.name}: knob {name} is {value}, outside 0 to 1")
    return problems


def plan_rows(plan: Plan) -> list[dict[str, object]]:
    """Return the components of a plan as rows of a table: what is turned up, for how many documents, and why.

    Components that no weak cell asks for are one row, the floor.
    """
    cells = [cell for cell in weak_cells_of(plan) if not cell.left_out]
    rows: list[tuple[str, int, str]] = []
    floor = []
    for component in plan.components:
        names = ", ".join(cell.name for cell in cells if component.name in cell.knobs)
        if names or component.name == "base":
            rows.append((component.name, component.documents, names or "replay"))
        else:
            floor.append(component.documents)
    if floor:
        rows.append((f"{len(floor)} knobs", sum(floor), "floor, for what mining missed"))
    return [
        {"share": share, "documents": count, "of all": f"{count / max(plan.documents, 1):.0%}", "for": reason}
        for share, count, reason in rows
    ]


def weak_cell_rows(cells: Sequence[WeakCell]) -> list[dict[str, object]]:
    """Return weak cells as rows of a table: the evidence and its limits, what is turned up, and the expected result."""
    return [
        {
            "cell": cell.name,
            "failed": f"{cell.failures} of {cell.trials}",
            "rate": f"{cell.rate:.1%}",
            "at least": f"{cell.lower_bound:.1%}",
            "turn up": ", ".join(
                f"{name} ({cell.effects[name]:+.0%})" if name in cell.effects else name for name in cell.knobs
            ),
            "documents": cell.documents,
            "expected rate": f"{cell.rate - cell.expected_gain:.1%}",
            "left out": cell.left_out,
            "to probe": ", ".join(cell.to_probe),
            "evidence": cell.limits,
            "examples": ", ".join(cell.examples),
        }
        for cell in cells
    ]
