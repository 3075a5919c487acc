"""The data dictionary: every field of a document and every knob of a recipe, as Markdown made from the models."""

from __future__ import annotations

from finscribe_assets.documents.elements import LIST_FIELDS, TERMS
from finscribe_assets.documents.knobs import KNOB_FACTS, Knobs
from finscribe_assets.documents.schema import DocumentType

_LISTS = ", ".join(f"`{name}`" for name in LIST_FIELDS)
_HEAD = f"""# Data dictionary

Written by `finscribe schema --markdown`; do not edit by hand.

Field names are the business terms of EN 16931 in snake case. Amounts are decimal text, dates ISO 8601. {_LISTS} are
lists: the path of a value holds its position, as in `lines[0].net_amount`. A field marked *implied* is true of the
document but not printed as a value of its own. Instruction pairs ask for the currency, the type of the document and
the names of taxes where other print determines them.

## Document

| field | EN 16931 | element | value | meaning |
|---|---|---|---|---|
"""

_KNOBS = """
## Knobs of a recipe

A knob is a number from 0 to 1: the probability that its feature is drawn. The features of damage knobs also have a
strength, drawn at random. Each document stores the values that took effect, and mining compares error rates by them: a
knob that cannot apply to a document (because of its type, its language or another knob) is 0 there.

| knob | default | cause of errors | elements affected | applies to | effect |
|---|---|---|---|---|---|
"""


def data_dictionary() -> str:
    """Return the data dictionary as Markdown."""
    rows = []
    for path, term in TERMS.items():
        implied = " *(implied)*" if term.implied else ""
        rows.append(
            f"| `{path}` | {term.code or '–'} | {term.element} | {term.value_type} | {term.description}{implied} |\n"
        )
    knobs = []
    for name, field in Knobs.model_fields.items():
        facts = KNOB_FACTS[name]
        elements = "all" if len(facts.elements) > 6 else ", ".join(facts.elements)
        types = "all" if len(facts.documents) == len(DocumentType) else ", ".join(facts.documents)
        languages = f" ({', '.join(facts.languages)})" if facts.languages else ""
        cells = (f"`{name}`", field.default, facts.cause, elements, f"{types}{languages}", field.description)
        knobs.append(f"| {' | '.join(map(str, cells))} |\n")
    return _HEAD + "".join(rows) + _KNOBS + "".join(knobs)
