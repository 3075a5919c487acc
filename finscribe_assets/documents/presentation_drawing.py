"""How a document's page looks, drawn for its outline and content: number style, labels, decoys, remarks and damage.

What all documents of a vendor have in common, such as template and typography, comes from its habits
(`vendor_habits.py`). Turning a presentation into pages is the task of `rendering/`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import accumulate
from random import Random

from finscribe_assets.documents.channels import Channel
from finscribe_assets.documents.chinese_amounts import amount_in_capitals
from finscribe_assets.documents.document_outline import DocumentOutline, weighted_choice
from finscribe_assets.documents.drawn_document import Colours, Decoy, Presentation
from finscribe_assets.documents.formats import (
    APOSTROPHE,
    NARROW_SPACE,
    TYPOGRAPHIC_APOSTROPHE,
    CurrencyDisplay,
    NumberStyle,
    locale_number_style,
    write_amount,
    write_date,
    write_number,
)
from finscribe_assets.documents.indian_amounts import rupees_in_words
from finscribe_assets.documents.knobs import DAMAGE_KNOBS
from finscribe_assets.documents.legal_notices import legal_notices
from finscribe_assets.documents.line_drawing import reduced_lines
from finscribe_assets.documents.line_groups import GroupSubtotal, group_subtotals
from finscribe_assets.documents.locales import MINOR_UNITS
from finscribe_assets.documents.machine_codes import draw_bar_code, payment_code
from finscribe_assets.documents.payment_slips import payment_slip
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.printed_values import QUANTITY_ROW_COLUMNS, REDUNDANT_TOTALS
from finscribe_assets.documents.receipt_drawing import draw_notices, draw_slip, draw_tax_codes
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.remark_drawing import draw_remarks
from finscribe_assets.documents.schema import Document, DocumentType
from finscribe_assets.documents.table_paging import page_breaks, sub_rows
from finscribe_assets.documents.tax_forms import draw_tax_form
from finscribe_assets.documents.terms_pages import TermsPage, draw_terms_page
from finscribe_assets.documents.vendor_habits import VendorHabits, font_of
from finscribe_assets.documents.wordings import folded_wordings, phrases, usual_wordings, wordings

SMALL_PRINT_SIZES, USUAL_SIZES = (6.5, 7.5), (8.5, 10.5)  # smallest and largest body text in points
# Fields whose labels may stand as decoys on documents that lack them.
_DECOY_FIELDS = (
    "due_date",
    "delivery_date",
    "purchase_order_reference",
    "contract_reference",
    "buyer_reference",
    "despatch_reference",
)
BILLS = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)
# What follows a Japanese addressee's name: 御中 for companies, 様 for holders of accounts.
_HONORIFICS = {
    DocumentType.INVOICE: "御中",
    DocumentType.CREDIT_NOTE: "御中",
    DocumentType.PURCHASE_ORDER: "御中",
    DocumentType.BANK_STATEMENT: "様",
}
# Closing remarks of the document types that do not end with the seller's thanks.
_CLOSINGS = {
    document_type: f"thanks.{document_type}"
    for document_type in (DocumentType.PURCHASE_ORDER, DocumentType.BANK_STATEMENT, DocumentType.RECEIPT)
}


def _capture(outline: DocumentOutline, recipe: Recipe) -> dict[str, float]:
    """Draw how the page is captured, as far as the recipe determines it: resolution, and levels of paper and ink."""
    random = Random(f"capture:{outline.name}")
    captured: dict[str, float] = {}
    if recipe.resolutions:
        captured["dpi"] = weighted_choice(random, recipe.resolutions)
    if recipe.stretches and outline.layout.monospaced:
        captured["stretch"] = weighted_choice(Random(f"stretch:{outline.name}"), recipe.stretches)
    if outline.channel is Channel.BORN_DIGITAL:
        return captured
    if recipe.paper_levels:
        captured["paper_level"] = weighted_choice(random, recipe.paper_levels)
    if recipe.ink_levels:
        captured["ink_level"] = weighted_choice(random, recipe.ink_levels)
    if recipe.paper_warmths:
        captured["paper_warmth"] = weighted_choice(random, recipe.paper_warmths)
    return captured


def draw_presentation(outline: DocumentOutline, recipe: Recipe, document: Document) -> Presentation:
    """Draw how the page looks, without its labels, which depend on the values that are printed."""
    random, knobs, habits = Random(f"look:{outline.name}"), outline.knobs, outline.habits
    locale = outline.seller.locale
    numbers = draw_number_style(random, locale, habits, knobs, outline.currency)
    size = random.uniform(*(SMALL_PRINT_SIZES if knobs["small_print"] else USUAL_SIZES))
    is_order = outline.document_type is DocumentType.PURCHASE_ORDER
    absent = [name for name in _DECOY_FIELDS if getattr(document, name) is None]
    if is_order:
        absent = [name for name in absent if name == "contract_reference"]
    decoys = draw_decoys(random, locale, outline.issue_date, outline.date_pattern, numbers.digits, absent, knobs)
    marked = reduced_lines(document.lines, locale)
    remarks = []
    if document.card_number:
        remarks.append(Random(f"result:{outline.name}").choice(phrases(locale, "till.result")))
    if document.lines and document.lines[0].price_with_vat is not None:
        remarks.append(random.choice(phrases(locale, "tax_included")))
    if marked:
        remarks.append(random.choice(phrases(locale, "reduced_rate_note")))
    remarks += draw_remarks(
        Random(f"remarks:{outline.name}"),
        outline.document_type,
        locale,
        outline.seller.trade,
        outline.issue_date,
        outline.date_pattern,
        numbers.digits,
        is_examination=outline.is_examination,
    )
    quantity_rows = bool(knobs["quantity_rows"])
    return Presentation(
        **_capture(outline, recipe),
        engine=weighted_choice(Random(f"engine:{outline.name}"), recipe.engines),
        layout=habits.layout,
        font=font_of(habits, recipe, locale),
        font_size=round(size, 2),
        accent=habits.accent,
        colours=_colours(outline, recipe),
        style=habits.style,
        reversed_print=bool(knobs["reversed_print"]),
        date_pattern=outline.date_pattern,
        time_pattern=outline.time_pattern,
        numbers=numbers,
        currency_display=_currency_display(outline),
        labels={},
        columns=tuple(name for name in outline.columns if not (quantity_rows and name in QUANTITY_ROW_COLUMNS)),
        quantity_rows=quantity_rows,
        amount_in_capitals=_amount_in_capitals(document),
        amount_in_words=_amount_in_words(document) if habits.style.amount_in_words else "",
        honorific=_HONORIFICS.get(outline.document_type, "") if locale == "ja_JP" else "",
        legal_notices=legal_notices(outline.seller, document) if outline.document_type in BILLS else (),
        tax_codes=draw_tax_codes(Random(f"codes:{outline.name}"), document.vat_breakdown) if knobs["tax_codes"] else {},
        slip=draw_slip(Random(f"slip:{outline.name}"), locale) if document.card_number else (),
        notices=draw_notices(Random(f"notices:{outline.name}"), document) if knobs["till_notices"] else (),
        sub_rows=sub_rows(random, document, outline.seller.trade, knobs),
        group_subtotals=_group_subtotals(outline, document, numbers) if knobs["line_groups"] else {},
        page_breaks=page_breaks(document),
        decoys=decoys,
        seating=draw_seating(Random(f"seating:{outline.name}"), locale) if outline.layout.seating else (),
        remarks=(*remarks, random.choice(phrases(locale, _CLOSINGS.get(outline.document_type, "thanks")))),
        payment_slip=payment_slip(Random(f"payment_slip:{outline.name}"), document, numbers, outline.date_pattern)
        if knobs["payment_slips"]
        else None,
        terms_page=_terms_page(outline, document, numbers) if knobs["terms_pages"] else None,
        tax_form=draw_tax_form(Random(f"form:{outline.name}"), document) if knobs["tax_invoice_forms"] else None,
        payment_code=payment_code(document) if knobs["payment_codes"] else "",
        bar_code=draw_bar_code(Random(f"bar_code:{outline.name}")) if knobs["bar_codes"] else "",
        item_bar_codes=bool(knobs["item_bar_codes"]),
        marked_lines=marked,
        rate_mark=phrases(locale, "reduced_rate_mark")[0].split(" ", maxsplit=1)[0] if marked else "",
        repeated_totals=tuple(REDUNDANT_TOTALS) if knobs["repeated_totals"] else (),
        labels_apart=bool(knobs["label_distance"]),
        unlabelled=bool(knobs["unlabelled_values"]),
        parties_side_by_side=bool(knobs["parties_side_by_side"]),
        borderless=bool(knobs["borderless_tables"]),
        merged_head=bool(knobs["merged_headers"]),
        repeated_head=bool(knobs["repeated_headers"]) or outline.document_type is DocumentType.RECEIPT,
        channel=outline.channel,
        degradation=knobs["degradation"],
        damage={name: knobs[name] for name in DAMAGE_KNOBS if knobs[name]},
        stamp=random.choice(phrases(locale, "stamps")),
        watermark=Random(f"watermark:{outline.name}").choice(phrases(locale, "stamps")[0:3:2]),
        approval=_approval(outline, document, numbers) if knobs["approvals"] else (),
        handwriting=random.choice(phrases(locale, "handwriting")),
        noise_seed=random.getrandbits(31),
    )


def _group_subtotals(outline: DocumentOutline, document: Document, numbers: NumberStyle) -> dict[int, GroupSubtotal]:
    decimals = MINOR_UNITS[document.currency_code]

    def write(amount: Decimal) -> str:
        return write_number(amount, numbers, decimals)

    return group_subtotals(Random(f"subtotals:{outline.name}"), document.lines, document.locale, write)


def _approval(outline: DocumentOutline, document: Document, numbers: NumberStyle) -> tuple[str, ...]:
    """Return the amount due and the day that it was approved, some days after the issue, as a clerk writes them."""
    if document.totals is None:
        return ()
    random, separators = Random(f"approval:{outline.name}"), numbers.model_copy(update={"digits": "latin", "group": ""})
    decimal = "," if numbers.decimal in (",", "٫") else "."
    style = separators.model_copy(update={"decimal": decimal, "negative": "minus"})
    amount = write_number(document.totals.amount_due, style, MINOR_UNITS[document.currency_code])
    day = outline.issue_date + dt.timedelta(days=random.randint(1, 12))
    written = {"en_US": f"{day.month}/{day.day}", "ja_JP": f"{day.month}/{day.day}", "zh_CN": f"{day.month}.{day.day}"}
    date = written.get(
        document.locale, f"{day.day}.{day.month}." if numbers.decimal == "," else f"{day.day}/{day.month}"
    )
    return (amount, f"{date}{day:%y}" if date.endswith(".") else date)


def _terms_page(outline: DocumentOutline, document: Document, numbers: NumberStyle) -> TermsPage:
    """Draw the terms of who issues the document: on an order, of its buyer."""
    is_order = outline.document_type is DocumentType.PURCHASE_ORDER
    issuer = document.buyer if is_order and document.buyer else document.seller
    display, currency = _currency_display(outline), document.currency_code

    def write(amount: Decimal) -> str:
        return write_amount(amount, numbers, document.locale, currency, "code" if display == "none" else display)

    return draw_terms_page(Random(f"terms:{outline.name}"), document.locale, issuer, currency, write)


def _colours(outline: DocumentOutline, recipe: Recipe) -> Colours:
    """Draw the colours of the page images. Tills print in black, whatever the recipe says."""
    colours = weighted_choice(Random(f"colours:{outline.name}"), recipe.colours)
    is_black_print = outline.document_type is DocumentType.RECEIPT and colours is Colours.COLOUR
    return Colours.GREY_PRINT if is_black_print else colours


def _amount_in_words(document: Document) -> str:
    """Return the amount due in words on an Indian bill in rupees, else an empty text."""
    if document.locale != "en_IN" or document.currency_code != "INR" or document.document_type not in BILLS:
        return ""
    return rupees_in_words(document.totals.amount_due) if document.totals else ""


def _amount_in_capitals(document: Document) -> str:
    """Return the total in capital numerals on a Chinese bill in yuan, else an empty text."""
    if document.locale != "zh_CN" or document.currency_code != "CNY" or document.document_type not in BILLS:
        return ""
    return amount_in_capitals(document.totals.total_with_vat) if document.totals else ""


def _currency_display(outline: DocumentOutline) -> CurrencyDisplay:
    """Return how totals show the currency: by its code if it is foreign, as its symbol could mean another currency."""
    if outline.knobs["ambiguous_currency"]:
        return "shared_symbol"
    is_foreign = outline.currency != outline.facts.currency_code
    return "code" if is_foreign else outline.habits.currency_display


def draw_number_style(
    random: Random, locale: str, habits: VendorHabits, knobs: Mapping[str, float], currency: str
) -> NumberStyle:
    """Draw the format of every number on the page: that of the locale, unless knobs ask for another.

    Lakhs and crores count rupees: an Indian bill in another currency has groups of three digits.
    """
    style = locale_number_style(locale)
    changes: dict[str, object] = {"lakh": style.lakh and currency == "INR"}
    if knobs["foreign_separators"]:
        # The separators of a country with the other decimal mark, so that the change shows in every number.
        point = style.decimal == "."
        changes |= {"decimal": "," if point else ".", "group": "." if point else ","}
        changes |= {"lakh": False, "shortest_group": 1}
    if knobs["rare_grouping"]:
        usual = {style.group, *(("'", "’") if style.group in ("'", "’") else ())}
        choices = [mark for mark in (APOSTROPHE, TYPOGRAPHIC_APOSTROPHE, NARROW_SPACE, "") if mark not in usual]
        changes |= {"group": random.choice(choices), "shortest_group": 1}
    if knobs["sign_styles"]:
        changes["negative"] = habits.negative
    if knobs["native_digits"]:
        arabic = locale.startswith("ar")
        changes["digits"] = "arabic" if arabic else "full_width"
        if arabic:
            changes |= {"decimal": "٫", "group": "٬"}
    return style.model_copy(update=changes)


def draw_labels(
    random: Random, locale: str, keys: Mapping[str, str], knobs: Mapping[str, float], *, capital_heads: bool
) -> dict[str, str]:
    """Draw the wording of each label on a page.

    Args:
        random: the stream to draw from.
        locale: the document's locale.
        keys: what each label is used for, and the key of its wordings (see `captions.labels_needed`).
        knobs: the knob values that were drawn for the document.
        capital_heads: whether table headers are in capitals.

    Returns:
        What each label is used for, and its wording. No two fields of a page's header, payment block and totals get
        the same one, and no two columns, unless a label has no other wording.
    """
    bilingual = bool(knobs["bilingual_labels"])
    labels = {}
    taken: tuple[dict[str, str], ...] = ({}, {})  # outside the table's head and in it: the key that has each wording
    for name, key in keys.items():
        is_column = name.startswith(("lines.", "entries.", "group_"))
        others = taken[is_column]
        free = [wording for wording, folded in folded_wordings(locale, key) if others.get(folded, key) == key]
        wording = _draw_wording(random, locale, key, free, rare=bool(knobs["label_synonyms"]))
        others[wording.casefold()] = key
        english = wordings("en_GB", key)[0] if not key.startswith("letter.") else wording
        text = f"{wording} / {english}" if bilingual and english.casefold() != wording.casefold() else wording
        labels[name] = text.upper() if capital_heads and is_column else text
    return labels


def _draw_wording(random: Random, locale: str, key: str, free: Sequence[str], *, rare: bool) -> str:
    """Draw one of the wordings of a label that are free; the n-th of the usual, or rare, ones has weight 1/n."""
    usual = usual_wordings(locale, key)
    choices = [wording for wording in free if (wording in usual) is not rare] or free or wordings(locale, key)
    return random.choices(choices, cum_weights=_weights_by_rank(len(choices)))[0]


@cache
def _weights_by_rank(count: int) -> tuple[float, ...]:
    """Return the weights 1, 1/2, 1/3, … of so many choices, summed up from the first on."""
    return tuple(accumulate(1 / rank for rank in range(1, count + 1)))


def draw_decoys(
    random: Random,
    locale: str,
    issued: dt.date,
    date_pattern: str,
    digits: str,
    absent: Sequence[str],
    knobs: Mapping[str, float],
) -> tuple[Decoy, ...]:
    """Draw decoys among the header fields: irrelevant dates, and labels of absent fields without a value.

    Args:
        random: the stream to draw from.
        locale: the document's locale.
        issued: the issue date; decoy dates are near it.
        date_pattern: the pattern of all dates on the page.
        digits: the set of digits of the page (see `NumberStyle.digits`).
        absent: label keys of the fields that the document lacks.
        knobs: the knob values that were drawn for the document.
    """
    decoys = []

    def written(day: dt.date) -> str:
        return write_date(day, locale, date_pattern, digits)

    if knobs["decoy_dates"]:
        earlier = issued - dt.timedelta(days=random.randint(2, 60))
        later = issued + dt.timedelta(days=random.randint(0, 20))
        texts = {
            "decoy.printed_on": written(later),
            "decoy.order_date": written(earlier),
            "decoy.service_period": f"{written(earlier)} - {written(issued)}",
            "decoy.customer_since": written(earlier - dt.timedelta(days=random.randint(200, 360))),
        }
        chosen = random.sample(list(texts), random.randint(1, 3))
        decoys += [Decoy(label=wordings(locale, key)[0], text=texts[key]) for key in chosen]
    if knobs["decoy_labels"] and absent:
        for key in random.sample(list(absent), min(len(absent), random.randint(1, 3))):
            empty = random.choice((*phrases(locale, "empty"), ""))
            decoys.append(Decoy(label=random.choice(wordings(locale, key)), text=empty))
    random.shuffle(decoys)
    return tuple(decoys)


def draw_seating(random: Random, locale: str) -> tuple[Decoy, ...]:
    """Draw table number, number of guests and server, as restaurants print them."""
    places = places_of(locale)
    texts = {
        "decoy.table": str(random.randint(1, 40)),
        "decoy.guests": str(random.randint(1, 8)),
        "cashier": places.write(random, random.choice(places.people)).split(" ")[0],
    }
    return tuple(Decoy(label=random.choice(wordings(locale, key)), text=text) for key, text in texts.items())
