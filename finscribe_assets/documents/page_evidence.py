"""Find what a page's print determines besides its printed values, and which printed values nothing on it identifies.

The currency, the type of the document and the names of taxes are not printed as values of their own. Other print
determines them: a code or a symbol beside an amount, the title, the label of a tax. Evidence for such a value is the
group of printed fields that together determine it; where they are, the value can be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeAlias

from finscribe_assets.documents.captions import HEADER_FIELDS, PAYMENT_FIELDS
from finscribe_assets.documents.currency_marks import currencies_of
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.wordings import labels_of

Evidence: TypeAlias = tuple[str, ...]
"""Paths of printed fields that together determine a value; empty if the title of the first page does."""

ACCOUNTING_AMOUNT = "totals.total_vat_accounting"  # printed in the accounting currency
# Values whose own form says what they are, without a label. Accounts and BICs do where a country has IBANs.
_SELF_EVIDENT = frozenset({"payment_terms", "payment_means", "bank_name"})
_IBAN_FIELDS = frozenset({"payment_account", "bank_identifier", "statement.account_number"})


def determined_values(drawn: DrawnDocument, legible: Collection[str]) -> dict[str, list[Evidence]]:
    """Return the evidence for each value that the page determines without printing it as a value of its own.

    Args:
        drawn: the document.
        legible: paths of the printed fields that can be read.

    Returns:
        By field path, one or more alternatives. A value without evidence is undetermined and not in the mapping.
    """
    document, printed = drawn.document, {path: text for path, text in drawn.printed.items() if path in legible}
    evidence: dict[str, list[Evidence]] = {}
    # The title has no box, so that damage to it is unknown. It stands near the number, whose label says the type too.
    if "document_number" in printed:
        evidence["document_type"] = [()]
    for path, text in printed.items():
        if value_type_of(path) is not ValueType.AMOUNT:
            continue
        field, currency = "currency_code", document.currency_code
        if path == ACCOUNTING_AMOUNT:
            field, currency = "vat_accounting_currency_code", document.vat_accounting_currency_code or ""
        if (found := _currency_evidence(drawn, path, text, currency, legible)) is not None:
            evidence.setdefault(field, []).append(found)
    for index, share in enumerate(document.vat_breakdown):
        rate = f"vat_breakdown[{index}].rate"
        if share.tax_name and rate in printed and _label_names_tax(drawn, share.tax_name):
            evidence[f"vat_breakdown[{index}].tax_name"] = [(rate,)]
    return evidence


def askable_fields(drawn: DrawnDocument, illegible: Collection[str] = ()) -> frozenset[str]:
    """Return the fields that may be asked of a document: those that it prints, and those that its print determines."""
    legible = drawn.printed.keys() - set(illegible)
    return frozenset(drawn.printed) | frozenset(determined_values(drawn, legible))


def expected_fields(drawn: DrawnDocument, illegible: Collection[str] = ()) -> frozenset[str]:
    """Return the fields that a reader of the pages is expected to predict.

    They are those that can be asked, without illegible ones and those that nothing on the page identifies.
    """
    return askable_fields(drawn, illegible) - set(illegible) - unidentified_fields(drawn)


def _currency_evidence(
    drawn: DrawnDocument, path: str, text: str, currency: str, legible: Collection[str]
) -> Evidence | None:
    """Return what determines the currency of an amount: its print, for a shared symbol with the seller's address.

    A symbol that several currencies share means that of the seller's country. Where it means another one, as the
    `ambiguous_currency` knob has it, nothing on the page says so: the currency is undetermined.
    """
    meant = currencies_of(text)
    if len(meant) > 1 and currency in meant:
        country = "seller.address.city"
        is_domestic = currency == LOCALE_FACTS[drawn.document.locale].currency_code
        return (path, country) if is_domestic and country in legible else None
    return (path,) if meant == (currency,) else None


def _label_names_tax(drawn: DrawnDocument, tax_name: str) -> bool:
    """Return whether the label of a tax says which one it is; "incl. tax" does not."""
    key = f"vat_breakdown.{tax_name}"
    return drawn.presentation.labels.get(key) in labels_of(drawn.document.locale)[key]


def unidentified_fields(drawn: DrawnDocument) -> frozenset[str]:
    """Return the printed fields that a reader cannot name, as the page has no label for them.

    Only pages with `Presentation.unlabelled` have such fields. Of their header and payment details, a sentence, a bank
    and an IBAN say what they are. A single date is the date of issue, and a single number is that of the document.
    """
    if not drawn.presentation.unlabelled:
        return frozenset()
    return frozenset(
        _unidentified([path for path in (*HEADER_FIELDS, *PAYMENT_FIELDS) if path in drawn.printed], drawn)
    )


def _unidentified(paths: list[str], drawn: DrawnDocument) -> Iterator[str]:
    has_iban = LOCALE_FACTS[drawn.document.locale].iban_country is not None
    unclear = [path for path in paths if path not in _SELF_EVIDENT and not (has_iban and path in _IBAN_FIELDS)]
    for path in unclear:
        alike = [other for other in unclear if value_type_of(other) is value_type_of(path)]
        if alike != [path] or path not in ("issue_date", "document_number"):
            yield path
