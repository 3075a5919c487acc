"""The typography of a vendor at random: a function of the vendor's seed, the document type and the accent colour.

Every setting has a random stream of its own, so a further setting leaves the others as they were.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

from finscribe_assets.documents.drawn_document import Style
from finscribe_assets.documents.headings import draw_heading
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.vendors import Vendor

GREYS = ("#111111", "#333333", "#666666", "#999999")
BLACK_ACCENT_SHARE = 0.2  # of vendors that print titles and rules in black or dark grey
MAX_ACCENT_LUMINANCE = 0.42  # of 1; print in a lighter colour would be too faint for a fax or a poor copier
# Share of black, or of the accent colour, in white.
BLACK_TINTS, ACCENT_TINTS = (0.05, 0.16), (0.07, 0.26)
# Hues of business stationery, in degrees, and how often each is near the middle of a vendor's colour.
_HUES = {210: 5, 225: 3, 0: 3, 350: 1, 150: 2, 120: 1, 25: 1.5, 45: 1, 185: 1.5, 270: 1, 320: 0.7}

# Weights of the values of each setting.
_WEIGHTS: dict[str, dict[Any, float]] = {
    "rules": {"none": 1, "head": 3, "rows": 4, "grid": 3, "columns": 1.5, "bands": 2},
    "rule_line": {"solid": 8, "dashed": 1, "dotted": 1},
    "head": {"bold": 3, "plain": 1, "small": 1.5, "tinted": 3, "capitals": 1.5},
    "title": {"bold": 4, "plain": 2, "capitals": 2, "spaced": 1},
    "labels": {"beside": 4, "colon": 4, "above": 2},
    "label_type": {"plain": 3, "grey": 3, "small": 2, "bold": 2},
    "totals": {"end": 6, "start": 1, "full": 2},
    "totals_frame": {"none": 1, "ruled": 4, "boxed": 2, "tinted": 2, "heavy": 1},
    "logo": {"none": 4, "symbol": 4, "beside": 2.5, "above": 1, "wordmark": 1.5},
    "page_numbers": {"none": 2, "slash": 3, "word": 2, "dashes": 1},
    "page_number_place": {"bottom-center": 2, "bottom-end": 3, "top-end": 1},
    "code_place": {"left": 2, "center": 1, "right": 2},
    "roll": {58: 1, 80: 2},
}
# Probabilities of settings that are on or off.
_CHANCES = {
    "running_title": 0.4,
    "remarks_centred": 0.35,
    "signed_discounts": 0.55,
    "seal": 0.6,
    "time_beside_date": 0.6,
    "typewriter": 0.7,
    "stacked": 0.5,
    "bar_code_above": 0.5,
    "amount_in_words": 0.7,
}
# Probability of a second title. Some Indian documents have their title in Hindi below the English one.
_SECOND_TITLE_CHANCE = 0.4
_SECOND_TITLES: dict[str, dict[DocumentType, tuple[str, ...]]] = {
    "en_IN": {
        DocumentType.INVOICE: ("कर बीजक", "टैक्स इनवॉइस"),
        DocumentType.CREDIT_NOTE: ("जमा पत्र", "क्रेडिट नोट"),
        DocumentType.RECEIPT: ("रसीद", "नकद रसीद"),
        DocumentType.PURCHASE_ORDER: ("क्रय आदेश",),
        DocumentType.BANK_STATEMENT: ("बैंक विवरण", "खाता विवरण"),
    }
}


def draw_accent(seller: Vendor) -> str:
    """Draw the colour, #rrggbb, of a seller's titles and rules; it is the same on all its documents."""
    random = Random(f"accent:{seller.style_seed}")
    if random.random() < BLACK_ACCENT_SHARE:
        return random.choice(("#000000", "#222222", "#3b3b3b"))
    hue = random.choices(list(_HUES), list(_HUES.values()))[0] + random.uniform(-12, 12)
    channels = colorsys.hls_to_rgb(hue / 360 % 1, random.uniform(0.2, 0.48), random.uniform(0.35, 0.95))
    luminance = 0.299 * channels[0] + 0.587 * channels[1] + 0.114 * channels[2]
    scale = min(1.0, MAX_ACCENT_LUMINANCE / luminance)
    return "#" + "".join(f"{round(255 * scale * channel):02x}" for channel in channels)


@lru_cache(maxsize=4_096)  # 10 % of the time to draw a document
def draw_style(seller: Vendor, document_type: DocumentType, accent: str) -> Style:
    """Draw the style of a seller's documents of one type.

    Args:
        seller: the seller.
        document_type: the type of its documents.
        accent: their accent colour, #rrggbb; some rules and tints have it.
    """

    def stream(name: str) -> Random:
        return Random(f"style:{name}:{seller.style_seed}:{document_type}")

    def between(name: str, low: float, high: float) -> float:
        return round(stream(name).uniform(low, high), 2)

    def choice(name: str, weights: Mapping[Any, float]) -> Any:
        return stream(name).choices(list(weights), list(weights.values()))[0]

    tint = stream("tint")
    tint_colour, tints = (accent, ACCENT_TINTS) if tint.random() < 0.6 else ("#000000", BLACK_TINTS)
    drawn: dict[str, Any] = {name: choice(name, weights) for name, weights in _WEIGHTS.items()}
    drawn |= {name: stream(name).random() < chance for name, chance in _CHANCES.items()}
    drawn["seal"] = drawn["seal"] and seller.locale in ("ja_JP", "zh_CN") and document_type is not DocumentType.RECEIPT
    # On narrow paper, item names do not fit beside quantity and amounts.
    drawn["stacked"] = drawn["stacked"] or drawn["roll"] == min(_WEIGHTS["roll"])
    titles = _SECOND_TITLES.get(seller.locale, {}).get(document_type, ())
    if titles and stream("second_title").random() < _SECOND_TITLE_CHANCE:
        drawn["second_title"] = stream("second_title_wording").choice(titles)
    return Style(
        side_margin=between("side_margin", 12, 22),
        top_margin=between("top_margin", 12, 22),
        bottom_margin=between("bottom_margin", 15, 22),
        line_height=between("line_height", 1.28, 1.55),
        row_height=between("row_height", 0.75, 1.6),
        rule_weight=between("rule_weight", 0.4, 1.3),
        rule_colour=accent if stream("rule_colour").random() < 0.4 else stream("rule_grey").choice(GREYS),
        tint=_mix_with_white(tint_colour, tint.uniform(*tints)),
        heading=draw_heading(f"{seller.style_seed}:{document_type}"),
        code_size=between("code_size", 20, 34),
        title_size=between("title_size", 0.7, 1.5),
        name_size=between("name_size", 1.0, 1.4) if stream("name").random() < 0.6 else 1.0,
        **drawn,
    )


def _mix_with_white(colour: str, share: float) -> str:
    """Mix a share, from 0 to 1, of a colour (#rrggbb) with white."""
    channels = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - channel) * share):02x}" for channel in channels)
