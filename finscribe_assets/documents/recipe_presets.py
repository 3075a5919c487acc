"""Named recipes to begin with, by how hard their documents are as a whole."""

from __future__ import annotations

from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.recipe import Recipe


def _preset(share: float, **knobs: float) -> Recipe:
    """Return the usual recipe with every knob times a share, and some knobs as given."""
    usual = {name: round(min(1.0, value * share), 4) for name, value in Knobs().model_dump().items()}
    return Recipe(knobs=Knobs(**{**usual, **knobs}))


RECIPE_PRESETS: dict[str, Recipe] = {
    "simple": _preset(0.2, optional_fields=0.4, repeated_headers=0.7),
    "medium": Recipe(),
    "complex": _preset(2.2, optional_fields=0.8, many_lines=0.4),
}
