"""Named recipes, from easy to hard documents."""

from __future__ import annotations

from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.recipe import Recipe


def _preset(factor: float, **knobs: float) -> Recipe:
    """Return the default recipe with every knob scaled by a factor, except for knobs given by name."""
    scaled = {name: round(min(1.0, value * factor), 4) for name, value in Knobs().model_dump().items()}
    return Recipe(knobs=Knobs(**{**scaled, **knobs}))


RECIPE_PRESETS: dict[str, Recipe] = {
    "simple": _preset(0.2, optional_fields=0.4, repeated_headers=0.7),
    "medium": Recipe(),
    "complex": _preset(2.2, optional_fields=0.8, many_lines=0.4),
}
