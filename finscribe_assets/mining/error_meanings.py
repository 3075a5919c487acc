"""What each error type means, as a sentence for a person who reads a report."""

from __future__ import annotations

from collections.abc import Mapping

from finscribe_assets.mining.error_types import ErrorType

ERROR_MEANINGS: Mapping[ErrorType, str] = {
    ErrorType.RESPONSE: "There is no usable response",
    ErrorType.TRUNCATED: "The response ended before the value",
    ErrorType.ILLEGIBLE: "Damage has destroyed the value on the page",
    ErrorType.UNKNOWN_FIELD: "Fields that the schema does not have",
    ErrorType.ROW_MISSING: "Rows of tables are missing",
    ErrorType.ROW_EXTRA: "Rows that no table of the page has",
    ErrorType.ROW_MERGED: "Several rows were read as one",
    ErrorType.ROW_SPLIT: "One row was read as several",
    ErrorType.MISSING: "Printed values were not read",
    ErrorType.HALLUCINATED: "Values that the page does not have",
    ErrorType.DECOY_TAKEN: "Print that belongs to no field was taken for a value",
    ErrorType.PARTY_SWAP: "The same field of another party was read",
    ErrorType.CURRENCY: "The right amount in another currency",
    ErrorType.WRONG_TOTAL: "Another total was read",
    ErrorType.COLUMN_SWAP: "Another column of the same row was read",
    ErrorType.ROW_SHIFT: "The same column of another row was read",
    ErrorType.LABEL_SWAP: "The value beside another label was read",
    ErrorType.WRONG_TYPE: "Values that are not of the field's type",
    ErrorType.SIGN: "The sign is wrong",
    ErrorType.SEPARATOR: "The decimal mark is at another position",
    ErrorType.DATE_ORDER: "Day, month and year were exchanged",
    ErrorType.DATE_YEAR: "The year is of another century or era",
    ErrorType.DIGIT_COUNT: "Digits were dropped or inserted",
    ErrorType.DIGIT: "Digits were read as other digits",
    ErrorType.CHARACTER_CONFUSION: "Characters were read as look-alikes",
    ErrorType.DIACRITICS: "Accents were lost or added",
    ErrorType.SPACING_OR_CASE: "Spaces or capitals differ",
    ErrorType.CUT_SHORT: "Only the beginning or the end was read",
    ErrorType.REPETITION: "The text, or a part of it, was repeated",
    ErrorType.WORD_DROPPED: "Words are missing",
    ErrorType.CONTINUATION: "Words around the value were read with it",
    ErrorType.NEIGHBOUR_SWAP: "Neighbouring words or characters were exchanged",
    ErrorType.SUBSTITUTION: "Characters were read as others that do not look alike",
    ErrorType.CHARACTERS_DROPPED: "Characters were dropped",
    ErrorType.CHARACTERS_ADDED: "Characters were added",
    ErrorType.SEVERAL_EDITS: "Characters were substituted, dropped and added",
    ErrorType.WRONG_LINE: "The text of another field was read",
    ErrorType.GARBLED: "More than half of the characters are wrong",
    ErrorType.OTHER: "No rule explains the failure",
}
"""By error type; each begins with a capital and has no full stop."""
