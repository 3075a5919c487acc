"""The texts of a payment slip as a page prints them. `payment_slips.py` writes them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class SlipForm(StrEnum):
    """The arrangement of a slip."""

    SWISS = "swiss"  # the QR bill, whose measures are prescribed
    TRANSFER = "transfer"  # a form or coupon of boxes, with a stub for the payer


class SlipText(BaseModel):
    """A caption and the lines below it. Without lines, the payer fills in what the caption asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    caption: str
    lines: tuple[str, ...]


class PaymentSlip(BaseModel):
    """A payment slip. All its values are also elsewhere on the document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: SlipForm = Field(description="arrangement of the slip")
    title: str = Field(description="title of the part for the bank")
    stub_title: str = Field(description="title of the part that the payer keeps")
    texts: tuple[SlipText, ...] = Field(description="payee, account, reference and payer on the part for the bank")
    stub_texts: tuple[SlipText, ...] = Field(description="the same on the part that the payer keeps")
    currency_caption: str
    currency: str = Field(description="ISO 4217 code")
    amount_caption: str
    amount: str = Field(description="amount due, as printed on both parts")
    blanks: tuple[str, ...] = Field(default=(), description="captions of the boxes to be filled in")
    code: str = Field(default="", description="text of the QR code; empty for none")
    tint: str = Field(default="#ffffff", description="background of the form, #rrggbb")
    framed: bool = Field(default=True, description="whether each text has a box, not a line below it")
