"""The data dictionary: every field of a document and every knob of a recipe, written from the models themselves."""

from __future__ import annotations

from finscribe_assets.documents.elements import LIST_FIELDS, TERMS
from finscribe_assets.documents.knobs import KNOB_FACTS, Knobs
from finscribe_assets.documents.schema import DocumentType

_LISTS = ", ".join(f"`{name}`" for name in LIST_FIELDS)
_HEAD = f"""# Data dictionary

Written by `finscribe schema --markdown`; do not edit by hand.

Field names are EN 16931's business terms in snake case. Amounts are decimal text, dates ISO 8601. In paths, {_LISTS}
stand for each of their members, as in `lines[0].net_amount`. A field marked *implied* is true of the
document but not printed as a value of its own, so no reader is asked for it.

## Document

| field | EN 16931 | element | value | meaning |
|---|---|---|---|---|
"""

_KNOBS = """
## Knobs of a recipe

A knob is a number from 0 to 1: how often its feature is drawn, and for damage how strong it may be. The value that took
effect in each document is stored with it, and mining compares failures by it: a knob that cannot act on a document
(its kind, its language, another knob that excludes it) is 0 there.

| knob | default | cause of failure | makes harder | acts on | what it does |
|---|---|---|---|---|---|
"""


def data_dictionary() -> str:
    """Return the dictionary as Markdown."""
    rows = []
    for path, term in TERMS.items():
        implied = " *(implied)*" if term.implied else ""
        rows.append(
            f"| `{path}` | {term.code or '–'} | {term.element} | {term.value_type} | {term.description}{implied} |\n"
        )
    knobs = []
    for name, field in Knobs.model_fields.items():
        facts = KNOB_FACTS[name]
        harder = "everything" if len(facts.elements) > 6 else ", ".join(facts.elements)
        kinds = "all" if len(facts.documents) == len(DocumentType) else ", ".join(facts.documents)
        only = f" ({', '.join(facts.languages)})" if facts.languages else ""
        cells = (f"`{name}`", field.default, facts.cause, harder, f"{kinds}{only}", field.description)
        knobs.append(f"| {' | '.join(map(str, cells))} |\n")
    return _HEAD + "".join(rows) + _KNOBS + "".join(knobs)
