"""Capture settings of real documents: resolution, levels of paper and print, till rolls, and the shape of letters.

These are read off measures directly, for they have a number of their own in the recipe. A second look compares the real
documents with documents that were drawn with these settings, and corrects what damage and layout add.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.measuring.measured_documents import MeasuredDocument

MAX_LEVELS = 8  # different values of a setting
LEAST_DRAWN = 10  # documents that a correction is computed from
_MILLIMETRES = 25.4
_ROLL_ASPECT = 1.9  # height over width from which a page of unknown type is a till roll
_LARGEST, _SMALLEST = 400, 72  # resolutions in dots per inch
_FACTORS = (0.5, 1.9)  # least and greatest stretch and spacing
_LEAST_FACTOR_CHANGE = 0.05  # of stretch and spacing, so that it is worth a setting
_FILE_LEVEL, _FILE_NOISE = 254, 0.5  # paper level from which, and noise up to which, a page is taken for a file
_INK_ABOVE = 40  # grey levels by which thin strokes are brighter than their ink, before it is known better


@dataclass(frozen=True)
class CaptureSettings:
    """Weights of capture settings, each None if the recipe is to leave it alone."""

    resolutions: dict[int, float] | None = None
    paper_levels: dict[int, float] | None = None
    ink_levels: dict[int, float] | None = None
    paper_warmths: dict[int, float] | None = None
    stretches: dict[float, float] | None = None
    line_spacings: dict[float, float] | None = None
    rolls: dict[int, float] | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """Return a recipe with these settings."""
        return Recipe.model_validate(recipe.model_dump() | asdict(self))


def first_settings(real: Sequence[MeasuredDocument], recipe: Recipe) -> CaptureSettings:
    """Return settings from the real documents' measures alone.

    Args:
        real: the real documents.
        recipe: a recipe with their types and locales, which determine the paper.
    """
    receipts = _share_of_receipts(recipe)
    resolutions = [
        int(
            np.clip(
                round(one.measures["width"] / _paper_width(one, receipts, recipe) * _MILLIMETRES), _SMALLEST, _LARGEST
            )
        )
        for one in real
    ]
    on_paper = [one.measures for one in real if not is_file(one)]
    if not on_paper:
        return CaptureSettings(resolutions=_levels(resolutions))
    coloured = [one for one in on_paper if one["is_colour_file"]]
    return CaptureSettings(
        resolutions=_levels(resolutions),
        paper_levels=_levels([round(one["paper_level"]) for one in on_paper]),
        ink_levels=_levels([max(0, round(one["ink_level"] - _INK_ABOVE)) for one in on_paper]),
        paper_warmths=_levels([round(one["paper_warmth"]) or 1 for one in coloured]) if coloured else None,
        rolls={80: 1.0} if receipts > 0.5 else None,
    )


def is_file(document: MeasuredDocument) -> bool:
    """Return whether a page looks as software wrote it: white paper without noise."""
    return document.measures["paper_level"] >= _FILE_LEVEL and document.measures["noise"] <= _FILE_NOISE


def _share_of_receipts(recipe: Recipe) -> float:
    types = recipe.document_types
    return types.get(DocumentType.RECEIPT, 0.0) / (sum(types.values()) or 1.0)


def _paper_width(document: MeasuredDocument, receipts: float, recipe: Recipe) -> float:
    """Return the width in millimetres of the paper that the generator prints such a page on."""
    aspect = document.measures["aspect"]
    if receipts > 0.5 or (receipts and aspect > _ROLL_ASPECT):
        return 80.0
    locale = max(recipe.locales, key=lambda name: recipe.locales[name])
    height, width = (279.4, 215.9) if LOCALE_FACTS[locale].paper == "Letter" else (297.0, 210.0)
    return height if aspect < 1 else width


def corrected_settings(
    settings: CaptureSettings,
    real: Sequence[MeasuredDocument],
    drawn: Sequence[MeasuredDocument],
    recipe: Recipe,
) -> CaptureSettings:
    """Return settings corrected by what documents that were drawn with them look like.

    Damage darkens paper, thin strokes are brighter than their ink, and how high letters are depends on the layout: all
    three are seen on the drawn documents.

    Args:
        settings: what the documents were drawn with.
        real: the real documents.
        drawn: the drawn documents.
        recipe: a recipe with the real documents' types.
    """
    receipts = _share_of_receipts(recipe) > 0.5
    alike = [one for one in drawn if "layout:receipt_till" in one.drawn] if receipts else list(drawn)
    on_paper = [one for one in alike if "channel:born_digital" not in one.drawn and not _is_bent(one)]
    theirs = [one for one in real if not is_file(one)]
    found = settings
    if len(on_paper) >= LEAST_DRAWN and theirs:
        paper = _median(theirs, "paper_level") - _median(on_paper, "paper_level")
        ink = _median(theirs, "ink_level") - _median(on_paper, "ink_level")
        found = replace(found, paper_levels=_moved(found.paper_levels, paper), ink_levels=_moved(found.ink_levels, ink))
    if len(alike) >= LEAST_DRAWN:
        spacing = _median(real, "line_pitch") / max(_median(alike, "line_pitch"), 0.1)
        found = replace(found, line_spacings=_scaled(found.line_spacings, spacing))
        if receipts:
            stretch = _median(alike, "letter_width") / max(_median(real, "letter_width"), 0.1)
            found = replace(found, stretches=_scaled(found.stretches, stretch))
    return found


def _is_bent(document: MeasuredDocument) -> bool:
    """Return whether a photograph's light would be taken for the paper's own level."""
    return any(document.drawn.get(knob, 0.0) > 0 for knob in ("photo", "perspective", "shadow", "uneven_light"))


def _median(documents: Sequence[MeasuredDocument], measure: str) -> float:
    return float(np.median([one.measures[measure] for one in documents]))


def _moved(levels: Mapping[int, float] | None, by: float) -> dict[int, float] | None:
    """Return grey levels brighter by a number of levels."""
    if levels is None:
        return None
    moved: dict[int, float] = {}
    for level, weight in levels.items():
        after = int(np.clip(round(level + by), 0, 255))
        moved[after] = round(moved.get(after, 0.0) + weight, 5)
    return dict(sorted(moved.items()))


def _scaled(factors: Mapping[float, float] | None, by: float) -> dict[float, float] | None:
    """Return factors multiplied by another one; None if that changes nothing."""
    before = next(iter(factors)) if factors else 1.0
    after = round(float(np.clip(before * by, *_FACTORS)), 2)
    return {after: 1.0} if abs(after - 1) >= _LEAST_FACTOR_CHANGE else None


def _levels(values: Sequence[int]) -> dict[int, float]:
    """Return the values with their shares, or as many quantiles as there may be levels."""
    counts = Counter(values)
    if len(counts) > MAX_LEVELS:
        quantiles = np.quantile(values, (np.arange(MAX_LEVELS) + 0.5) / MAX_LEVELS, method="nearest")
        counts = Counter(int(value) for value in quantiles)
    total = sum(counts.values())
    return {value: round(count / total, 5) for value, count in sorted(counts.items())}
