"""The knobs of what mail rooms find on documents besides the document's own content, such as payment slips.

They are drawn after all others (see `document_outline.draw_knobs`), so that a new one at the end changes no other.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.knob_fields import A4_SALES, knob
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element


class MailRoomKnobs(BaseModel):
    """The probability of each addition to a document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    payment_slips: float = knob(
        0.05,
        FailureCause.HALLUCINATED_FIELD,
        (Element.AMOUNT, Element.IDENTIFIER, Element.PARTY),
        "a payment slip at the foot of the sheet repeats payee, account, amount and reference",
        documents=(DocumentType.INVOICE,),
        languages=("de", "en", "fr", "it", "nl", "pl", "sv"),
    )
    terms_pages: float = knob(
        0.025,
        FailureCause.HALLUCINATED_FIELD,
        (Element.TEXT, Element.AMOUNT, Element.DATE),
        "the last sheet has terms and conditions in small print",
        documents=A4_SALES,
    )
    line_groups: float = knob(
        0.05,
        FailureCause.ROWS_MISSED_OR_DUPLICATED,
        (Element.LINE_ITEM, Element.LINE_AMOUNT),
        "lines are in groups with headings, subtotals or numbers of two levels",
        documents=A4_SALES,
    )
    item_bar_codes: float = knob(
        0.03,
        FailureCause.COLUMN_SHIFT,
        (Element.LINE_ITEM,),
        "a column shows the article number (GTIN) of each item as a bar code and in digits",
        documents=A4_SALES,
    )
    neighbour_receipts: float = knob(
        0.06,
        FailureCause.HALLUCINATED_FIELD,
        (Element.AMOUNT, Element.IDENTIFIER, Element.DATE, Element.LINE_ITEM, Element.LINE_AMOUNT),
        "another receipt of the same shop lies beside it, cut off by the edge of the scan or photograph",
        documents=(DocumentType.RECEIPT,),
    )
    tax_invoice_forms: float = knob(
        0.35,
        FailureCause.PARTY_SWAP,
        (Element.AMOUNT, Element.IDENTIFIER, Element.PARTY),
        "the invoice is on the form of its state: in China with code, seals, capital amount and boxed parties",
        documents=(DocumentType.INVOICE,),
        languages=("zh",),
    )


MAIL_ROOM_KNOBS = tuple(MailRoomKnobs.model_fields)
NEIGHBOUR_KNOB = "neighbour_receipts"  # drawn like damage, as it happens where paper is captured
