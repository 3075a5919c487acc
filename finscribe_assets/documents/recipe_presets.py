"""Named recipes: from easy to hard documents, and by the way in which documents arrive."""

from __future__ import annotations

from finscribe_assets.documents.channels import Channel, channels_of_all_types
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, Knobs
from finscribe_assets.documents.mail_room_knobs import NEIGHBOUR_KNOB
from finscribe_assets.documents.recipe import Recipe


def _preset(factor: float, **knobs: float) -> Recipe:
    """Return the default recipe with every knob scaled by a factor, except for knobs given by name."""
    scaled = {name: round(min(1.0, value * factor), 4) for name, value in Knobs().model_dump().items()}
    return Recipe(knobs=Knobs(**{**scaled, **knobs}))


def _of_channel(channel: Channel, **damage: float) -> Recipe:
    """Return the default recipe for documents that all arrive in one way, with no damage but that given by name."""
    none = dict.fromkeys((*DAMAGE_KNOBS, "degradation"), 0.0)
    if channel is Channel.BORN_DIGITAL:
        none[NEIGHBOUR_KNOB] = 0.0
    return Recipe(channels=channels_of_all_types(channel), knobs=Knobs(**(none | damage)))


_ON_PAPER = {
    "stamp": 0.12,
    "signature": 0.12,
    "handwritten_note": 0.08,
    "highlighter": 0.06,
    "fold": 0.1,
    "pen_ring": 0.06,
    "staple": 0.1,
}

RECIPE_PRESETS: dict[str, Recipe] = {
    "simple": _preset(0.2, optional_fields=0.4, repeated_headers=0.7),
    "medium": Recipe(),
    "complex": _preset(2.2, optional_fields=0.8, many_lines=0.4),
    "born_digital": _of_channel(Channel.BORN_DIGITAL, watermark=0.05),
    "scanned": _of_channel(
        Channel.SCANNED,
        **_ON_PAPER,
        degradation=0.4,
        skew=0.35,
        low_resolution=0.15,
        noise=0.15,
        jpeg=0.2,
        blur=0.06,
        bleed_through=0.08,
        punch_holes=0.12,
        coffee_stain=0.02,
        thermal_fade=0.08,
        dot_matrix=0.02,
        fax=0.03,
    ),
    "photographed": _of_channel(
        Channel.PHOTOGRAPHED,
        **_ON_PAPER,
        degradation=0.3,
        perspective=0.6,
        photo=0.45,
        shadow=0.3,
        uneven_light=0.3,
        curl=0.2,
        blur=0.15,
        noise=0.15,
        jpeg=0.3,
        thermal_fade=0.1,
        coffee_stain=0.03,
    ),
}
