"""Derive from measures and ground truth which drawn values a document would have, had it been drawn here.

Real documents have no knobs. But mining compares failures by knobs, and plans turn knobs up. So each measure is
translated into the knobs whose feature it shows, and each value of the ground truth into the knobs that print such
values. A measure that several knobs change is given to all of them: mining reports them as inseparable.

`benchmarks/fitted_recipe.py` prints how well each rule finds the knobs of synthetic documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType

LARGE_AMOUNT = 100_000  # from which an amount is long
LEAST_MANY_LINES, LEAST_VERY_MANY_LINES = 15, 60  # as the knobs' descriptions say
LATEST_AMBIGUOUS_DAY = 12


@dataclass(frozen=True)
class MeasureRule:
    """A measure from which a feature is seen.

    Attributes:
        measure: name of the measure.
        weak: value from which the feature is there.
        strong: value from which it is at its strongest; below ``weak`` if small values show the feature.
        knobs: knobs that produce it.
    """

    measure: str
    weak: float
    strong: float
    knobs: tuple[str, ...]

    def strength(self, value: float) -> float:
        """Return the strength of the feature, from 0 (absent) or 0.3 (weak) to 1."""
        share = (value - self.weak) / (self.strong - self.weak)
        return 0.0 if share < 0 else round(min(1.0, 0.3 + 0.7 * share), 3)


MEASURE_RULES = (
    MeasureRule("skew", 0.9, 2.5, ("skew",)),
    MeasureRule("edge_width", 2.6, 4.5, ("blur", "low_resolution")),
    MeasureRule("noise", 3.0, 12.0, ("noise",)),
    MeasureRule("blockiness", 0.7, 2.0, ("jpeg",)),
    MeasureRule("unevenness", 60.0, 120.0, ("uneven_light", "shadow")),
    MeasureRule("surroundings", 0.03, 0.3, ("photo", "perspective")),
    MeasureRule("contrast", 70.0, 25.0, ("thermal_fade",)),
    MeasureRule("specks", 80.0, 300.0, ("fax", "dot_matrix")),
    MeasureRule("dark_share", 0.005, 0.03, ("reversed_print",)),
)

_Document = Mapping[str, Any]


def values_shown_by_measures(measures: Mapping[str, float]) -> dict[str, float]:
    """Return the strength of each knob whose feature measures of a page can show, 0 where it is absent."""
    found: dict[str, float] = {}
    for rule in MEASURE_RULES:
        for knob in rule.knobs:
            found[knob] = max(found.get(knob, 0.0), rule.strength(measures[rule.measure]))
    return found


def values_shown_by_truth(document: _Document) -> dict[str, float]:
    """Return type, locale, and the knobs whose feature the values of a document's ground truth show or rule out.

    Args:
        document: values in the schema of documents, or a part of it. Knobs of parts that it lacks are left out.
    """
    found: dict[str, float] = {}
    document_type, locale = document.get("document_type"), document.get("locale")
    if document_type in set(DocumentType):
        found[f"type:{document_type}"] = 1.0
    if locale in LOCALE_FACTS:
        found[f"locale:{locale}"] = 1.0
    for name, rule in _TRUTH_RULES.items():
        shown = rule(document)
        if shown is not None:
            found[name] = float(shown)
    return found


def _rows(document: _Document) -> list[Any] | None:
    rows = document.get("lines") or document.get("entries")
    return list(rows) if isinstance(rows, list | tuple) and rows else None


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None


def _total(document: _Document, name: str) -> Decimal | None:
    totals = document.get("totals")
    return _number(totals.get(name)) if isinstance(totals, Mapping) else None


def _lines_from(least: int, below: int | None = None) -> Callable[[_Document], bool | None]:
    def shown(document: _Document) -> bool | None:
        rows = _rows(document)
        return None if rows is None else len(rows) >= least and (below is None or len(rows) < below)

    return shown


def _repeated_descriptions(document: _Document) -> bool | None:
    rows = _rows(document)
    if rows is None:
        return None
    names = [row.get("item_name") or row.get("description") for row in rows if isinstance(row, Mapping)]
    return len(names) > 2 and len(set(names)) <= len(names) / 2


def _long_amounts(document: _Document) -> bool | None:
    due = _total(document, "amount_due")
    return None if due is None else abs(due) >= LARGE_AMOUNT


def _negative_amounts(document: _Document) -> bool | None:
    due = _total(document, "amount_due")
    is_credit = document.get("document_type") == DocumentType.CREDIT_NOTE
    return None if due is None or not is_credit else due < 0


def _several_rates(document: _Document) -> bool | None:
    taxes = document.get("vat_breakdown")
    if not taxes:
        return None
    return len({str(tax.get("rate")) for tax in taxes if isinstance(tax, Mapping)}) > 1


def _tax_exemptions(document: _Document) -> bool | None:
    taxes = document.get("vat_breakdown")
    if not taxes:
        return None
    return any(tax.get("category", "S") not in ("S", "Z") for tax in taxes if isinstance(tax, Mapping))


def _in_lines(*names: str) -> Callable[[_Document], bool | None]:
    def shown(document: _Document) -> bool | None:
        rows = _rows(document) if document.get("lines") else None
        if rows is None:
            return None
        return any(row.get(name) is not None for row in rows if isinstance(row, Mapping) for name in names)

    return shown


def _has(name: str) -> Callable[[_Document], bool | None]:
    # Only of documents with totals: ground truth of a few fields says nothing of the others.
    return lambda document: bool(document.get(name)) if document.get("totals") else None


def _prepayments(document: _Document) -> bool | None:
    paid = _total(document, "paid_amount")
    return bool(paid) if document.get("totals") and document.get("document_type") == DocumentType.INVOICE else None


def _ambiguous_dates(document: _Document) -> bool | None:
    date = str(document.get("issue_date") or "")
    return int(date[8:10]) <= LATEST_AMBIGUOUS_DAY if len(date) == len("2020-01-01") and date[8:].isdigit() else None


def _foreign_currency(document: _Document) -> bool | None:
    locale, currency = document.get("locale"), document.get("currency_code")
    if locale not in LOCALE_FACTS or not currency:
        return None
    return currency != LOCALE_FACTS[str(locale)].currency_code


def _third_parties(document: _Document) -> bool | None:
    if not document.get("seller"):
        return None
    return bool(document.get("payee") or document.get("ship_to"))


_TRUTH_RULES: dict[str, Callable[[_Document], bool | None]] = {
    "many_lines": _lines_from(LEAST_MANY_LINES, LEAST_VERY_MANY_LINES + 1),
    "very_long_tables": _lines_from(LEAST_VERY_MANY_LINES + 1),
    "repeated_descriptions": _repeated_descriptions,
    "long_amounts": _long_amounts,
    "negative_amounts": _negative_amounts,
    "several_rates": _several_rates,
    "tax_exemptions": _tax_exemptions,
    "tax_inclusive_prices": _in_lines("price_with_vat"),
    "line_allowances": _in_lines("allowance_amount", "charge_amount"),
    "list_prices": _in_lines("gross_price"),
    "note_rows": _in_lines("note"),
    "discounts": _has("allowances"),
    "charges": _has("charges"),
    "cash_discounts": _has("cash_discount"),
    "prepayments": _prepayments,
    "ambiguous_dates": _ambiguous_dates,
    "ambiguous_currency": _foreign_currency,
    "third_parties": _third_parties,
}
TRUTH_KNOBS = tuple(_TRUTH_RULES)
