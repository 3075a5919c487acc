"""The knobs of what a document says and how it is printed: labels, numbers, dates, parties, lines, taxes and totals."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.knob_fields import (
    A4_DOCUMENTS,
    A4_SALES,
    ALL_ELEMENTS,
    AMOUNTS,
    BILL_TYPES,
    HEADER_VALUES,
    ROWS,
    SALES,
    knob,
)
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element

_E = Element
_C = FailureCause
_D = DocumentType


class ContentKnobs(BaseModel):
    """The probability of each hard feature of content and print."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label_synonyms: float = knob(
        0.3, _C.MISSING_FIELD, HEADER_VALUES, "labels have rare wordings instead of the usual ones"
    )
    label_distance: float = knob(
        0.1,
        _C.MISSING_FIELD,
        HEADER_VALUES,
        "values are far from their labels, at the other side of the column",
        documents=A4_DOCUMENTS,
    )
    unlabelled_values: float = knob(
        0.08,
        _C.MISSING_FIELD,
        HEADER_VALUES,
        "dates, references and account numbers have no labels",
        documents=A4_DOCUMENTS,
    )
    card_slips: float = knob(
        0.25,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.TEXT),
        "receipts have the numbers of a card slip: masked card, terminal, authorisation and others",
        documents=(_D.RECEIPT,),
    )
    till_notices: float = knob(
        0.4,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.TEXT),
        "receipts end with points, opening hours and fiscal signatures",
        documents=(_D.RECEIPT,),
    )
    optional_fields: float = knob(
        0.6,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.TEXT, _E.DATE, _E.PARTY),
        "optional fields are present, each with its own probability",
        documents=SALES,
    )
    decoy_labels: float = knob(
        0.15,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.DATE),
        "labels of absent fields are printed without a value",
        documents=A4_SALES,
    )
    payment_codes: float = knob(
        0.2,
        _C.HALLUCINATED_FIELD,
        (_E.AMOUNT, _E.IDENTIFIER),
        "a QR code holds the payment's data: EPC, Swiss, Polish or UPI code, or the address of a page",
        documents=(_D.INVOICE,),
    )
    bar_codes: float = knob(
        0.1, _C.HALLUCINATED_FIELD, (_E.IDENTIFIER,), "a bar code stands above a number that is none of the document's"
    )
    confusable_identifiers: float = knob(
        0.2, _C.CHARACTER_CONFUSION, (_E.IDENTIFIER,), "identifiers consist of look-alike characters (O0 I1 S5 B8 Z2)"
    )
    long_amounts: float = knob(
        0.2,
        _C.DROPPED_OR_INSERTED_DIGIT,
        AMOUNTS,
        "large quantities, lump sums or transfers make amounts long",
        documents=A4_DOCUMENTS,
    )
    small_print: float = knob(0.15, _C.DROPPED_OR_INSERTED_DIGIT, ALL_ELEMENTS, "body text has 6.5 to 7.5 points")
    foreign_separators: float = knob(
        0.05, _C.DECIMAL_AND_THOUSANDS_SEPARATORS, AMOUNTS, "numbers have the separators of another country"
    )
    rare_grouping: float = knob(
        0.05,
        _C.DECIMAL_AND_THOUSANDS_SEPARATORS,
        AMOUNTS,
        "thousands are separated by apostrophes or narrow spaces, or not at all",
    )
    negative_amounts: float = knob(
        0.5, _C.SIGN, AMOUNTS, "the amounts of a credit note are negative", documents=(_D.CREDIT_NOTE,)
    )
    till_corrections: float = knob(
        0.2,
        _C.SIGN,
        (_E.LINE_ITEM, _E.LINE_AMOUNT),
        "receipts have lines below zero: discounts, returned goods and empties, and lines of deposits",
        documents=(_D.RECEIPT,),
    )
    sign_styles: float = knob(
        0.15,
        _C.SIGN,
        AMOUNTS,
        "negative amounts are marked by parentheses, a trailing minus, CR or DR",
        documents=(_D.CREDIT_NOTE, _D.BANK_STATEMENT),
    )
    ambiguous_currency: float = knob(
        0.1,
        _C.CURRENCY,
        AMOUNTS,
        "the currency is foreign and shown by a symbol that several currencies share, such as $",
        documents=BILL_TYPES,
    )
    dual_currency: float = knob(
        0.08,
        _C.CURRENCY,
        (_E.AMOUNT, _E.TAX),
        "the currency is foreign and the tax is also stated in the seller's own",
        documents=BILL_TYPES,
    )
    ambiguous_dates: float = knob(0.3, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "dates are numeric and no day is beyond 12")
    two_digit_years: float = knob(0.1, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "years have two digits")
    era_dates: float = knob(
        0.2, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "Japanese dates count years by era", languages=("ja",)
    )
    decoy_dates: float = knob(
        0.2,
        _C.DATE_ORDER,
        (_E.DATE,),
        "irrelevant dates are printed among those of the document",
        documents=A4_DOCUMENTS,
    )
    third_parties: float = knob(
        0.2, _C.PARTY_SWAP, (_E.PARTY, _E.ADDRESS), "a payee and a consignee are printed too", documents=BILL_TYPES
    )
    parties_side_by_side: float = knob(
        0.3, _C.PARTY_SWAP, (_E.PARTY, _E.ADDRESS), "all parties are in one row", documents=A4_SALES
    )
    many_lines: float = knob(0.15, _C.ROWS_MISSED_OR_DUPLICATED, ROWS, "the table has 15 to 60 lines")
    repeated_descriptions: float = knob(0.1, _C.ROWS_MISSED_OR_DUPLICATED, ROWS, "many lines have the same description")
    wrapped_descriptions: float = knob(0.2, _C.ROWS_MERGED_OR_SPLIT, ROWS, "descriptions are long enough to wrap")
    note_rows: float = knob(
        0.1, _C.ROWS_MERGED_OR_SPLIT, ROWS, "lines have notes in rows of their own", documents=A4_SALES
    )
    sub_items: float = knob(
        0.08, _C.ROWS_MERGED_OR_SPLIT, ROWS, "lines have indented rows without amounts below them", documents=A4_SALES
    )
    quantity_rows: float = knob(
        0.35,
        _C.ROWS_MERGED_OR_SPLIT,
        ROWS,
        "tills print quantity and price in a row below the item, and only if the quantity is not one",
        documents=(_D.RECEIPT,),
    )
    tax_codes: float = knob(
        0.4,
        _C.COLUMN_SHIFT,
        (_E.LINE_AMOUNT, _E.TAX),
        "a letter beside the amount of each line stands for its tax rate",
        documents=(_D.RECEIPT,),
        languages=("en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "zh", "ar"),
    )
    blank_cells: float = knob(
        0.1, _C.COLUMN_SHIFT, ROWS, "some cells of optional columns are blank", documents=A4_DOCUMENTS
    )
    borderless_tables: float = knob(0.3, _C.COLUMN_SHIFT, ROWS, "the table has neither rules nor shading")
    merged_headers: float = knob(
        0.08, _C.COLUMN_SHIFT, ROWS, "a second header row spans several columns", documents=A4_SALES
    )
    list_prices: float = knob(
        0.1,
        _C.NET_AND_GROSS_CONFUSION,
        (_E.LINE_AMOUNT,),
        "columns show the list price and the discount on it",
        documents=A4_SALES,
    )
    gross_columns: float = knob(
        0.1,
        _C.NET_AND_GROSS_CONFUSION,
        (_E.LINE_AMOUNT, _E.AMOUNT),
        "a column shows the amount of each line with tax",
        documents=A4_SALES,
    )
    several_rates: float = knob(
        0.3, _C.TAX_BREAKDOWN, (_E.TAX, _E.LINE_AMOUNT), "lines have different tax rates", documents=SALES
    )
    tax_exemptions: float = knob(
        0.1,
        _C.TAX_BREAKDOWN,
        (_E.TAX,),
        "the sale is exempt, reverse-charged, an export or an intra-community supply",
        documents=BILL_TYPES,
    )
    tax_inclusive_prices: float = knob(
        0.3, _C.TAX_BREAKDOWN, (_E.TAX, *AMOUNTS), "prices include tax", documents=(*BILL_TYPES, _D.RECEIPT)
    )
    discounts: float = knob(
        0.3, _C.ALLOWANCES_AND_CHARGES, (_E.AMOUNT,), "there is a discount on the whole document", documents=SALES
    )
    charges: float = knob(
        0.15, _C.ALLOWANCES_AND_CHARGES, (_E.AMOUNT,), "freight, packing or the like is charged", documents=A4_SALES
    )
    line_allowances: float = knob(
        0.1,
        _C.ALLOWANCES_AND_CHARGES,
        (_E.LINE_AMOUNT,),
        "lines have discounts or surcharges of their own",
        documents=A4_SALES,
    )
    prepayments: float = knob(
        0.15, _C.WRONG_TOTAL_CHOSEN, (_E.AMOUNT,), "part of the total is paid in advance", documents=(_D.INVOICE,)
    )
    prior_balances: float = knob(
        0.1,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT,),
        "the previous and the new balance are printed below the amount due",
        documents=(_D.INVOICE,),
    )
    repeated_totals: float = knob(
        0.3,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT, _E.TAX),
        "totals are printed even if another amount on the page already states them",
        documents=SALES,
    )
    cash_discounts: float = knob(
        0.1,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT, _E.DATE),
        "a discount for early payment has an amount and a date of its own",
        documents=(_D.INVOICE,),
    )
    several_pages: float = knob(
        0.08, _C.PAGE_JOIN, ROWS, "the table is long enough for several pages", documents=A4_DOCUMENTS
    )
    repeated_headers: float = knob(
        0.7, _C.PAGE_JOIN, ROWS, "each page repeats the table header", documents=A4_DOCUMENTS
    )
    carried_forward: float = knob(
        0.3, _C.PAGE_JOIN, (*ROWS, _E.AMOUNT), "pages carry a subtotal forward", documents=A4_DOCUMENTS
    )
    very_long_tables: float = knob(0.02, _C.OUTPUT_LENGTH, ROWS, "the table has 60 to 120 lines")
    bilingual_labels: float = knob(
        0.05,
        _C.SCRIPT_AND_DIRECTION,
        HEADER_VALUES,
        "labels also have their English wording",
        languages=("de", "fr", "es", "it", "nl", "pl", "pt", "sv", "ja", "zh", "ar"),
    )
    native_digits: float = knob(
        0.2,
        _C.SCRIPT_AND_DIRECTION,
        (_E.DATE, *AMOUNTS),
        "Arabic pages have Arabic-Indic digits, Japanese pages full-width ones",
        languages=("ar", "ja"),
    )
    reversed_print: float = knob(
        0.15, _C.DEGRADATION, (_E.LINE_ITEM, _E.AMOUNT), "table header and amount due are light on dark"
    )
