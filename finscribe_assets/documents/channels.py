"""How documents reach accounts payable: as files, scanned or photographed, and what each way can do to a page."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from finscribe_assets.documents.schema import DocumentType


class Channel(StrEnum):
    """How a document arrives."""

    BORN_DIGITAL = "born_digital"  # a PDF file as software wrote it: no damage but a watermark
    SCANNED = "scanned"
    PHOTOGRAPHED = "photographed"


# Damage that happens in one channel alone. Other damage, such as stamps and folds, happens to all paper.
_OF_SCANS = ("low_resolution", "skew", "fax", "bleed_through", "dot_matrix")
_OF_PHOTOGRAPHS = ("perspective", "curl", "shadow", "uneven_light", "photo")
_CHANNELS_OF_DAMAGE: dict[str, tuple[Channel, ...]] = {
    **dict.fromkeys(_OF_SCANS, (Channel.SCANNED,)),
    **dict.fromkeys(_OF_PHOTOGRAPHS, (Channel.PHOTOGRAPHED,)),
    "watermark": tuple(Channel),  # software prints it
}
_PAPER = (Channel.SCANNED, Channel.PHOTOGRAPHED)

# Most invoices, orders and statements are files; most receipts that are handed in are photographs of till rolls.
_FILES_FIRST = {Channel.BORN_DIGITAL: 0.6, Channel.SCANNED: 0.3, Channel.PHOTOGRAPHED: 0.1}
USUAL_CHANNELS: dict[DocumentType, dict[Channel, float]] = {
    DocumentType.INVOICE: _FILES_FIRST,
    DocumentType.CREDIT_NOTE: _FILES_FIRST,
    DocumentType.RECEIPT: {Channel.BORN_DIGITAL: 0.1, Channel.SCANNED: 0.35, Channel.PHOTOGRAPHED: 0.55},
    DocumentType.PURCHASE_ORDER: _FILES_FIRST,
    DocumentType.BANK_STATEMENT: {Channel.BORN_DIGITAL: 0.7, Channel.SCANNED: 0.25, Channel.PHOTOGRAPHED: 0.05},
}


def channels_of_all_types(channel: Channel) -> dict[DocumentType, dict[Channel, float]]:
    """Return weights under which every document arrives in the same way."""
    return {document_type: {channel: 1.0} for document_type in DocumentType}


def damage_chance(knob: str, probability: float, channel: Channel, weights: Mapping[Channel, float]) -> float:
    """Return the probability of a damage knob's feature for a document of a channel.

    Damage is drawn where it happens first: over all channels, documents have the feature with the knob's probability,
    so a recipe, a plan or a probe that sets a knob gets what it asks for.

    Args:
        knob: the name of the damage knob.
        probability: the knob's value in the recipe, over all channels.
        channel: the document's channel.
        weights: weight of each channel for documents of its type.
    """
    fitting = _CHANNELS_OF_DAMAGE.get(knob, _PAPER)
    share = sum(weights.get(name, 0.0) for name in fitting) / sum(weights.values())
    if channel in fitting:
        return min(1.0, probability / share)
    return max(0.0, probability - share) / (1 - share)
