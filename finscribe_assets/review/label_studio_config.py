"""Generate Label Studio's labelling configuration from the schema.

A value is a rectangle with the label of its field and a text of its own (``perRegion``). The document's type, currency
and locale are chosen from lists; a value without a place on the page is a line ``path = value`` of a text area.
Tags: https://labelstud.io/tags/.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from finscribe_assets.documents.elements import TERMS
from finscribe_assets.review.review_fields import FIELD_CHOICES

PAGES_TAG, FIELD_TAG, TEXT_TAG, UNPLACED_TAG = "page", "field", "text", "values"
"""Names of the tags: the pages, the label of a region, its text, and the values without a region."""

_COLOURS = {
    "lines": "#1b7f3b",
    "entries": "#1b7f3b",
    "totals": "#b3261e",
    "statement": "#b3261e",
    "vat_breakdown": "#c75c00",
    "allowances": "#c75c00",
    "charges": "#c75c00",
    "seller": "#5b3cc4",
    "buyer": "#8e24aa",
    "payee": "#8e24aa",
    "ship_to": "#8e24aa",
}
_OTHER_COLOUR = "#0b57d0"


def labelling_config(fields: Sequence[str]) -> str:
    """Return the configuration, as XML, for regions with these fields."""
    view = Element("View")
    SubElement(view, "Header", value="$name", size="5")
    columns = SubElement(view, "View", style="display: flex; gap: 1em; align-items: flex-start")
    pages = SubElement(columns, "View", style="flex: 3; min-width: 0")
    # Boxes of turned pages would be in another frame, and turned boxes are not lines of print.
    SubElement(
        pages, "Image", name=PAGES_TAG, valueList="$pages", zoomControl="true", rotateControl="false", zoom="true"
    )
    side = SubElement(columns, "View", style="flex: 1; min-width: 16em; max-height: 85vh; overflow: auto")
    SubElement(side, "Filter", name="find", toName=FIELD_TAG, minlength="0", placeholder="find a field")
    labels = SubElement(
        side, "RectangleLabels", name=FIELD_TAG, toName=PAGES_TAG, canRotate="false", strokeWidth="1", opacity="0.15"
    )
    for path in fields:
        colour = _COLOURS.get(path.partition(".")[0], _OTHER_COLOUR)
        SubElement(labels, "Label", value=path, hint=TERMS[path].description, background=colour)
    SubElement(
        side,
        "TextArea",
        name=TEXT_TAG,
        toName=PAGES_TAG,
        perRegion="true",
        editable="true",
        maxSubmissions="1",
        rows="1",
        displayMode="region-list",
        placeholder="the text as it is printed",
    )
    for name, options in FIELD_CHOICES.items():
        SubElement(side, "Header", value=name.replace("_", " "), size="6")
        choices = SubElement(side, "Choices", name=name, toName=PAGES_TAG, choice="single", layout="select")
        for option in options:
            SubElement(choices, "Choice", value=option)
    SubElement(side, "Header", value="values without a place on the page, as: path = value", size="6")
    SubElement(
        side,
        "TextArea",
        name=UNPLACED_TAG,
        toName=PAGES_TAG,
        editable="true",
        rows="1",
        placeholder="lines[0].unit_code = C62",
    )
    indent(view)
    return tostring(view, encoding="unicode") + "\n"
