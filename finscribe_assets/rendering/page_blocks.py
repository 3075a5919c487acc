"""The printed rows outside a document's table: header, payment, totals and balances, each a label and its value.

Templates print these rows and `text_fitting` measures them, so that what is measured is what is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from finscribe_assets.documents.captions import HEADER_FIELDS, PAYMENT_FIELDS
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.receipt_drawing import tax_code_key

BANK_FIELDS = ("bank_name", "payment_account", "bank_identifier")
_TAX_AND_TOTAL = ("total_vat", "exchange_rate", "total_vat_accounting", "total_with_vat")
_BEFORE_DUE = ("paid_amount", "rounding_amount")
_AFTER_DUE = ("tip_amount", "tendered_amount", "change_amount", "previous_balance", "account_balance")
# What separates a label from the value beside it, by language.
_COLONS = {"fr": "\u00a0:", "ja": "：", "zh": "：", "ar": " :"}

TextAndField = tuple[str, str | None]  # a text, and the path of the field printed after it


@dataclass(frozen=True)
class BlockRow:
    """A label, which may contain values itself, and the value beside or below it."""

    label: tuple[TextAndField, ...]
    value: tuple[TextAndField, ...]
    style: str = ""  # CSS class: "due" for the amount due, "reason" for a text without a value
    colon: str = ""  # follows a label that stands beside its value


class Blocks:
    """The rows of one document, block by block."""

    def __init__(self, drawn: DrawnDocument) -> None:
        """Keep what all rows need of the document."""
        self._drawn, self._look, self._printed = drawn, drawn.presentation, drawn.printed
        language = LOCALE_FACTS[drawn.document.locale].language
        self._colon = _COLONS.get(language, ":") if self._look.style.labels == "colon" else ""

    def header(self) -> tuple[BlockRow, ...]:
        """Return numbers, dates and references, and the decoys among them."""
        decoys = [self._row(decoy.label, (decoy.text, None)) for decoy in self._look.decoys]
        return (*self._named(HEADER_FIELDS), *decoys)

    def payment(self, paths: Sequence[str] = PAYMENT_FIELDS) -> tuple[BlockRow, ...]:
        """Return payment terms, means and account, or those of ``paths`` alone, and a cash discount."""
        slip = [self._row(decoy.label, (decoy.text, None)) for decoy in self._look.slip]
        return (*self._named(paths), *slip, *(self._cash_discount() if paths != BANK_FIELDS else ()))

    def bank(self) -> tuple[BlockRow, ...]:
        """Return the bank account alone."""
        return self.payment(BANK_FIELDS)

    def terms(self) -> tuple[BlockRow, ...]:
        """Return payment terms and means without the bank account."""
        return self.payment([path for path in PAYMENT_FIELDS if path not in BANK_FIELDS])

    def totals(self) -> tuple[BlockRow, ...]:
        """Return the totals, from the sum of the lines to the amount due and what follows it."""
        document = self._drawn.document
        in_capitals = []
        if self._look.amount_in_capitals:
            in_capitals = [self._row("价税合计(大写)", (self._look.amount_in_capitals, None))]
        in_words = []
        if self._look.amount_in_words:
            in_words = [BlockRow(((f"Amount in words: {self._look.amount_in_words}", None),), (), "reason")]
        return (
            *self._labelled("totals.sum_of_line_net_amounts"),
            *self._reasons("allowances", len(document.allowances)),
            *self._labelled("totals.allowance_total"),
            *self._reasons("charges", len(document.charges)),
            *self._labelled("totals.charge_total", "totals.total_without_vat"),
            *self._tax(),
            *self._labelled(*(name if name == "exchange_rate" else f"totals.{name}" for name in _TAX_AND_TOTAL)),
            *in_capitals,
            *self._labelled(*(f"totals.{name}" for name in _BEFORE_DUE)),
            *self._due("totals.amount_due"),
            *self._labelled(*(f"totals.{name}" for name in _AFTER_DUE)),
            *in_words,
        )

    def balances(self) -> tuple[BlockRow, ...]:
        """Return a bank statement's balances and sums."""
        sums = self._labelled("statement.opening_balance", "statement.total_credits", "statement.total_debits")
        return (*sums, *self._due("statement.closing_balance"))

    def _row(self, label: str, value: TextAndField, style: str = "") -> BlockRow:
        return BlockRow(((label, None),) if label else (), (value,), style, self._colon if label else "")

    def _labelled(self, *paths: str) -> Iterator[BlockRow]:
        """Yield a row for each of the fields that is printed."""
        for path in paths:
            if path in self._printed:
                label = self._look.labels[path]
                if path == "totals.total_vat_accounting":  # such as "VAT in"
                    label = f"{label} {self._drawn.document.vat_accounting_currency_code}"
                yield self._row(label, ("", path))

    def _named(self, paths: Sequence[str]) -> Iterator[BlockRow]:
        """Yield rows of the header or the payment block, whose labels some documents omit."""
        beside_date = self._look.style.time_beside_date and "issue_time" in self._printed
        for row in self._labelled(*(path for path in paths if not (beside_date and path == "issue_time"))):
            value = row.value
            if beside_date and value == (("", "issue_date"),):
                value = (*value, (" ", "issue_time"))
            yield replace(row, label=() if self._look.unlabelled else row.label, value=value)

    def _due(self, path: str) -> Iterator[BlockRow]:
        yield self._row(self._look.labels[path], ("", path), "due")

    def _cash_discount(self) -> Iterator[BlockRow]:
        if "cash_discount.percentage" in self._printed:
            label = (
                (f"{self._look.labels['cash_discount']} ", "cash_discount.percentage"),
                (f" {self._look.labels['until']} ", "cash_discount.until"),
            )
            amount = (("", "cash_discount.amount"),) if "cash_discount.amount" in self._printed else ()
            yield BlockRow(label, amount)

    def _reasons(self, group: str, count: int) -> Iterator[BlockRow]:
        """Yield the allowances or charges, with their reasons as labels."""
        for index in range(count):
            path = f"{group}[{index}]"
            percentage: tuple[TextAndField, ...] = ()
            if f"{path}.percentage" in self._printed:
                percentage = ((" ", f"{path}.percentage"),)
            yield BlockRow((("", f"{path}.reason"), *percentage), (("", f"{path}.amount"),))

    def _tax(self) -> Iterator[BlockRow]:
        """Yield the VAT breakdown, a row for each rate, and the reasons of exemptions."""
        labels = self._look.labels
        for index, share in enumerate(self._drawn.document.vat_breakdown):
            path = f"vat_breakdown[{index}]"
            tax = labels[f"vat_breakdown.{share.tax_name}" if share.tax_name else "vat_breakdown"]
            code = self._look.tax_codes.get(tax_code_key(share.rate), "")
            tax = f"{code} {tax}" if code else tax
            label = ((f"{tax} ", f"{path}.rate"), (f" {labels['on']} ", f"{path}.taxable_amount"))
            yield BlockRow(label, (("", f"{path}.tax_amount"),))
            if f"{path}.exemption_reason" in self._printed:
                yield BlockRow((("", f"{path}.exemption_reason"),), (), "reason")
