"""How a knob is declared: a field of a pydantic model, with what it makes harder to read and where it applies.

The knobs themselves are in `content_knobs.py`, `damage_knobs.py` and `mail_room_knobs.py`; `knobs.py` joins them.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element

_E = Element
_D = DocumentType

# The elements that knobs make harder to read.
HEADER_VALUES = (_E.IDENTIFIER, _E.DATE, _E.AMOUNT)
AMOUNTS = (_E.AMOUNT, _E.LINE_AMOUNT, _E.TAX, _E.ENTRY_AMOUNT)
ROWS = (_E.LINE_ITEM, _E.LINE_AMOUNT, _E.ENTRY, _E.ENTRY_AMOUNT)
ALL_ELEMENTS = tuple(Element)

# The document types to which knobs can apply.
BILL_TYPES = (_D.INVOICE, _D.CREDIT_NOTE)
SALES = (*BILL_TYPES, _D.RECEIPT, _D.PURCHASE_ORDER)
A4_SALES = (*BILL_TYPES, _D.PURCHASE_ORDER)
A4_DOCUMENTS = (*A4_SALES, _D.BANK_STATEMENT)


def knob(
    default: float,
    cause: FailureCause,
    elements: tuple[Element, ...],
    description: str,
    *,
    documents: tuple[DocumentType, ...] = tuple(DocumentType),
    languages: tuple[str, ...] = (),
) -> Any:
    """Declare a knob. Its metadata is part of the published JSON schema of recipes; `knobs.KNOB_FACTS` reads it back.

    Args:
        default: the probability of its feature.
        cause: the cause of reading errors that it targets.
        elements: the elements that it makes harder to read.
        description: what the document shows.
        documents: the document types to which it can apply.
        languages: the languages to which it can apply; empty for all.
    """
    return Field(
        default,
        ge=0.0,
        le=1.0,
        description=description,
        json_schema_extra={
            "elements": [str(element) for element in elements],
            "cause": str(cause),
            "documents": [str(document_type) for document_type in documents],
            "languages": list(languages),
        },
    )
