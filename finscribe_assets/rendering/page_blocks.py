"""What a page prints outside its table, row by row: header, payment, totals and balances, each value with its label.

Templates print these rows; `fitting.py` measures them. Both go by the same ones, so that what is measured is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finscribe_assets.documents.captions import HEADER_FIELDS, PAYMENT_FIELDS
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS

BANK = ("bank_name", "payment_account", "bank_identifier")
_BEFORE_DUE = ("total_vat", "exchange_rate", "total_vat_accounting", "total_with_vat", "paid_amount", "rounding_amount")
_AFTER_DUE = ("tip_amount", "tendered_amount", "change_amount", "previous_balance", "account_balance")
# What stands between a label and its value, by language.
_COLONS = {"fr": "\u00a0:", "ja": "：", "zh": "：", "ar": " :"}

Piece = tuple[str, str | None]  # a text, and the path of the field after it


@dataclass(frozen=True)
class BlockRow:
    """One label, which may hold values of its own, and the value beside it or below it."""

    label: tuple[Piece, ...]
    value: tuple[Piece, ...]
    style: str = ""  # CSS class: due for the amount that the document comes to, reason for text without a value
    colon: str = ""  # after a label that stands beside its value


class Blocks:
    """The rows of one document."""

    def __init__(self, drawn: DrawnDocument) -> None:
        """Take what all rows need of the document."""
        self._drawn, self._look, self._printed = drawn, drawn.presentation, drawn.printed
        language = LOCALE_FACTS[drawn.document.locale].language
        self._colon = _COLONS.get(language, ":") if self._look.style.labels == "colon" else ""

    def header(self) -> tuple[BlockRow, ...]:
        """Return dates, references and what stands among them that nobody asks for."""
        decoys = [self._row(decoy.label, (decoy.text, None)) for decoy in self._look.decoys]
        return (*self._named(HEADER_FIELDS), *decoys)

    def payment(self, paths: Sequence[str] = PAYMENT_FIELDS) -> tuple[BlockRow, ...]:
        """Return terms, means and account, or some of them."""
        return (*self._named(paths), *(self._cash_discount() if paths != BANK else ()))

    def bank(self) -> tuple[BlockRow, ...]:
        """Return the account alone."""
        return self.payment(BANK)

    def terms(self) -> tuple[BlockRow, ...]:
        """Return how and when to pay, without the account."""
        return self.payment([path for path in PAYMENT_FIELDS if path not in BANK])

    def totals(self) -> tuple[BlockRow, ...]:
        """Return what the lines come to, step by step."""
        document = self._drawn.document
        return tuple(
            row
            for rows in (
                self._labelled("totals.sum_of_line_net_amounts"),
                self._reasons("allowances", len(document.allowances)),
                self._labelled("totals.allowance_total"),
                self._reasons("charges", len(document.charges)),
                self._labelled("totals.charge_total", "totals.total_without_vat"),
                self._tax(),
                self._labelled(*(name if name == "exchange_rate" else f"totals.{name}" for name in _BEFORE_DUE)),
                self._due("totals.amount_due"),
                self._labelled(*(f"totals.{name}" for name in _AFTER_DUE)),
            )
            for row in rows
        )

    def balances(self) -> tuple[BlockRow, ...]:
        """Return a statement's balances and sums."""
        sums = self._labelled("statement.opening_balance", "statement.total_credits", "statement.total_debits")
        return (*sums, *self._due("statement.closing_balance"))

    def _row(self, label: str, value: Piece, style: str = "") -> BlockRow:
        return BlockRow(((label, None),) if label else (), (value,), style, self._colon if label else "")

    def _labelled(self, *paths: str) -> Iterator[BlockRow]:
        for path in paths:
            if path in self._printed:
                yield self._row(self._look.labels[path], ("", path))

    def _named(self, paths: Sequence[str]) -> Iterator[BlockRow]:
        """Yield dates, references and the account, whose labels some documents leave out."""
        for row in self._labelled(*paths):
            yield BlockRow((), row.value) if self._look.unlabelled else row

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
        for index in range(count):
            one = f"{group}[{index}]."
            share: tuple[Piece, ...] = ((" ", f"{one}percentage"),) if f"{one}percentage" in self._printed else ()
            yield BlockRow((("", f"{one}reason"), *share), (("", f"{one}amount"),))

    def _tax(self) -> Iterator[BlockRow]:
        labels = self._look.labels
        for index, share in enumerate(self._drawn.document.vat_breakdown):
            one = f"vat_breakdown[{index}]."
            tax = labels[f"vat_breakdown.{share.tax_name}" if share.tax_name else "vat_breakdown"]
            label = ((f"{tax} ", f"{one}rate"), (f" {labels['on']} ", f"{one}taxable_amount"))
            yield BlockRow(label, (("", f"{one}tax_amount"),))
            if f"{one}exemption_reason" in self._printed:
                yield BlockRow((("", f"{one}exemption_reason"),), (), "reason")
