"""The types of errors, and which of them documents cannot teach a reader to avoid."""

from __future__ import annotations

from enum import StrEnum


class ErrorType(StrEnum):
    """How a field failed. Files of earlier batches hold the values, so they must not change."""

    # The response as a whole.
    RESPONSE = "response"  # there is none, or it has no JSON object
    TRUNCATED = "truncated"  # the response ended before the value
    ILLEGIBLE = "illegible"  # damage has destroyed the value on the page, so that no reader can know it
    UNKNOWN_FIELD = "unknown_field"  # the schema does not have the field
    # Rows of lists.
    ROW_MISSING = "row_missing"
    ROW_EXTRA = "row_extra"
    ROW_MERGED = "row_merged"  # several true rows in one predicted row
    ROW_SPLIT = "row_split"  # one true row over several predicted rows
    # Values that should or should not be there.
    MISSING = "missing"
    HALLUCINATED = "hallucinated"
    # The value was taken from another position on the page.
    DECOY_TAKEN = "decoy_taken"  # print that is not the value of any field
    PARTY_SWAP = "party_swap"  # the same field of another party
    CURRENCY = "currency"  # the right amount in another currency, or that of the document's other currency
    WRONG_TOTAL = "wrong_total"  # another total, such as net for gross
    COLUMN_SWAP = "column_swap"  # another column of the same row
    ROW_SHIFT = "row_shift"  # another row
    LABEL_SWAP = "label_swap"  # another labelled value, such as due date for issue date
    # The value was read at the right position, but misread.
    WRONG_TYPE = "wrong_type"  # not a value of the field's type
    SIGN = "sign"
    SEPARATOR = "separator"  # the right digits with the decimal mark at another position
    DATE_ORDER = "date_order"  # day, month and year exchanged
    DATE_YEAR = "date_year"  # another century, or another era
    DIGIT_COUNT = "digit_count"  # digits dropped or inserted
    DIGIT = "digit"  # digits read as other digits
    CHARACTER_CONFUSION = "character_confusion"  # look-alikes: 0 and O, 1, l and I, rn and m
    DIACRITICS = "diacritics"
    SPACING_OR_CASE = "spacing_or_case"
    CUT_SHORT = "cut_short"  # only the beginning or the end of the text
    REPETITION = "repetition"  # the text, or part of it, more than once
    # Edits of a text that none of the above explains.
    WORD_DROPPED = "word_dropped"  # one or more words are missing, not at an end alone
    CONTINUATION = "continuation"  # the whole text, and words around it that do not belong to it
    NEIGHBOUR_SWAP = "neighbour_swap"  # neighbouring words or characters in the other order
    SUBSTITUTION = "substitution"  # characters read as others that do not look alike
    CHARACTERS_DROPPED = "characters_dropped"
    CHARACTERS_ADDED = "characters_added"
    SEVERAL_EDITS = "several_edits"  # characters substituted, dropped and added; most of the text is right
    WRONG_LINE = "wrong_line"  # nearly the text of another field
    GARBLED = "garbled"  # more than half of the characters are wrong
    OTHER = "other"


NOT_TEACHABLE = {
    ErrorType.ILLEGIBLE: "damage has destroyed the value on the page, so that no reader can know it",
    ErrorType.UNKNOWN_FIELD: "the reader adds fields that the schema does not have; drop them from its responses, or "
    "list the schema's fields in the prompt",
}
"""Error types that no synthetic document can teach a reader to avoid, and what they mean."""
