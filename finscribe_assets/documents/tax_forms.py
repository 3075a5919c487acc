"""The form of Chinese tax invoices (数电发票): its captions, its code, its seals and who signs it.

A form states where a state's invoice has its parts. The values are those of the document; nothing else on the form is a
field.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.drawn_slip import SlipText
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.schema import Document, Party

# The captions of the form, as the State Taxation Administration prints them.
_CAPTIONS = {
    "document_number": "发票号码",
    "issue_date": "开票日期",
    "buyer": "购买方信息",
    "seller": "销售方信息",
    "buyer.vat_identifier": "统一社会信用代码/纳税人识别号",
    "seller.vat_identifier": "统一社会信用代码/纳税人识别号",
    "lines.item_name": "项目名称",
    "lines.unit": "单位",
    "lines.quantity": "数量",
    "lines.net_price": "单价",
    "lines.net_amount": "金额",
    "lines.vat_rate": "税率/征收率",
    "totals.total_vat": "合计税额",
    "totals.total_with_vat": "价税合计(小写)",
}
_SPECIAL_TITLE, _GENERAL_TITLE = "电子发票(增值税专用发票)", "电子发票(普通发票)"
_SPECIAL_TYPE, _GENERAL_TYPE = "31", "32"  # in codes; a special invoice lets the buyer deduct the tax
_COLOURS = ("#8c3a1e", "#8c3a1e", "#7a4a22", "#1f4e79")  # of the form's print
_SIGNED = ("收款人", "复核人", "开票人")
FORM_COLUMNS = frozenset({"unit", "vat_rate"})  # of every form


class TaxForm(BaseModel):
    """What a form prints besides the document's values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(description="text of the QR code in its corner")
    office: str = Field(description="tax office, in the seal of the state")
    seal: tuple[str, ...] = Field(description="lines of the seller's seal")
    signed: tuple[SlipText, ...] = Field(description="who took the money, checked and wrote the invoice")
    colour: str = Field(description="colour of its print, #rrggbb")

    @property
    def texts(self) -> tuple[str, ...]:
        """Return all that it prints in letters."""
        signed = (text for item in self.signed for text in (item.caption, *item.lines))
        return (self.office, *self.seal, *signed)


def draw_tax_form(random: Random, document: Document) -> TaxForm:
    """Draw the form of an invoice.

    Args:
        random: the stream to draw from.
        document: an invoice of a Chinese seller.

    Raises:
        ValueError: the document has no totals.
    """
    if document.totals is None:
        raise ValueError(f"{document.document_number}: an invoice form needs totals")
    places = places_of("zh_CN")
    people = [places.write(random, pattern) for pattern in random.choices(places.people, k=len(_SIGNED))]
    kind = _SPECIAL_TYPE if _is_special(document) else _GENERAL_TYPE
    number = "".join(filter(str.isdigit, document.document_number))
    # Version, type, code (electronic invoices have none), number, total, day, check text (none), and a random ending.
    fields = ("01", kind, "", number, f"{document.totals.total_with_vat:.2f}", f"{document.issue_date:%Y%m%d}", "")
    seal: tuple[str, ...] = ("发票专用章",)
    if document.seller.vat_identifier:
        seal = (document.seller.vat_identifier, *seal)
    return TaxForm(
        code=",".join((*fields, f"{random.randrange(16**4):04X}")),
        office=f"{_region(document.seller)}税务局",
        seal=(document.seller.name or "", *seal),
        signed=tuple(SlipText(caption=caption, lines=(name,)) for caption, name in zip(_SIGNED, people, strict=True)),
        colour=random.choice(_COLOURS),
    )


def form_labels(document: Document, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of a page with the captions of the form in their places."""
    title = _SPECIAL_TITLE if _is_special(document) else _GENERAL_TITLE
    captions = {"title": title, **_CAPTIONS}
    return {name: captions.get(name, label) for name, label in labels.items()}


def _is_special(document: Document) -> bool:
    return document.buyer is not None and document.buyer.vat_identifier is not None


def _region(seller: Party) -> str:
    """Return the province of a company, or the city that is one."""
    address = seller.address
    if address is None:
        return "国家"
    return address.subdivision or f"{(address.city or '').split('市', maxsplit=1)[0]}市"
