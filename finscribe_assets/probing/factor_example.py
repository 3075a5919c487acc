"""A document that shows a factor, drawn as the probe draws them, to be shown to a person."""

from __future__ import annotations

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import element_of, field_of
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.probing.battery import Battery
from finscribe_assets.probing.factors import ACTING_FIELDS, Factor, FactorSpace, present_factors
from finscribe_assets.probing.sequential_probe import PROBE_SEED

EXAMPLES_TRIED = 6  # pairs of the factor, until one shows it in the element


def draw_factor_example(recipe: Recipe, factor_name: str, element: str) -> tuple[DrawnDocument, str] | None:
    """Return a document that shows a factor, and the path of a field of the element on which it acts.

    Args:
        recipe: Whose factors were probed.
        factor_name: Such as ``font:EB Garamond`` or ``reversed_print``.
        element: Such as ``amount``.

    Returns:
        None if the recipe does not have the factor, or the first documents do not show it beside such a field.
    """
    space = FactorSpace(recipe)
    factor = next((one for one in space.factors if one.name == factor_name), None)
    if factor is None:
        return None
    battery = Battery(space, PROBE_SEED)
    types = [one for one in space.types if space.can_act(factor, one)]
    for index in range(EXAMPLES_TRIED):
        plain = space.plain_for(factor, types[index % len(types)])
        number = battery.pair_number(plain, index // len(types), factor)
        drawn = battery.draw(space.with_factor(plain, factor), number)
        paths = _acting_paths(drawn, factor, element)
        if paths and factor_name in present_factors(drawn):
            return drawn, paths[0]
    return None


def _acting_paths(drawn: DrawnDocument, factor: Factor, element: str) -> list[str]:
    acting = ACTING_FIELDS.get(factor.value)
    return [
        path
        for path in drawn.printed
        if str(element_of(path)) == element and (acting is None or field_of(path) in acting)
    ]
