"""The vocabulary of failures: how a field can fail, and which knobs' causes of failure lead to it."""

from __future__ import annotations

from enum import StrEnum

from finscribe_assets.documents.knobs import KNOB_FACTS


class ErrorType(StrEnum):
    """How a field failed. The values stand in files of earlier batches; they do not change."""

    # of the response
    RESPONSE = "response"  # it held no JSON object, or there was none
    TRUNCATED = "truncated"  # missing after the response broke off
    ILLEGIBLE = "illegible"  # damage has destroyed it on the page: no reader can know
    UNKNOWN_FIELD = "unknown_field"  # the schema has no such field
    # of rows
    ROW_MISSING = "row_missing"  # of a list: lines, entries, taxes
    ROW_EXTRA = "row_extra"  # the document does not have it
    ROW_MERGED = "row_merged"  # several rows were told as one
    ROW_SPLIT = "row_split"  # one row was told as several
    # of presence
    MISSING = "missing"
    HALLUCINATED = "hallucinated"
    # of place: a text of the page, but of another field
    DECOY_TAKEN = "decoy_taken"  # print that is no field's value
    PARTY_SWAP = "party_swap"  # another party's
    CURRENCY = "currency"  # the same amount in the document's other currency
    WRONG_TOTAL = "wrong_total"  # another total's: net, tax and gross mixed
    COLUMN_SWAP = "column_swap"  # another column's of the same row
    ROW_SHIFT = "row_shift"  # another row's
    LABEL_SWAP = "label_swap"  # another label's, such as due date for issue date
    # of reading: the right place, misread
    WRONG_TYPE = "wrong_type"  # no value of its kind
    SIGN = "sign"
    SEPARATOR = "separator"  # the right digits, the decimal point elsewhere
    DATE_ORDER = "date_order"  # day, month and year exchanged
    DATE_YEAR = "date_year"  # another century, or another era
    DIGIT_COUNT = "digit_count"  # digits dropped or inserted
    DIGIT = "digit"  # digits read as other digits
    CHARACTER_CONFUSION = "character_confusion"  # look-alikes: 0 and O, 1, l and I, rn and m
    DIACRITICS = "diacritics"
    SPACING_OR_CASE = "spacing_or_case"
    CUT_SHORT = "cut_short"  # the beginning or the end of the right text
    REPETITION = "repetition"  # the right text, or a part of it, more than once
    OTHER = "other"


_E = ErrorType
_CAUSES: dict[str, tuple[ErrorType, ...]] = {
    "missing field": (_E.MISSING, _E.LABEL_SWAP),
    "hallucinated field": (_E.HALLUCINATED, _E.DECOY_TAKEN, _E.LABEL_SWAP),
    "character confusion": (_E.CHARACTER_CONFUSION,),
    "dropped or inserted digit": (_E.DIGIT_COUNT, _E.DIGIT),
    "decimal and thousands separators": (_E.SEPARATOR, _E.WRONG_TYPE),
    "sign": (_E.SIGN,),
    "currency": (_E.CURRENCY,),
    "date order": (_E.DATE_ORDER, _E.DATE_YEAR, _E.DECOY_TAKEN, _E.LABEL_SWAP),
    "party swap": (_E.PARTY_SWAP,),
    "rows missed or duplicated": (_E.ROW_MISSING, _E.ROW_EXTRA),
    "rows merged or split": (_E.ROW_MERGED, _E.ROW_SPLIT, _E.CUT_SHORT),
    "column shift": (_E.COLUMN_SWAP, _E.ROW_SHIFT),
    "net and gross confusion": (_E.COLUMN_SWAP, _E.WRONG_TOTAL),
    "tax breakdown": (_E.WRONG_TOTAL, _E.COLUMN_SWAP),
    "allowances and charges": (_E.WRONG_TOTAL, _E.COLUMN_SWAP),
    "wrong total chosen": (_E.WRONG_TOTAL,),
    "page join": (_E.ROW_MISSING, _E.ROW_MERGED),
    "output length": (_E.TRUNCATED,),
    "script and direction": (_E.DIGIT, _E.DATE_ORDER),
    "degradation": (_E.CHARACTER_CONFUSION, _E.DIGIT, _E.DIACRITICS, _E.OTHER),
    "occlusion": (_E.MISSING, _E.CUT_SHORT, _E.OTHER),
}


def presumed_knobs(element: str, error_type: str) -> tuple[str, ...]:
    """Return the knobs made for such a failure of an element, as their metadata says; the most specific first."""
    fitting = [
        (len(facts.elements), name)
        for name, facts in KNOB_FACTS.items()
        if element in facts.elements and error_type in _CAUSES.get(facts.cause, ())
    ]
    return tuple(name for _, name in sorted(fitting, key=lambda one: one[0]))
