"""The knobs of what happens to a page after it is printed: stamps, stains, scanners and cameras."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.knob_fields import (
    A4_DOCUMENTS,
    ALL_ELEMENTS,
    BILL_TYPES,
    knob,
)
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element

_E = Element
_C = FailureCause
_D = DocumentType


class DamageKnobs(BaseModel):
    """The probability of each effect on the pixels of a page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stamp: float = knob(0.05, _C.OCCLUSION, ALL_ELEMENTS, "a rubber stamp covers part of the page")
    signature: float = knob(0.05, _C.OCCLUSION, ALL_ELEMENTS, "a signature crosses the print")
    handwritten_note: float = knob(0.04, _C.OCCLUSION, ALL_ELEMENTS, "the page has a handwritten note")
    highlighter: float = knob(0.04, _C.OCCLUSION, ALL_ELEMENTS, "values are highlighted with a marker pen")
    pen_ring: float = knob(0.04, _C.OCCLUSION, ALL_ELEMENTS, "values are ringed with a ballpoint pen")
    watermark: float = knob(
        0.04, _C.OCCLUSION, ALL_ELEMENTS, "a pale word, such as COPY, is printed across the page below its text"
    )
    staple: float = knob(0.05, _C.OCCLUSION, ALL_ELEMENTS, "the sheet has a staple, or the marks of one")
    coffee_stain: float = knob(0.03, _C.OCCLUSION, ALL_ELEMENTS, "the page has the ring of a coffee cup")
    punch_holes: float = knob(0.05, _C.OCCLUSION, ALL_ELEMENTS, "the margin has punch holes", documents=A4_DOCUMENTS)
    fold: float = knob(0.05, _C.OCCLUSION, ALL_ELEMENTS, "the sheet was folded")
    degradation: float = knob(
        0.3,
        _C.DEGRADATION,
        ALL_ELEMENTS,
        "greatest strength of a light mix of blur, noise, skew and JPEG artefacts, on documents that are no files",
    )
    low_resolution: float = knob(0.04, _C.DEGRADATION, ALL_ELEMENTS, "the page was scanned at a low resolution")
    skew: float = knob(0.04, _C.DEGRADATION, ALL_ELEMENTS, "the page was scanned at a slight angle")
    perspective: float = knob(0.03, _C.DEGRADATION, ALL_ELEMENTS, "the page was photographed at an angle")
    curl: float = knob(0.03, _C.DEGRADATION, ALL_ELEMENTS, "the paper is curled")
    blur: float = knob(0.04, _C.DEGRADATION, ALL_ELEMENTS, "the image is out of focus")
    shadow: float = knob(0.03, _C.DEGRADATION, ALL_ELEMENTS, "a shadow falls on the page")
    uneven_light: float = knob(0.03, _C.DEGRADATION, ALL_ELEMENTS, "the page is lit unevenly")
    noise: float = knob(0.04, _C.DEGRADATION, ALL_ELEMENTS, "the image has sensor noise")
    jpeg: float = knob(0.04, _C.DEGRADATION, ALL_ELEMENTS, "the image has strong JPEG artefacts")
    bleed_through: float = knob(0.03, _C.DEGRADATION, ALL_ELEMENTS, "the back of the sheet shows through")
    thermal_fade: float = knob(0.03, _C.DEGRADATION, ALL_ELEMENTS, "thermal print has faded")
    dot_matrix: float = knob(0.02, _C.DEGRADATION, ALL_ELEMENTS, "a dot-matrix printer left gaps in the print")
    fax: float = knob(0.02, _C.DEGRADATION, ALL_ELEMENTS, "the page was sent by fax")
    photo: float = knob(0.03, _C.DEGRADATION, ALL_ELEMENTS, "the page was photographed on a desk")
    approvals: float = knob(
        0.03,
        _C.OCCLUSION,
        ALL_ELEMENTS,
        "amount, day and initials are written on the page by hand",
        documents=BILL_TYPES,
    )


# Knobs that damage the pixels of a page. Each document draws a strength for each of them.
DAMAGE_KNOBS = tuple(name for name in DamageKnobs.model_fields if name != "degradation")

LATE_DAMAGE_KNOBS = ("approvals",)
"""Those that are drawn after all others, so that they change no other (see `document_outline.draw_knobs`)."""
