"""The knobs of a recipe: one number for each way in which readers fail, which makes documents harder in just that way.

A knob is the probability, from 0 to 1, that a document has its feature. The features of damage knobs also have a random
strength. Each document stores the values that took effect under the same names. Mining compares error rates by them,
probes set them one by one, and plans turn up those that a reader fails by.

To add a knob:

1. Add a field at the end of `MailRoomKnobs`, or of `DamageKnobs` if it damages pixels: its default, the cause that it
   targets, the elements that it makes harder to read, a description, and the document types and languages to which it
   can apply. If no cause in `failure_causes.py` fits, add one there.
2. If the knob excludes another one, or cannot apply to some documents for a reason that its field does not state, add
   the rule to `EXCLUSIVE_KNOBS` or `draw_knobs` in `document_outline.py`.
3. Draw the feature, where ``knobs["name"]`` is read: header fields in `header_drawing.py`, lines in `line_drawing.py`,
   totals and taxes in `settlement.py`, entries in `statements.py`, columns in `vendor_habits.py`, other content in
   `document_drawing.py`. For a feature of the page, add a field to `Presentation` in `drawn_document.py`, set it in
   `presentation_drawing.py`, and follow it in `rendering/page_html.py` and the templates. For damage, add a function to
   the chain in `rendering/damage/chain.py`.
4. In `finscribe_assets_tests/documents/test_knobs.py`, say in `SHOWS` how a document shows the feature. The test turns
   every knob from 0 to 1, and fails for a knob that it does not know.
5. Raise `GENERATOR_VERSION` in `stage_versions.py`, as plans draw other documents: a new field of `DamageKnobs` changes
   the random numbers that later knobs get, one of `MailRoomKnobs` adds its feature alone. Raise `RENDERER_VERSION` if
   existing documents look different.
6. Add the name to `_UNKNOWN_KNOBS` in `pretraining/base_recipe.py`, unless the embedded base is pretrained anew: its
   recipe has every other knob at its default.
7. Run ``finscribe schema --markdown > docs/data-dictionary.md``.

The generator, plans and mining find the knob by its field; they need no changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ConfigDict

from finscribe_assets.documents.content_knobs import ContentKnobs
from finscribe_assets.documents.damage_knobs import DAMAGE_KNOBS, DamageKnobs
from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.mail_room_knobs import MAIL_ROOM_KNOBS, MailRoomKnobs
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element

__all__ = ["DAMAGE_KNOBS", "KNOB_FACTS", "MAIL_ROOM_KNOBS", "NO_KNOBS", "KnobFacts", "Knobs", "applicable_knobs"]


# Pydantic takes the fields of the last base first: content, damage, then the additions of mail rooms.
class Knobs(MailRoomKnobs, DamageKnobs, ContentKnobs):
    """The probability of each hard feature, from 0 (never) to 1 (always)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


NO_KNOBS = Knobs(**dict.fromkeys(Knobs.model_fields, 0.0))


@dataclass(frozen=True)
class KnobFacts:
    """The metadata of a knob.

    Attributes:
        cause: the cause of reading errors that it targets.
        elements: the elements that it makes harder to read.
        documents: the document types to which it can apply.
        languages: the languages to which it can apply; empty for all.
    """

    cause: FailureCause
    elements: tuple[Element, ...]
    documents: tuple[DocumentType, ...]
    languages: tuple[str, ...]

    def applies_to(self, document_type: DocumentType, language: str) -> bool:
        """Tell whether the knob can change a document of this type and language."""
        return document_type in self.documents and (not self.languages or language in self.languages)


def _read_facts() -> dict[str, KnobFacts]:
    facts = {}
    for name, field in Knobs.model_fields.items():
        extra: Any = field.json_schema_extra
        facts[name] = KnobFacts(
            FailureCause(extra["cause"]),
            tuple(map(Element, extra["elements"])),
            tuple(map(DocumentType, extra["documents"])),
            tuple(extra["languages"]),
        )
    return facts


KNOB_FACTS: dict[str, KnobFacts] = _read_facts()


@cache
def applicable_knobs(document_type: DocumentType, language: str) -> frozenset[str]:
    """Return the knobs that can change a document of this type and language."""
    return frozenset(name for name, facts in KNOB_FACTS.items() if facts.applies_to(document_type, language))
