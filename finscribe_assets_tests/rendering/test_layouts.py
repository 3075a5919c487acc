"""Template families: each prints every value once, alike in both engines, with a table and a structure of its own."""

import math
from collections import Counter
from functools import cache
from itertools import combinations
from random import Random

import pytest
from lxml import etree

from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.fonts import fonts_for
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.headings import Heading
from finscribe_assets.documents.held_out import HELD_OUT_FONTS, HELD_OUT_LAYOUTS, is_held_out_wording
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE, PAGE_LABELS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.presentation_drawing import draw_seating
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.styling import draw_style
from finscribe_assets.documents.vendor_habits import vendor_habits
from finscribe_assets.documents.vendors import vendor
from finscribe_assets.documents.wordings import label_keys, wordings
from finscribe_assets.pretraining.base_recipe import BASE_RECIPE, EMBEDDED_RECIPE
from finscribe_assets.rendering.column_widths import TABLE_STYLES
from finscribe_assets.rendering.mark_boxes import LaidOutDocument, lay_out
from finscribe_assets.rendering.page_checks import layout_problems
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import Box, MarkType

DPI = 72
FAMILIES = list(LAYOUT_FACTS)
HARD = dict.fromkeys(
    (
        "optional_fields",
        "third_parties",
        "long_amounts",
        "discounts",
        "charges",
        "several_rates",
        "decoy_dates",
        "decoy_labels",
        "list_prices",
        "wrapped_descriptions",
        "repeated_headers",
    ),
    1.0,
)
KNOBS = (
    "parties_side_by_side",
    "label_distance",
    "unlabelled_values",
    "borderless_tables",
    "reversed_print",
    "merged_headers",
    "bilingual_labels",
    "many_lines",
)


def documents(layout: str, count: int, locale: str = "de_DE", font: str = "Liberation Sans", **knobs: float) -> list:
    document_type = LAYOUT_FACTS[layout].document_types[0]
    fonts = {font: 1.0} if font in fonts_for(locale) else dict.fromkeys(fonts_for(locale), 1.0)
    recipe = Recipe(
        document_types={document_type: 1.0},
        locales={locale: 1.0},
        fonts=fonts,
        layouts={layout: 1.0},
        knobs=NO_KNOBS.model_copy(update=knobs),
    )
    plan = seed_plan("batch-000", count, 4, recipe)
    return [draw_document(plan, index) for index in range(count)]


def with_look(drawn: DrawnDocument, **changes: object) -> DrawnDocument:
    return drawn.model_copy(update={"presentation": drawn.presentation.model_copy(update=changes)})


def with_style(drawn: DrawnDocument, **changes: object) -> DrawnDocument:
    return with_look(drawn, style=drawn.presentation.style.model_copy(update=changes))


def laid_out(drawn: DrawnDocument, engine: Engine = Engine.PLUTOPRINT, dpi: int = DPI) -> LaidOutDocument:
    return lay_out(to_markup(drawn, engine), dpi)


def of_type(pages: LaidOutDocument, mark_type: MarkType) -> dict:
    return {mark.name: mark for mark in pages.marks if mark.type is mark_type}


@pytest.mark.parametrize("layout", FAMILIES)
def test_both_engines_show_the_same_page(layout):
    """On a narrow roll one engine may break a heading that just fits for the other; then a second document decides."""
    first, second = documents(layout, 2, optional_fields=1.0)
    assert pixels_apart(first) <= 4 or pixels_apart(second) <= 4


def pixels_apart(drawn: DrawnDocument) -> float:
    """Return the largest distance between the boxes that both engines give a field."""
    weasyprint, plutoprint = (laid_out(drawn, engine) for engine in (Engine.WEASYPRINT, Engine.PLUTOPRINT))
    assert {(mark.type, mark.name) for mark in weasyprint.marks} == {
        (mark.type, mark.name) for mark in plutoprint.marks
    }
    assert len(weasyprint.pages) == len(plutoprint.pages)
    fields = of_type(plutoprint, MarkType.FIELD)
    assert fields.keys() == drawn.printed.keys()
    furthest = 0.0
    for name, mark in of_type(weasyprint, MarkType.FIELD).items():
        assert mark.text == fields[name].text
        for a, b in zip(mark.fragments, fields[name].fragments, strict=True):
            assert a.page == b.page
            # One engine's boxes are as tall as the font size, the other's as the font's extent; their middles agree.
            apart = (a.box.x0 - b.box.x0, a.box.x1 - b.box.x1, (a.box.y0 + a.box.y1 - b.box.y0 - b.box.y1) / 2)
            furthest = max(furthest, *map(abs, apart))
    return furthest


@pytest.mark.parametrize("layout", FAMILIES)
def test_every_value_is_printed_exactly_once_whatever_the_knobs(layout):
    acting = [{}, HARD, *({**HARD, name: 1.0} for name in KNOBS)]
    for drawn in (document for knobs in acting for document in documents(layout, 2, **knobs)):
        markup = to_markup(drawn, Engine.PLUTOPRINT)
        marked = Counter(element.name for element in markup.elements if element.type is MarkType.FIELD)
        assert marked == Counter(drawn.printed.keys())
        page = etree.fromstring(markup.html.strip().encode())
        text = "".join("".join(page.find("{*}body").itertext()).split())
        for path in ("document_number", "seller.name", "payment_account", "buyer.name"):
            if path in drawn.printed:
                assert text.count("".join(drawn.printed[path].split())) == 1, path


@pytest.mark.parametrize("layout", FAMILIES)
@pytest.mark.parametrize(
    "knobs",
    [
        HARD | {"many_lines": 1.0},
        HARD | {"parties_side_by_side": 1.0, "small_print": 1.0},
        {"label_distance": 1.0, "bilingual_labels": 1.0},
    ],
)
def test_nothing_extends_beyond_its_cell_or_region(layout, knobs):
    locale = LOCALES[(FAMILIES.index(layout) * 3 + len(knobs)) % len(LOCALES)]
    (drawn,) = documents(layout, 1, locale, **knobs)
    assert layout_problems(drawn, laid_out(drawn, dpi=50)) == []


STYLES = (
    {
        "side_margin": 22.0,
        "line_height": 1.55,
        "row_height": 1.6,
        "labels": "colon",
        "label_type": "bold",
        "totals": "full",
        "totals_frame": "boxed",
        "head": "tinted",
        "rules": "grid",
        "logo": "bars",
        "title_size": 1.3,
        "name_size": 1.4,
        "roll": 58,
        "stacked": True,
        "page_numbers": "slash",
    },
    {
        "side_margin": 12.0,
        "line_height": 1.28,
        "row_height": 0.75,
        "labels": "above",
        "label_type": "small",
        "totals": "start",
        "totals_frame": "heavy",
        "head": "small",
        "rules": "columns",
        "logo": "diamond",
        "title": "spaced",
        "page_numbers": "word",
        "page_number_place": "top-end",
        "running_title": True,
    },
)


@pytest.mark.parametrize("layout", FAMILIES)
@pytest.mark.parametrize("style", STYLES)
def test_every_family_holds_every_style(layout, style):
    drawn = with_style(documents(layout, 1, optional_fields=1.0, wrapped_descriptions=1.0)[0], **style)
    assert layout_problems(drawn, laid_out(drawn, dpi=50)) == []


def as_layout(drawn: DrawnDocument, layout: str) -> DrawnDocument:
    """Return the same document in another template family."""
    facts, locale = LAYOUT_FACTS[layout], drawn.document.locale
    labels = {name: wordings(locale, key)[0] for name, key in {**facts.labels, **PAGE_LABELS}.items()}
    seating = draw_seating(Random(1), locale) if facts.seating else ()
    return with_look(drawn, layout=layout, labels=drawn.presentation.labels | labels, seating=seating)


def arrangement(pages: LaidOutDocument) -> frozenset[tuple[str, str, str]]:
    """Return the relative positions of regions and table, whatever their sizes."""
    fragments_of = {name: mark.fragments for name, mark in of_type(pages, MarkType.REGION).items()}
    (fragments_of["table"],) = (mark.fragments for mark in of_type(pages, MarkType.TABLE).values())
    hulls: dict[str, Box] = {}
    for name, fragments in fragments_of.items():
        hulls[name] = fragments[0].box
        for part in fragments[1:]:
            hulls[name] = hulls[name].around(part.box)

    def relation(a: Box, b: Box) -> str:
        if a.y1 <= b.y0 + 2 or b.y1 <= a.y0 + 2:
            return "above" if a.y0 < b.y0 else "below"
        return "before" if a.x0 < b.x0 else "after"

    return frozenset(
        (first, second, relation(hulls[first], hulls[second])) for first, second in combinations(sorted(hulls), 2)
    )


def test_no_two_families_have_the_same_template_and_table():
    kinds = [(facts.template or name, TABLE_STYLES[name]) for name, facts in LAYOUT_FACTS.items()]
    assert all(first != second for first, second in combinations(kinds, 2))
    assert TABLE_STYLES.keys() == LAYOUT_FACTS.keys()


@pytest.mark.parametrize("document_type", [DocumentType.INVOICE, DocumentType.PURCHASE_ORDER])
def test_the_head_is_the_vendors_not_the_familys(document_type):
    """A document has the same head in every family, but for a sidebar and sheets in landscape."""
    families = [
        name
        for name in LAYOUTS_BY_TYPE[document_type]
        if name != "invoice_sidebar" and not LAYOUT_FACTS[name].landscape
    ]
    for drawn in documents(families[0], 4, optional_fields=1.0):
        assert len({head_of(laid_out(as_layout(drawn, layout))) for layout in families}) == 1
    # The same cannot be said of other documents: else every head would look alike to this test.
    assert len({head_of(laid_out(drawn)) for drawn in documents(families[0], 4, optional_fields=1.0)}) > 1


def head_of(pages: LaidOutDocument) -> tuple[tuple[int, int], ...]:
    """Return how the upper left corners of the head's parts lie to each other; their heights depend on the family."""
    regions = of_type(pages, MarkType.REGION)
    corners = [regions[name].fragments[0].box for name in ("buyer", "header", "seller")]
    return tuple(
        (round(math.copysign(abs(across) > 12, across)), round(math.copysign(abs(down) > 12, down)))
        for across, down in ((b.x0 - a.x0, b.y0 - a.y0) for a, b in combinations(corners, 2))
    )


def test_vendors_have_many_heads():
    heads = [draw_style(seller, DocumentType.INVOICE, "#1f3a5f").heading for seller in sellers()]
    assert len({tuple(row.cells for row in heading.rows) for heading in heads}) > 0.9 * len(heads)
    assert len({tuple(tuple(cell.blocks for cell in row.cells) for row in heading.rows) for heading in heads}) > 40
    for heading in heads:
        blocks = Counter(block for row in heading.rows for cell in row.cells for block in cell.blocks)
        assert blocks == Counter(("title", "logo", "issuer", "recipient", "header"))
        assert all(sum(cell.share for cell in row.cells) == pytest.approx(1, abs=0.01) for row in heading.rows)


@pytest.mark.parametrize("layout", FAMILIES)
def test_arabic_pages_are_mirrored(layout):
    heads = {}
    for locale in ("en_GB", "ar_AE"):
        drawn = with_style(documents(layout, 1, locale)[0], stacked=False, roll=80)
        cells = of_type(laid_out(drawn), MarkType.CELL)
        last = len(drawn.presentation.columns) - 1
        heads[locale] = cells["0:0"].fragments[0].box.x0 < cells[f"0:{last}"].fragments[0].box.x0
    assert heads == {"en_GB": True, "ar_AE": False}


def test_parties_and_totals_of_arabic_pages_stand_on_the_other_side():
    for locale, mirrored in (("en_GB", False), ("ar_AE", True)):
        # The issuer's column comes before the header's in the usual head, which is not every vendor's.
        drawn = with_style(documents("invoice_classic", 1, locale)[0], totals="end", heading=Heading())
        regions = {name: mark.fragments[0].box for name, mark in of_type(laid_out(drawn), MarkType.REGION).items()}
        assert (regions["seller"].x0 > regions["header"].x0) is mirrored
        middle = laid_out(drawn).pages[0].shape[1] / 2
        assert (regions["totals"].x1 < middle + 40) is mirrored


def test_an_item_on_a_till_roll_may_take_two_printed_rows():
    drawn = with_style(documents("receipt_till", 1, wrapped_descriptions=1.0)[0], stacked=True, roll=58)
    pages = laid_out(drawn)
    cells, columns = of_type(pages, MarkType.CELL), drawn.presentation.columns
    for row in range(len(drawn.document.lines)):
        above = cells[f"{2 * row + 2}:0:{len(columns)}"]
        assert above.text == drawn.printed[f"lines[{row}].item_name"]
        below = {column: cells[f"{2 * row + 3}:{position}"] for position, column in enumerate(columns)}
        assert below["item_name"].text == ""
        assert below["quantity"].text == drawn.printed[f"lines[{row}].quantity"]
        assert above.fragments[0].box.y1 <= below["quantity"].fragments[0].box.y0 + 2
    assert max(page.shape[1] for page in pages.pages) == pytest.approx(58 / 25.4 * DPI, abs=1.5)


def test_continuation_sheets_carry_their_sum_to_the_next():
    (drawn,) = documents("invoice_continued", 1)
    pages = laid_out(drawn)
    fields, cells = of_type(pages, MarkType.FIELD), of_type(pages, MarkType.CELL)
    assert len(pages.pages) == len(drawn.document.page_subtotals) + 1 > 1
    assert all(page.shape[1] > page.shape[0] for page in pages.pages)
    for number, subtotal in enumerate(drawn.document.page_subtotals):
        assert fields[f"page_subtotals[{number}].amount"].fragments[0].page == number
        assert fields[f"lines[{int(subtotal.after)}].item_name"].fragments[0].page == number + 1
    assert [part.page for part in cells["0:0"].fragments] in ([0], list(range(len(pages.pages))))
    assert fields["totals.amount_due"].fragments[0].page == len(pages.pages) - 1


@cache
def sellers() -> tuple:
    return tuple(vendor(locale, number) for locale in ("en_GB", "en_IN") for number in range(60))


def test_a_vendor_has_one_style_for_each_document_type_whatever_the_recipe():
    recipes = (Recipe(), Recipe(fonts={"Lato": 1.0}, locales={"en_GB": 1.0}, layouts=BASE_RECIPE.layouts))
    for seller in sellers()[:20]:
        first, second = (vendor_habits(seller, DocumentType.INVOICE, recipe) for recipe in recipes)
        assert first.style == second.style == draw_style(seller, DocumentType.INVOICE, first.accent)
        assert (first.column_order, first.accent) == (second.column_order, second.accent)
    documents_drawn = [
        draw_document(seed_plan(f"batch-{batch:03d}", 150, batch, Recipe(locales={"en_GB": 1.0})), index)
        for batch in (1, 2)
        for index in range(60)
    ]
    styles: dict[tuple, set] = {}
    for drawn in documents_drawn:
        key = (drawn.vendor, drawn.document.document_type)
        styles.setdefault(key, set()).add(drawn.presentation.style.model_dump_json())
    assert all(len(of_vendor) == 1 for of_vendor in styles.values())
    assert len(set.union(*styles.values())) == len(styles) < len(documents_drawn)


def test_every_choice_of_a_style_is_drawn():
    styles = [draw_style(seller, document_type, "#1f3a5f") for seller in sellers() for document_type in DocumentType]
    for name in (
        "rules",
        "head",
        "title",
        "labels",
        "label_type",
        "totals",
        "totals_frame",
        "logo",
        "page_numbers",
        "page_number_place",
        "roll",
        "stacked",
        "typewriter",
        "running_title",
        "second_title",
    ):
        assert len({getattr(style, name) for style in styles}) > 1, name
    assert all(style.stacked for style in styles if style.roll == 58)
    assert any("\u0900" <= style.second_title[:1] <= "\u097f" for style in styles)


def shares(recipe: Recipe, document_type: DocumentType) -> dict[str, float]:
    counts = Counter(vendor_habits(seller, document_type, recipe).layout for seller in sellers())
    return {layout: count / len(sellers()) for layout, count in counts.items()}


def test_layouts_are_drawn_by_their_weights():
    recipe = Recipe(
        layouts=dict.fromkeys(LAYOUT_FACTS, 0.0) | {"invoice_open": 3.0, "invoice_boxed": 1.0},
        document_types={DocumentType.INVOICE: 1.0},
    )
    drawn = shares(recipe, DocumentType.INVOICE)
    assert drawn.keys() == {"invoice_open", "invoice_boxed"}
    assert 0.62 < drawn["invoice_open"] < 0.88
    even = shares(Recipe(), DocumentType.CREDIT_NOTE)
    assert even.keys() == set(LAYOUTS_BY_TYPE[DocumentType.CREDIT_NOTE])
    assert max(even.values()) < 0.3


def test_a_restaurants_bill_is_a_caterers_unless_nothing_else_is_left():
    of_trade = {seller: vendor_habits(seller, DocumentType.RECEIPT, Recipe()).layout for seller in sellers()}
    users = {seller.trade for seller, layout in of_trade.items() if layout == "receipt_restaurant"}
    assert users and users <= {"restaurant", "cafe", "bar"}
    only = Recipe(layouts={"receipt_restaurant": 1.0}, document_types={DocumentType.RECEIPT: 1.0})
    assert shares(only, DocumentType.RECEIPT) == {"receipt_restaurant": 1.0}


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"layouts": {"invoice_fancy": 1}}, r"layouts: unknown invoice_fancy; known are .*invoice_classic"),
        (
            {"layouts": {"invoice_open": 1}},
            r"layouts: .* receipt; give a weight to one of receipt_till, .*, or remove receipt from document_types",
        ),
        ({"layouts": {"invoice_open": 0}}, r"layouts: every weight is zero"),
        ({"layouts": {"invoice_open": -1}}, r"greater than or equal to 0"),
    ],
)
def test_impossible_layouts_are_refused_with_what_is_allowed(recipe, message):
    with pytest.raises(ValueError, match=message):
        Recipe.model_validate(recipe)


def test_the_embedded_base_has_seen_no_layout_that_is_held_out():
    for recipe in (BASE_RECIPE, EMBEDDED_RECIPE):
        drawn = {draw_document(seed_plan("batch-000", 60, 5, recipe), index).presentation.layout for index in range(60)}
        assert not drawn & set(HELD_OUT_LAYOUTS)
        assert {"invoice_boxed", "invoice_letter", "statement_plain"} <= drawn


def test_what_is_held_out_leaves_something_to_learn_from():
    for document_type, layouts in LAYOUTS_BY_TYPE.items():
        assert set(layouts) & set(HELD_OUT_LAYOUTS), document_type
        assert len(set(layouts) - set(HELD_OUT_LAYOUTS)) >= 2, document_type
    for locale in LOCALES:
        assert set(fonts_for(locale)) & set(HELD_OUT_FONTS), locale
        assert len(set(fonts_for(locale)) - set(HELD_OUT_FONTS)) >= 3, locale
    assert is_held_out_wording("en_GB", "columns.item_name", wordings("en_GB", "columns.item_name")[-1].upper())
    assert not is_held_out_wording("en_GB", "columns.item_name", wordings("en_GB", "columns.item_name")[0])
    assert not is_held_out_wording("en_GB", "carried_forward", wordings("en_GB", "carried_forward")[-1])
    for locale in LOCALES:
        known = [key for key in label_keys() if is_held_out_wording(locale, key, wordings(locale, key)[-1])]
        assert len(known) >= 3, locale


def test_every_family_describes_its_structure():
    structures = [facts.structure for facts in LAYOUT_FACTS.values()]
    assert len(set(structures)) == len(structures) >= 12
    assert all(20 <= len(text) < 220 and text.endswith(".") for text in structures)
