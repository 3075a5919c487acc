"""The knobs of a recipe: one for each way in which a reader can fail, so that mining can ask for more of exactly that.

A knob runs from 0, never, to 1, always; a knob of damage is a strength besides: at 1 every page has the damage, at
strengths up to the greatest. The values drawn are stored with each document under the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.failure_causes import FailureCause
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element

Intensity = Annotated[float, Field(ge=0.0, le=1.0)]

_E = Element
_C = FailureCause
NAMES = (_E.IDENTIFIER, _E.DATE, _E.AMOUNT)
AMOUNTS = (_E.AMOUNT, _E.LINE_AMOUNT, _E.TAX, _E.ENTRY_AMOUNT)
ROWS = (_E.LINE_ITEM, _E.LINE_AMOUNT, _E.ENTRY, _E.ENTRY_AMOUNT)
ALL = tuple(Element)


_K = DocumentType
BILLS = (_K.INVOICE, _K.CREDIT_NOTE)
SALES = (*BILLS, _K.RECEIPT, _K.PURCHASE_ORDER)
PAPERS = (*BILLS, _K.PURCHASE_ORDER)
TABLES = (*PAPERS, _K.BANK_STATEMENT)


def _knob(
    default: float,
    cause: FailureCause,
    elements: tuple[Element, ...],
    description: str,
    *,
    documents: tuple[DocumentType, ...] = tuple(DocumentType),
    languages: tuple[str, ...] = (),
) -> Any:
    return Field(
        default,
        ge=0.0,
        le=1.0,
        description=description,
        json_schema_extra={
            "elements": [str(element) for element in elements],
            "cause": str(cause),
            "documents": [str(kind) for kind in documents],
            "languages": list(languages),
        },
    )


class Knobs(BaseModel):
    """How often, or how strongly, each hard feature is drawn.

    Each knob's metadata names the cause of failure that it is for and the elements that it makes harder to read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label_synonyms: float = _knob(0.3, _C.MISSING_FIELD, NAMES, "labels have one of their rarer wordings")
    label_distance: float = _knob(
        0.1, _C.MISSING_FIELD, NAMES, "values stand far from their labels, across the column", documents=TABLES
    )
    unlabelled_values: float = _knob(
        0.08, _C.MISSING_FIELD, NAMES, "dates, references and account stand without labels", documents=TABLES
    )
    optional_fields: float = _knob(
        0.6,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.TEXT, _E.DATE, _E.PARTY),
        "each optional field is there",
        documents=SALES,
    )
    decoy_labels: float = _knob(
        0.15,
        _C.HALLUCINATED_FIELD,
        (_E.IDENTIFIER, _E.DATE),
        "labels of absent fields stand with nothing beside them",
        documents=PAPERS,
    )
    confusable_identifiers: float = _knob(
        0.2, _C.CHARACTER_CONFUSION, (_E.IDENTIFIER,), "numbers are made of look-alike characters (O0 I1 S5 B8 Z2)"
    )
    long_amounts: float = _knob(
        0.2, _C.DROPPED_OR_INSERTED_DIGIT, AMOUNTS, "prices are thousands of times larger, so that amounts are long"
    )
    small_print: float = _knob(0.15, _C.DROPPED_OR_INSERTED_DIGIT, ALL, "the page is set in small type")
    foreign_separators: float = _knob(
        0.05, _C.DECIMAL_AND_THOUSANDS_SEPARATORS, AMOUNTS, "numbers have another country's separators"
    )
    rare_grouping: float = _knob(
        0.05,
        _C.DECIMAL_AND_THOUSANDS_SEPARATORS,
        AMOUNTS,
        "thousands are parted by apostrophes or narrow spaces, or not at all",
    )
    negative_amounts: float = _knob(
        0.5, _C.SIGN, AMOUNTS, "a credit note's amounts are below zero", documents=(_K.CREDIT_NOTE,)
    )
    sign_styles: float = _knob(
        0.15,
        _C.SIGN,
        AMOUNTS,
        "amounts below zero stand in parentheses, before their minus, or with CR and DR",
        documents=(_K.CREDIT_NOTE, _K.BANK_STATEMENT),
    )
    ambiguous_currency: float = _knob(
        0.1,
        _C.CURRENCY,
        AMOUNTS,
        "amounts are in a foreign currency and show a symbol that several currencies share",
        documents=BILLS,
    )
    dual_currency: float = _knob(
        0.08,
        _C.CURRENCY,
        (_E.AMOUNT, _E.TAX),
        "amounts are in a foreign currency and tax is stated in the seller's too",
        documents=BILLS,
    )
    ambiguous_dates: float = _knob(0.3, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "dates are all digits, no day beyond 12")
    two_digit_years: float = _knob(0.1, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "dates show two digits of the year")
    era_dates: float = _knob(
        0.2, _C.DATE_ORDER, (_E.DATE, _E.ENTRY), "Japanese dates count years by era", languages=("ja",)
    )
    decoy_dates: float = _knob(
        0.2, _C.DATE_ORDER, (_E.DATE,), "other dates stand beside those of the document", documents=TABLES
    )
    third_parties: float = _knob(
        0.2, _C.PARTY_SWAP, (_E.PARTY, _E.ADDRESS), "a payee and a consignee are there too", documents=BILLS
    )
    parties_side_by_side: float = _knob(
        0.3, _C.PARTY_SWAP, (_E.PARTY, _E.ADDRESS), "parties stand in one row", documents=PAPERS
    )
    many_lines: float = _knob(0.15, _C.ROWS_MISSED_OR_DUPLICATED, ROWS, "there are 15 to 60 lines")
    repeated_descriptions: float = _knob(0.1, _C.ROWS_MISSED_OR_DUPLICATED, ROWS, "lines repeat few descriptions")
    wrapped_descriptions: float = _knob(0.2, _C.ROWS_MERGED_OR_SPLIT, ROWS, "descriptions are long enough to wrap")
    note_rows: float = _knob(
        0.1, _C.ROWS_MERGED_OR_SPLIT, ROWS, "lines have a note in a row of its own", documents=PAPERS
    )
    sub_items: float = _knob(
        0.08, _C.ROWS_MERGED_OR_SPLIT, ROWS, "lines have indented rows without amounts below", documents=PAPERS
    )
    blank_cells: float = _knob(
        0.1, _C.COLUMN_SHIFT, ROWS, "cells of optional columns are blank in some lines", documents=TABLES
    )
    borderless_tables: float = _knob(0.3, _C.COLUMN_SHIFT, ROWS, "the table has no rules and no shading")
    merged_headers: float = _knob(0.08, _C.COLUMN_SHIFT, ROWS, "a second head spans several columns", documents=PAPERS)
    list_prices: float = _knob(
        0.1,
        _C.NET_AND_GROSS_CONFUSION,
        (_E.LINE_AMOUNT,),
        "columns show the list price and what is taken off it",
        documents=PAPERS,
    )
    gross_columns: float = _knob(
        0.1,
        _C.NET_AND_GROSS_CONFUSION,
        (_E.LINE_AMOUNT, _E.AMOUNT),
        "a column shows each line's amount with tax",
        documents=PAPERS,
    )
    several_rates: float = _knob(
        0.3, _C.TAX_BREAKDOWN, (_E.TAX, _E.LINE_AMOUNT), "lines carry different tax rates", documents=SALES
    )
    tax_exemptions: float = _knob(
        0.1,
        _C.TAX_BREAKDOWN,
        (_E.TAX,),
        "the sale is exempt, reverse-charged, exported or within the community",
        documents=BILLS,
    )
    tax_inclusive_prices: float = _knob(
        0.3, _C.TAX_BREAKDOWN, (_E.TAX, *AMOUNTS), "prices include the tax", documents=(*BILLS, _K.RECEIPT)
    )
    discounts: float = _knob(
        0.3, _C.ALLOWANCES_AND_CHARGES, (_E.AMOUNT,), "there is a discount on the whole document", documents=SALES
    )
    charges: float = _knob(
        0.15, _C.ALLOWANCES_AND_CHARGES, (_E.AMOUNT,), "freight, packing or the like is added", documents=PAPERS
    )
    line_allowances: float = _knob(
        0.1,
        _C.ALLOWANCES_AND_CHARGES,
        (_E.LINE_AMOUNT,),
        "lines have discounts or surcharges of their own",
        documents=PAPERS,
    )
    prepayments: float = _knob(
        0.15, _C.WRONG_TOTAL_CHOSEN, (_E.AMOUNT,), "part of the total is paid in advance", documents=(_K.INVOICE,)
    )
    prior_balances: float = _knob(
        0.1,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT,),
        "an earlier balance and the new one stand below the amount due",
        documents=(_K.INVOICE,),
    )
    repeated_totals: float = _knob(
        0.3, _C.WRONG_TOTAL_CHOSEN, (_E.AMOUNT, _E.TAX), "totals are printed though equal", documents=SALES
    )
    cash_discounts: float = _knob(
        0.1,
        _C.WRONG_TOTAL_CHOSEN,
        (_E.AMOUNT, _E.DATE),
        "a discount for early payment names another amount and day",
        documents=(_K.INVOICE,),
    )
    several_pages: float = _knob(0.08, _C.PAGE_JOIN, ROWS, "the lines are divided between pages", documents=TABLES)
    repeated_headers: float = _knob(0.7, _C.PAGE_JOIN, ROWS, "each page repeats the table's head", documents=TABLES)
    carried_forward: float = _knob(
        0.3, _C.PAGE_JOIN, (*ROWS, _E.AMOUNT), "pages carry their subtotals forward", documents=TABLES
    )
    very_long_tables: float = _knob(0.02, _C.OUTPUT_LENGTH, ROWS, "there are 60 to 120 lines")
    bilingual_labels: float = _knob(
        0.05,
        _C.SCRIPT_AND_DIRECTION,
        NAMES,
        "labels have an English wording too",
        languages=("de", "fr", "es", "it", "nl", "pl", "pt", "sv", "ja", "zh", "ar"),
    )
    native_digits: float = _knob(
        0.2,
        _C.SCRIPT_AND_DIRECTION,
        (_E.DATE, *AMOUNTS),
        "Arabic pages show Arabic-Indic digits, Japanese full-width ones",
        languages=("ar", "ja"),
    )
    reversed_print: float = _knob(
        0.15, _C.DEGRADATION, (_E.LINE_ITEM, _E.AMOUNT), "the table's head and the amount due are light on dark"
    )
    stamp: float = _knob(0.05, _C.OCCLUSION, ALL, "a rubber stamp lies over the page")
    signature: float = _knob(0.05, _C.OCCLUSION, ALL, "a signature runs over the print")
    handwritten_note: float = _knob(0.04, _C.OCCLUSION, ALL, "a note is written by hand")
    highlighter: float = _knob(0.04, _C.OCCLUSION, ALL, "strokes of a highlighter lie over values")
    coffee_stain: float = _knob(0.03, _C.OCCLUSION, ALL, "a cup left its ring")
    punch_holes: float = _knob(0.05, _C.OCCLUSION, ALL, "the margin is punched", documents=TABLES)
    fold: float = _knob(0.05, _C.OCCLUSION, ALL, "the sheet was folded")
    degradation: float = _knob(0.3, _C.DEGRADATION, ALL, "strength of a light mix of blur, noise, skew and JPEG damage")
    low_resolution: float = _knob(0.04, _C.DEGRADATION, ALL, "the page was scanned with few dots")
    skew: float = _knob(0.04, _C.DEGRADATION, ALL, "the page lay askew")
    perspective: float = _knob(0.03, _C.DEGRADATION, ALL, "the page was seen at an angle")
    curl: float = _knob(0.03, _C.DEGRADATION, ALL, "the paper curled")
    blur: float = _knob(0.04, _C.DEGRADATION, ALL, "the picture is out of focus")
    shadow: float = _knob(0.03, _C.DEGRADATION, ALL, "a shadow falls on the page")
    uneven_light: float = _knob(0.03, _C.DEGRADATION, ALL, "light falls off over the page")
    noise: float = _knob(0.04, _C.DEGRADATION, ALL, "the sensor is noisy")
    jpeg: float = _knob(0.04, _C.DEGRADATION, ALL, "the file was compressed hard")
    bleed_through: float = _knob(0.03, _C.DEGRADATION, ALL, "the back of the sheet shows through")
    thermal_fade: float = _knob(0.03, _C.DEGRADATION, ALL, "thermal print has faded")
    dot_matrix: float = _knob(0.02, _C.DEGRADATION, ALL, "a needle printer left gaps")
    fax: float = _knob(0.02, _C.DEGRADATION, ALL, "the page came by fax")
    photo: float = _knob(0.03, _C.DEGRADATION, ALL, "the page is a photograph on a desk")


# Effects on a page's pixels, each drawn with a strength of its own.
DAMAGE_KNOBS = (
    "stamp",
    "signature",
    "handwritten_note",
    "highlighter",
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
    """What is known of a knob besides its range."""

    cause: FailureCause  # of failure, that it is for
    elements: tuple[Element, ...]  # that it makes harder to read
    documents: tuple[DocumentType, ...]  # that it can act on
    languages: tuple[str, ...]  # that it can act on; empty for all

    def applies_to(self, kind: DocumentType, language: str) -> bool:
        """Tell whether the knob can change such a document."""
        return kind in self.documents and (not self.languages or language in self.languages)


def _facts() -> dict[str, KnobFacts]:
    found = {}
    for name, field in Knobs.model_fields.items():
        extra: Any = field.json_schema_extra
        found[name] = KnobFacts(
            FailureCause(extra["cause"]),
            tuple(map(Element, extra["elements"])),
            tuple(map(DocumentType, extra["documents"])),
            tuple(extra["languages"]),
        )
    return found


KNOB_FACTS: dict[str, KnobFacts] = _facts()


@cache
def applicable_knobs(kind: DocumentType, language: str) -> frozenset[str]:
    """Return the knobs that can change a kind of document in a language."""
    return frozenset(name for name, facts in KNOB_FACTS.items() if facts.applies_to(kind, language))
