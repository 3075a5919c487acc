"""The knobs of a recipe: one number for each way in which readers fail, which makes documents harder in just that way.

A knob is the probability, from 0 to 1, that a document has its feature. The features of damage knobs also have a random
strength. Each document stores the values that took effect under the same names. Mining compares error rates by them,
probes set them one by one, and plans turn up those that a reader fails by.

To add a knob:

1. Add a field to `Knobs`, next to the knobs of the same cause: its default, the cause that it targets, the elements
   that it makes harder to read, a description, and the document types and languages to which it can apply. If it
   damages pixels, add its name to `DAMAGE_KNOBS`. If no cause in `failure_causes.py` fits, add one there.
2. If the knob excludes another one, or cannot apply to some documents for a reason that its field does not state, add
   the rule to `EXCLUSIVE_KNOBS` or `draw_knobs` in `document_outline.py`.
3. Draw the feature, where ``knobs["name"]`` is read: header fields in `header_drawing.py`, lines in `line_drawing.py`,
   totals and taxes in `settlement.py`, entries in `statements.py`, columns in `vendor_habits.py`, other content in
   `document_drawing.py`. For a feature of the page, add a field to `Presentation` in `drawn_document.py`, set it in
   `presentation_drawing.py`, and follow it in `rendering/page_html.py` and the templates. For damage, add a function to
   the chain in `rendering/damage/chain.py`.
4. In `finscribe_assets_tests/documents/test_knobs.py`, say in `SHOWS` how a document shows the feature. The test turns
   every knob from 0 to 1, and fails for a knob that it does not know.
5. Raise `GENERATOR_VERSION` in `document_batch.py`: a new field changes the random numbers that later knobs get. Raise
   `RENDERER_VERSION` in `rendering/page_batch.py` if existing documents look different.
6. Add the name to `_UNKNOWN_KNOBS` in `pretraining/base_recipe.py`, unless the embedded base is pretrained anew: its
   recipe has every other knob at its default.
7. Run ``finscribe schema --markdown > docs/data-dictionary.md``.

The generator, plans and mining find the knob by its field; they need no changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element

_E = Element
_C = FailureCause
_D = DocumentType

# The elements that knobs make harder to read.
_HEADER_VALUES = (_E.IDENTIFIER, _E.DATE, _E.AMOUNT)
_AMOUNTS = (_E.AMOUNT, _E.LINE_AMOUNT, _E.TAX, _E.ENTRY_AMOUNT)
_ROWS = (_E.LINE_ITEM, _E.LINE_AMOUNT, _E.ENTRY, _E.ENTRY_AMOUNT)
_ALL_ELEMENTS = tuple(Element)

# The document types to which knobs can apply.
_BILLS = (_D.INVOICE, _D.CREDIT_NOTE)
_SALES = (*_BILLS, _D.RECEIPT, _D.PURCHASE_ORDER)
_A4_SALES = (*_BILLS, _D.PURCHASE_ORDER)
_A4_DOCUMENTS = (*_A4_SALES, _D.BANK_STATEMENT)


def _knob(
    default: float,
    cause: FailureCause,
    elements: tuple[Element, ...],
    description: str,
    *,
    documents: tuple[DocumentType, ...] = tuple(DocumentType),
    languages: tuple[str, ...] = (),
) -> Any:
    """Declare a knob. Its metadata is part of the published JSON schema of recipes; `KNOB_FACTS` reads it back."""
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


class Knobs(BaseModel):
    """The probability of each hard feature, from 0 (never) to 1 (always)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label_synonyms: float = _knob(
        0.3, _C.MISSING_FIELD, _HEADER_VALUES, "labels have rare wordings instead of the usual ones"
    )
    label_distance: float = _knob(
        0.1,
        _C.MISSING_FIELD,
        _HEADER_VALUES,
        "values are far from their labels, at the other side of the column",
        documents=_A4_DOCUMENTS,
    )
    unlabelled_values: float = _knob(
        0.08,
        _C.MISSING_FIELD,
        _HEADER_VALUES,
        "dates, references and account numbers have no labels",
        documents=_A4_DOCUMENTS,
    )
    card_slips: float = _knob(
        0.25,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.TEXT),
        "receipts have the numbers of a card slip: masked card, terminal, authorisation and others",
        documents=(_D.RECEIPT,),
    )
    till_notices: float = _knob(
        0.4,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.TEXT),
        "receipts end with points, opening hours and fiscal signatures",
        documents=(_D.RECEIPT,),
    )
    optional_fields: float = _knob(
        0.6,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.TEXT, _E.DATE, _E.PARTY),
        "optional fields are present, each with its own probability",
        documents=_SALES,
    )
    decoy_labels: float = _knob(
        0.15,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.DATE),
        "labels of absent fields are printed without a value",
        documents=_A4_SALES,
    )
    payment_codes: float = _knob(
        0.2,
        _C.HALLUCINATED_FIELD,
        (_E.AMOUNT, _E.IDENTIFIER),
        "a QR code holds the payment's data: EPC, Swiss, Polish or UPI code, or the address of a page",
        documents=(_D.INVOICE,),
    )
    bar_codes: float = _knob(
        0.1, _C.HALLUCINATED_FIELD, (_E.IDENTIFIER,), "a bar code stands above a number that is none of the document's"
    )
    confusable_identifiers: float = _knob(
        0.2, _C.CHARACTER_CONFUSION, (_E.IDENTIFIER,), "identifiers consist of look-alike characters (O0 I1 S5 B8 Z2)"
    )
    long_amounts: float = _knob(
        0.2,
        _C.DROPPED_OR_INSERTED_DIGIT,
        _AMOUNTS,
        "large quantities, lump sums or transfers make amounts long",
        documents=_A4_DOCUMENTS,
    )
    small_print: float = _knob(0.15, _C.DROPPED_OR_INSERTED_DIGIT, _ALL_ELEMENTS, "body text has 6.5 to 7.5 points")
    foreign_separators: float = _knob(
        0.05, _C.DECIMAL_AND_THOUSANDS_SEPARATORS, _AMOUNTS, "numbers have the separators of another country"
    )
    rare_grouping: float = _knob(
        0.05,
        _C.DECIMAL_AND_THOUSANDS_SEPARATORS,
        _AMOUNTS,
        "thousands are separated by apostrophes or narrow spaces, or not at all",
    )
    negative_amounts: float = _knob(
        0.5, _C.SIGN, _AMOUNTS, "the amounts of a credit note are negative", documents=(_D.CREDIT_NOTE,)
    )
    till_corrections: float = _knob(
        0.2,
        _C.SIGN,
        (_E.LINE_ITEM, _E.LINE_AMOUNT),
        "receipts have lines below zero: discounts, returned goods and empties, and lines of deposits",
        documents=(_D.RECEIPT,),
    )
    sign_styles: float = _knob(
        0.15,
        _C.SIGN,
        _AMOUNTS,
        "negative amounts are marked by parentheses, a trailing minus, CR or DR",
        documents=(_D.CREDIT_NOTE, _D.BANK_STATEMENT),
    )
    ambiguous_currency: float = _knob(
        0.1,
        _C.CURRENCY,
        _AMOUNTS,
        "the currency is foreign and shown by a symbol that several currencies share, such as $",
        documents=_BILLS,
    )
    dual_currency: float = _knob(
        0.08,
        _C.CURRENCY,
        (_E.AMOUNT, _E.TAX),
        "the currency is foreign and the tax is also stated in the seller's own",
        documents=_BILLS,
    )
    ambiguous_dates: float = _knob(0.3, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "dates are numeric and no day is beyond 12")
    two_digit_years: float = _knob(0.1, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "years have two digits")
    era_dates: float = _knob(
        0.2, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "Japanese dates count years by era", languages=("ja",)
    )
    decoy_dates: float = _knob(
        0.2,
        _C.DATE_ORDER,
        (_E.DATE,),
        "irrelevant dates are printed among those of the document",
        documents=_A4_DOCUMENTS,
    )
    third_parties: float = _knob(
        0.2, _C.PARTY_SWAP, (_E.PARTY, _E.ADDRESS), "a payee and a consignee are printed too", documents=_BILLS
    )
    parties_side_by_side: float = _knob(
        0.3, _C.PARTY_SWAP, (_E.PARTY, _E.ADDRESS), "all parties are in one row", documents=_A4_SALES
    )
    many_lines: float = _knob(0.15, _C.ROWS_MISSED_OR_DUPLICATED, _ROWS, "the table has 15 to 60 lines")
    repeated_descriptions: float = _knob(
        0.1, _C.ROWS_MISSED_OR_DUPLICATED, _ROWS, "many lines have the same description"
    )
    wrapped_descriptions: float = _knob(0.2, _C.ROWS_MERGED_OR_SPLIT, _ROWS, "descriptions are long enough to wrap")
    note_rows: float = _knob(
        0.1, _C.ROWS_MERGED_OR_SPLIT, _ROWS, "lines have notes in rows of their own", documents=_A4_SALES
    )
    sub_items: float = _knob(
        0.08, _C.ROWS_MERGED_OR_SPLIT, _ROWS, "lines have indented rows without amounts below them", documents=_A4_SALES
    )
    quantity_rows: float = _knob(
        0.35,
        _C.ROWS_MERGED_OR_SPLIT,
        _ROWS,
        "tills print quantity and price in a row below the item, and only if the quantity is not one",
        documents=(_D.RECEIPT,),
    )
    tax_codes: float = _knob(
        0.4,
        _C.COLUMN_SHIFT,
        (_E.LINE_AMOUNT, _E.TAX),
        "a letter beside the amount of each line stands for its tax rate",
        documents=(_D.RECEIPT,),
        languages=("en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "zh", "ar"),
    )
    blank_cells: float = _knob(
        0.1, _C.COLUMN_SHIFT, _ROWS, "some cells of optional columns are blank", documents=_A4_DOCUMENTS
    )
    borderless_tables: float = _knob(0.3, _C.COLUMN_SHIFT, _ROWS, "the table has neither rules nor shading")
    merged_headers: float = _knob(
        0.08, _C.COLUMN_SHIFT, _ROWS, "a second header row spans several columns", documents=_A4_SALES
    )
    list_prices: float = _knob(
        0.1,
        _C.NET_AND_GROSS_CONFUSION,
        (_E.LINE_AMOUNT,),
        "columns show the list price and the discount on it",
        documents=_A4_SALES,
    )
    gross_columns: float = _knob(
        0.1,
        _C.NET_AND_GROSS_CONFUSION,
        (_E.LINE_AMOUNT, _E.AMOUNT),
        "a column shows the amount of each line with tax",
        documents=_A4_SALES,
    )
    several_rates: float = _knob(
        0.3, _C.TAX_BREAKDOWN, (_E.TAX, _E.LINE_AMOUNT), "lines have different tax rates", documents=_SALES
    )
    tax_exemptions: float = _knob(
        0.1,
        _C.TAX_BREAKDOWN,
        (_E.TAX,),
        "the sale is exempt, reverse-charged, an export or an intra-community supply",
        documents=_BILLS,
    )
    tax_inclusive_prices: float = _knob(
        0.3, _C.TAX_BREAKDOWN, (_E.TAX, *_AMOUNTS), "prices include tax", documents=(*_BILLS, _D.RECEIPT)
    )
    discounts: float = _knob(
        0.3, _C.ALLOWANCES_AND_CHARGES, (_E.AMOUNT,), "there is a discount on the whole document", documents=_SALES
    )
    charges: float = _knob(
        0.15, _C.ALLOWANCES_AND_CHARGES, (_E.AMOUNT,), "freight, packing or the like is charged", documents=_A4_SALES
    )
    line_allowances: float = _knob(
        0.1,
        _C.ALLOWANCES_AND_CHARGES,
        (_E.LINE_AMOUNT,),
        "lines have discounts or surcharges of their own",
        documents=_A4_SALES,
    )
    prepayments: float = _knob(
        0.15, _C.WRONG_TOTAL_CHOSEN, (_E.AMOUNT,), "part of the total is paid in advance", documents=(_D.INVOICE,)
    )
    prior_balances: float = _knob(
        0.1,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT,),
        "the previous and the new balance are printed below the amount due",
        documents=(_D.INVOICE,),
    )
    repeated_totals: float = _knob(
        0.3,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT, _E.TAX),
        "totals are printed even if another amount on the page already states them",
        documents=_SALES,
    )
    cash_discounts: float = _knob(
        0.1,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT, _E.DATE),
        "a discount for early payment has an amount and a date of its own",
        documents=(_D.INVOICE,),
    )
    several_pages: float = _knob(
        0.08, _C.PAGE_JOIN, _ROWS, "the table is long enough for several pages", documents=_A4_DOCUMENTS
    )
    repeated_headers: float = _knob(
        0.7, _C.PAGE_JOIN, _ROWS, "each page repeats the table header", documents=_A4_DOCUMENTS
    )
    carried_forward: float = _knob(
        0.3, _C.PAGE_JOIN, (*_ROWS, _E.AMOUNT), "pages carry a subtotal forward", documents=_A4_DOCUMENTS
    )
    very_long_tables: float = _knob(0.02, _C.OUTPUT_LENGTH, _ROWS, "the table has 60 to 120 lines")
    bilingual_labels: float = _knob(
        0.05,
        _C.SCRIPT_AND_DIRECTION,
        _HEADER_VALUES,
        "labels also have their English wording",
        languages=("de", "fr", "es", "it", "nl", "pl", "pt", "sv", "ja", "zh", "ar"),
    )
    native_digits: float = _knob(
        0.2,
        _C.SCRIPT_AND_DIRECTION,
        (_E.DATE, *_AMOUNTS),
        "Arabic pages have Arabic-Indic digits, Japanese pages full-width ones",
        languages=("ar", "ja"),
    )
    reversed_print: float = _knob(
        0.15, _C.DEGRADATION, (_E.LINE_ITEM, _E.AMOUNT), "table header and amount due are light on dark"
    )
    stamp: float = _knob(0.05, _C.OCCLUSION, _ALL_ELEMENTS, "a rubber stamp covers part of the page")
    signature: float = _knob(0.05, _C.OCCLUSION, _ALL_ELEMENTS, "a signature crosses the print")
    handwritten_note: float = _knob(0.04, _C.OCCLUSION, _ALL_ELEMENTS, "the page has a handwritten note")
    highlighter: float = _knob(0.04, _C.OCCLUSION, _ALL_ELEMENTS, "values are highlighted with a marker pen")
    pen_ring: float = _knob(0.04, _C.OCCLUSION, _ALL_ELEMENTS, "values are ringed with a ballpoint pen")
    watermark: float = _knob(
        0.04, _C.OCCLUSION, _ALL_ELEMENTS, "a pale word, such as COPY, is printed across the page below its text"
    )
    staple: float = _knob(0.05, _C.OCCLUSION, _ALL_ELEMENTS, "the sheet has a staple, or the marks of one")
    coffee_stain: float = _knob(0.03, _C.OCCLUSION, _ALL_ELEMENTS, "the page has the ring of a coffee cup")
    punch_holes: float = _knob(0.05, _C.OCCLUSION, _ALL_ELEMENTS, "the margin has punch holes", documents=_A4_DOCUMENTS)
    fold: float = _knob(0.05, _C.OCCLUSION, _ALL_ELEMENTS, "the sheet was folded")
    degradation: float = _knob(
        0.3,
        _C.DEGRADATION,
        _ALL_ELEMENTS,
        "greatest strength of a light mix of blur, noise, skew and JPEG artefacts, on documents that are no files",
    )
    low_resolution: float = _knob(0.04, _C.DEGRADATION, _ALL_ELEMENTS, "the page was scanned at a low resolution")
    skew: float = _knob(0.04, _C.DEGRADATION, _ALL_ELEMENTS, "the page was scanned at a slight angle")
    perspective: float = _knob(0.03, _C.DEGRADATION, _ALL_ELEMENTS, "the page was photographed at an angle")
    curl: float = _knob(0.03, _C.DEGRADATION, _ALL_ELEMENTS, "the paper is curled")
    blur: float = _knob(0.04, _C.DEGRADATION, _ALL_ELEMENTS, "the image is out of focus")
    shadow: float = _knob(0.03, _C.DEGRADATION, _ALL_ELEMENTS, "a shadow falls on the page")
    uneven_light: float = _knob(0.03, _C.DEGRADATION, _ALL_ELEMENTS, "the page is lit unevenly")
    noise: float = _knob(0.04, _C.DEGRADATION, _ALL_ELEMENTS, "the image has sensor noise")
    jpeg: float = _knob(0.04, _C.DEGRADATION, _ALL_ELEMENTS, "the image has strong JPEG artefacts")
    bleed_through: float = _knob(0.03, _C.DEGRADATION, _ALL_ELEMENTS, "the back of the sheet shows through")
    thermal_fade: float = _knob(0.03, _C.DEGRADATION, _ALL_ELEMENTS, "thermal print has faded")
    dot_matrix: float = _knob(0.02, _C.DEGRADATION, _ALL_ELEMENTS, "a dot-matrix printer left gaps in the print")
    fax: float = _knob(0.02, _C.DEGRADATION, _ALL_ELEMENTS, "the page was sent by fax")
    photo: float = _knob(0.03, _C.DEGRADATION, _ALL_ELEMENTS, "the page was photographed on a desk")


# Knobs that damage the pixels of a page. Each document draws a strength for each of them.
DAMAGE_KNOBS = (
    "stamp",
    "signature",
    "handwritten_note",
    "highlighter",
    "pen_ring",
    "watermark",
    "staple",
    "coffee_stain",
    "punch_holes",
    "fold",
    "low_resolution",
    "skew",
    "perspective",
    "curl",
    "blur",
    "shadow",
    "uneven_light",
    "noise",
    "jpeg",
    "bleed_through",
    "thermal_fade",
    "dot_matrix",
    "fax",
    "photo",
)

NO_KNOBS = Knobs(**dict.fromkeys(Knobs.model_fields, 0.0))


@dataclass(frozen=True)
class KnobFacts:
    """The metadata of a knob.

    Attributes:
        cause: the cause of reading errors that it targets.
        elements: the elements that it makes harder to read.
        documents: the document types to which it can apply.
        languages: the languages to which it can apply; empty for all.
    """

    cause: FailureCause
    elements: tuple[Element, ...]
    documents: tuple[DocumentType, ...]
    languages: tuple[str, ...]

    def applies_to(self, document_type: DocumentType, language: str) -> bool:
        """Tell whether the knob can change a document of this type and language."""
        return document_type in self.documents and (not self.languages or language in self.languages)


def _read_facts() -> dict[str, KnobFacts]:
    facts = {}
    for name, field in Knobs.model_fields.items():
        extra: Any = field.json_schema_extra
        facts[name] = KnobFacts(
            FailureCause(extra["cause"]),
            tuple(map(Element, extra["elements"])),
            tuple(map(DocumentType, extra["documents"])),
            tuple(extra["languages"]),
        )
    return facts


KNOB_FACTS: dict[str, KnobFacts] = _read_facts()


@cache
def applicable_knobs(document_type: DocumentType, language: str) -> frozenset[str]:
    """Return the knobs that can change a document of this type and language."""
    return frozenset(name for name, facts in KNOB_FACTS.items() if facts.applies_to(document_type, language))
