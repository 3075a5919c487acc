"""Write a fitted recipe as YAML for `finscribe synthesize --recipe`, with the evidence of each change as a comment."""

from __future__ import annotations

from typing import Any

import yaml

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.fitting.recipe_estimate import KNOB_PRIOR, ChangedWeight
from finscribe_assets.fitting.recipe_fit import CHOICE_PRIOR, FittedRecipe

_GIVEAWAYS = 8  # measures that are listed


def recipe_yaml(fitted: FittedRecipe, base: Recipe | None = None) -> str:
    """Return a fitted recipe as YAML; what it left as it was is not written.

    Args:
        fitted: the fit.
        base: recipe that the fit started from; the default recipe if not given.
    """
    base = base or Recipe()
    before = base.model_dump(mode="json")
    after = fitted.recipe.model_dump(mode="json")
    lines = _head(fitted)
    evidence = {change.key: change for change in fitted.changed}
    before_knobs = before["knobs"]
    after["knobs"] = {name: weight for name, weight in after["knobs"].items() if weight != before_knobs[name]}
    for field, value in after.items():
        if value == before[field] or not value:
            continue
        lines.append(f"{field}:")
        for name, weight in value.items():
            if isinstance(weight, dict):  # the channels of a document type
                lines.append(f"  {name}: {_flow(weight)}")
            elif field == "knobs" or weight:
                lines.append(f"  {_flow(name)}: {_rounded(weight)}{_comment(evidence.get(f'{field}.{name}'))}")
        lines += [
            f"  # {change.key.partition('.')[2]}:{_comment(change).removeprefix('  #')}"
            for change in fitted.changed
            if field == "channels" and change.key.startswith("channels.")
        ]
    return "\n".join([*lines, ""])


def _head(fitted: FittedRecipe) -> list[str]:
    after = fitted.after
    lines = [
        f"# Fitted to {after.real} real documents. Use it with: finscribe synthesize --recipe FILE",
        "#",
        "# Real against synthetic documents, AUC of a classifier on held-out documents (0.5: indistinguishable):",
        f"#   base recipe   {fitted.before.describe()}",
        f"#   this recipe   {after.describe()}",
        "#",
        "# What still gives synthetic pages away (AUC of the measure alone; median of real and synthetic):",
        *(
            f"#   {one.measure:<16} {one.auc:.2f}   {one.real:g}   {one.synthetic:g}"
            for one in after.giveaways[:_GIVEAWAYS]
        ),
        "#",
        f"# Shares are shrunk towards the base recipe, which counts as {CHOICE_PRIOR:g} documents for types and "
        f"locales, and as {KNOB_PRIOR:g} for everything else. What is absent has the base recipe's weights.",
    ]
    lines += [f"# Not shown by measures, so kept: {', '.join(fitted.kept)}"] if fitted.kept else []
    return [*_wrapped(lines), *(f"# Note: {warning}" for warning in fitted.warnings), ""]


def _wrapped(lines: list[str], width: int = 110) -> list[str]:
    """Return comment lines, the long ones broken at spaces."""
    found: list[str] = []
    for line in lines:
        rest = line
        while len(rest) > width:
            cut = rest.rfind(" ", 0, width)
            found.append(rest[:cut])
            rest = "#  " + rest[cut:]
        found.append(rest)
    return found


def _comment(change: ChangedWeight | None) -> str:
    if change is None:
        return ""
    start = f"from {change.before:g}: " if change.before is not None else ""
    return f"  # {start}{change.evidence}"


def _rounded(weight: Any) -> Any:
    return round(weight, 5) if isinstance(weight, float) else weight


def _flow(value: Any) -> str:
    """Return a value as YAML on one line; a text that YAML would take for something else is quoted."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(name)}: {_rounded(weight)}" for name, weight in value.items()) + "}"
    if isinstance(value, str) and value.isdigit():
        return value
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).split("\n", maxsplit=1)[0]
