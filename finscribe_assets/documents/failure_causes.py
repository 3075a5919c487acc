"""Causes of reading errors that knobs are designed for; whether a reader fails by a knob is measured, not presumed."""

from __future__ import annotations

from enum import StrEnum


class FailureCause(StrEnum):
    """A cause of reading errors. The published JSON schema of recipes holds the values, so they must not change."""

    MISSING_FIELD = "missing field"
    HALLUCINATED_FIELD = "hallucinated field"
    CHARACTER_CONFUSION = "character confusion"
    DROPPED_OR_INSERTED_DIGIT = "dropped or inserted digit"
    DECIMAL_AND_THOUSANDS_SEPARATORS = "decimal and thousands separators"
    SIGN = "sign"
    CURRENCY = "currency"
    DATE_ORDER = "date order"
    PARTY_SWAP = "party swap"
    ROWS_MISSED_OR_DUPLICATED = "rows missed or duplicated"
    ROWS_MERGED_OR_SPLIT = "rows merged or split"
    COLUMN_SHIFT = "column shift"
    NET_AND_GROSS_CONFUSION = "net and gross confusion"
    TAX_BREAKDOWN = "tax breakdown"
    ALLOWANCES_AND_CHARGES = "allowances and charges"
    WRONG_TOTAL_CHOSEN = "wrong total chosen"
    PAGE_JOIN = "page join"
    OUTPUT_LENGTH = "output length"
    SCRIPT_AND_DIRECTION = "script and direction"
    DEGRADATION = "degradation"
    OCCLUSION = "occlusion"
