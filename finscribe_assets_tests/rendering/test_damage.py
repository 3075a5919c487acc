"""Damage: what each effect changes, that boxes follow the pixels, and that unreadable text is marked."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from finscribe_assets.documents.drawn_document import Colours
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.rendering.damage import chain, degrade, encode
from finscribe_assets.rendering.damage.bends import BENDS, creases_of, curl_of, fold_of
from finscribe_assets.rendering.damage.draws import Draw
from finscribe_assets.rendering.damage.legibility import can_be_supplied, legibility_of
from finscribe_assets.rendering.mark_boxes import lay_out
from finscribe_assets.rendering.page_colours import to_colour, to_grey, without_empty_colour
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType
from finscribe_assets.rendering.render import render

DPI = 80
SIZE = (930, 660)  # an A4 sheet
EFFECTS = (*DAMAGE_KNOBS, "degradation")
BENDING = ("skew", "perspective", "curl", "fold", "photo", "low_resolution", "degradation")

DRAWN = draw_document(seed_plan("batch-000", 1, 8, Recipe(knobs=NO_KNOBS, locales={"en_GB": 1.0})), 0)


def look(seed=4, text="ok", degradation=0.0, font=None, **damage):
    changes = {"noise_seed": seed, "stamp": text, "handwriting": text, "degradation": degradation, "damage": damage}
    return DRAWN.presentation.model_copy(update=changes | ({"font": font} if font else {}))


def alone(effect, strength, seed=4):
    return look(seed, **{effect: strength})


def mark(box, text="123.45", mark_type=MarkType.FIELD, page=0):
    return Mark(mark_type, f"mark at {box.x0} {box.y0}", (Fragment(page, box, text),))


def written(text="4,907.35", corners=((60, 40), (300, 200), (420, 640)), size=SIZE):
    """Return a page with a text at some corners (left, top), and a field's mark around each."""
    page, marks = np.full(size, 255, np.uint8), []
    for x, y in corners:
        (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
        cv2.putText(page, text, (x, y + height), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
        marks.append(mark(Box(x - 2, y - 2, x + width + 2, y + height + below), text))
    return page, marks


COLOURED_EFFECTS = ("highlighter", "pen_ring", "stamp", "signature", "handwritten_note", "coffee_stain", "photo")


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_page_captured_in_grey_stays_grey(effect):
    page, marks = written()
    changed = alone(effect, 1.0).model_copy(update={"colours": Colours.GREY})
    assert degrade([page], marks, changed, DPI)[0][0].ndim == 2


@pytest.mark.parametrize("effect", COLOURED_EFFECTS)
def test_what_people_add_to_black_print_is_coloured(effect):
    page, marks = written()
    changed = alone(effect, 1.0).model_copy(update={"colours": Colours.GREY_PRINT})
    (damaged,), _ = degrade([page], marks, changed, DPI)
    assert without_empty_colour(damaged).ndim == 3


@pytest.mark.parametrize("effect", [effect for effect in EFFECTS if effect != "photo"])  # desks have other colours
def test_a_coloured_page_is_damaged_like_a_grey_one(effect):
    page, marks = written()
    coloured = to_colour(page)
    coloured[100:130, 100:130] = (200, 30, 30)
    before = coloured.copy()
    (damaged,), moved = degrade([coloured], marks, alone(effect, 1.0), DPI)
    (as_grey,), moved_in_grey = degrade([to_grey(coloured)], marks, alone(effect, 1.0), DPI)
    assert np.array_equal(coloured, before)
    assert damaged.shape[:2] == as_grey.shape[:2]
    assert [mark.fragments[0].box for mark in moved] == [mark.fragments[0].box for mark in moved_in_grey]
    difference = to_grey(damaged).astype(float).mean() - to_grey(as_grey).astype(float).mean()
    assert abs(difference) < 3


def sides(box):
    return np.array([box.x0, box.y0, box.x1, box.y1])


@pytest.mark.parametrize("damage", [{}, dict.fromkeys(DAMAGE_KNOBS, 0.0)])
def test_without_strength_the_very_same_arrays_come_back(damage):
    page, marks = written()
    pages, before = [page, page.copy()], page.copy()
    damaged, moved = degrade(pages, marks, look(**damage), DPI)
    assert damaged is pages
    assert moved is marks
    assert np.array_equal(page, before)


def test_without_degradation_a_rendered_page_is_as_it_was_laid_out():
    coloured = DRAWN.presentation.model_copy(update={"colours": Colours.COLOUR})
    drawn = DRAWN.model_copy(update={"presentation": coloured})
    for page, pixels in zip(render(drawn, 72).pages, lay_out(to_markup(drawn), 72).pages, strict=True):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(page.image))), pixels)


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_is_reproducible_and_does_not_change_its_input(effect):
    page, marks = written()
    before = page.copy()
    damaged, moved = degrade([page, page], marks, alone(effect, 1.0), DPI)
    repeated, moved_again = degrade([page, page], marks, alone(effect, 1.0), DPI)
    other_seed, _ = degrade([page], marks, alone(effect, 1.0, seed=5), DPI)
    assert np.array_equal(page, before)
    assert all(np.array_equal(first, second) for first, second in zip(damaged, repeated, strict=True))
    assert moved == moved_again
    for picture in damaged:
        assert picture.dtype == np.uint8
        assert (picture.shape == SIZE) == (effect != "photo")
        assert not np.array_equal(picture, page)
    if effect != "jpeg":  # which uses no random numbers
        assert not np.array_equal(damaged[0], other_seed[0])
        assert not np.array_equal(damaged[0], damaged[1])


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_weak_effect_changes_less_than_a_strong_one(effect):
    page, marks = written()
    page[300:500, 100:500] = 128  # greys suffer too
    if effect in BENDING[:-2]:
        far = [
            max(
                np.abs(sides(after.fragments[0].box) - sides(before.fragments[0].box)).max()
                for before, after in zip(marks, degrade([page], marks, alone(effect, strength), DPI)[1], strict=True)
            )
            for strength in (0.1, 1.0)
        ]
    else:
        far = [
            np.abs(degrade([page], marks, alone(effect, strength), DPI)[0][0].astype(int) - page).mean()
            for strength in (0.1, 1.0)
        ]
    assert far[0] < far[1]


@pytest.mark.parametrize("ink_box", [Box(40, 50, 200, 70), Box(330, 400, 600, 425), Box(250, 840, 400, 900)])
@pytest.mark.parametrize("strength", [0.3, 1.0])
@pytest.mark.parametrize("effect", BENDING)
def test_boxes_follow(effect, strength, ink_box):
    page = np.full(SIZE, 255, np.uint8)
    page[int(ink_box.y0) : int(ink_box.y1), int(ink_box.x0) : int(ink_box.x1)] = 0
    (damaged,), (moved,) = degrade([page], [mark(ink_box)], alone(effect, strength), DPI)
    box = moved.fragments[0].box
    # Nothing else near it is as dark: a desk may be, beyond the sheet's edge.
    around = box.padded(12)
    top, left = max(0, int(around.y0)), max(0, int(around.x0))
    ink = np.argwhere(damaged[top : int(around.y1), left : int(around.x1)] < 60)
    (y0, x0), (y1, x1) = ink.min(axis=0), ink.max(axis=0) + 1
    assert np.abs(sides(box) - (x0 + left, y0 + top, x1 + left, y1 + top)).max() <= 3
    if strength == 1 and effect in ("skew", "perspective", "photo"):
        assert np.abs(sides(box) - sides(ink_box)).max() > 1


def test_a_box_holds_all_of_a_bowed_line():
    draws = [Draw("curl", 0, alone("curl", 1.0, seed), DPI) for seed in range(50)]
    arched = next(seed for seed, drawn in enumerate(draws) if curl_of(drawn, SIZE).power == 0)
    page = np.full(SIZE, 255, np.uint8)
    page[400:410, 60:600] = 0
    (damaged,), (moved,) = degrade([page], [mark(Box(60, 400, 600, 410))], alone("curl", 1.0, arched), DPI)
    ink = np.argwhere(damaged < 60)
    (y0, x0), (y1, x1) = ink.min(axis=0), ink.max(axis=0) + 1
    assert y1 - y0 > 15
    assert np.abs(sides(moved.fragments[0].box) - (x0, y0, x1, y1)).max() <= 3


def test_all_bends_together_carry_the_boxes_along():
    ink_box = Box(330, 400, 600, 425)
    page = np.full(SIZE, 255, np.uint8)
    page[400:425, 330:600] = 0
    everything = look(degradation=1.0, skew=1.0, perspective=0.7, curl=0.8, fold=0.6, photo=0.5)
    (damaged,), (moved,) = degrade([page], [mark(ink_box)], everything, DPI)
    box = moved.fragments[0].box
    ink = np.argwhere(damaged[int(box.y0) - 12 : int(box.y1) + 12, int(box.x0) - 12 : int(box.x1) + 12] < 60)
    (y0, x0), (y1, x1) = ink.min(axis=0), ink.max(axis=0) + 1
    ink_sides = np.array([x0, y0, x1, y1]) + np.tile([int(box.x0) - 12, int(box.y0) - 12], 2)
    assert np.abs(sides(box) - ink_sides).max() <= 3


@pytest.mark.parametrize("effect", ["skew", "curl", "fold", "degradation"])
def test_print_at_the_edge_of_the_paper_stays_in_the_picture(effect):
    roll = np.full((1400, 250), 255, np.uint8)  # long and narrow, so that it turns far out
    ink_boxes = [Box(2, 4, 60, 30), Box(190, 1366, 248, 1396), Box(2, 1366, 60, 1396), Box(190, 4, 248, 30)]
    for ink_box in ink_boxes:
        roll[int(ink_box.y0) : int(ink_box.y1), int(ink_box.x0) : int(ink_box.x1)] = 0
    (damaged,), moved = degrade([roll], [mark(ink_box) for ink_box in ink_boxes], alone(effect, 1.0), DPI)
    for moved_mark in moved:
        box = moved_mark.fragments[0].box
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= 250
        assert box.y1 <= 1400
        inside = damaged[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
        assert (inside < 128).mean() > 0.65


ON_PAPER = ("stamp", "signature", "handwritten_note", "coffee_stain", "punch_holes", "highlighter")


def test_print_of_a_long_slip_stays_in_its_photograph():
    corners = [(8, 20), (8, 1500), (8, 2950)]
    for seed in range(6):
        page, marks = written(corners=corners, size=(3000, 400))
        (picture,), moved = degrade([page], marks, look(seed, photo=1.0, skew=1.0, curl=1.0, fold=1.0), DPI)
        for moved_mark in moved:
            box = moved_mark.fragments[0].box
            assert min(box.x0, box.y0) >= 0
            assert box.x1 <= picture.shape[1]
            assert box.y1 <= picture.shape[0]


@pytest.mark.parametrize("name", ON_PAPER)
@pytest.mark.parametrize("other", ON_PAPER)
def test_an_effect_does_not_change_how_another_is_drawn(name, other):
    if name == other:
        return
    page = np.full(SIZE, 255, np.uint8)
    first, second, both = (
        degrade([page], [], look(**dict.fromkeys(names, 1.0)), DPI)[0][0]
        for names in ((name,), (other,), (name, other))
    )
    untouched = second == 255
    assert (first[untouched] < 255).sum() > 50
    assert np.array_equal(both[untouched], first[untouched])


def test_bends_are_drawn_alike_beside_others():
    page, marks = written()
    _, moved = degrade([page], marks, alone("skew", 0.6), DPI)
    _, beside = degrade([page], marks, look(skew=0.6, noise=1.0, stamp=1.0, blur=0.5, shadow=0.7), DPI)
    assert [alone.fragments[0].box for alone in moved] == [both.fragments[0].box for both in beside]


def test_marks_keep_their_order_names_texts_and_pages():
    page, marks = written()
    halves = Fragment(0, Box(10, 10, 600, 800), ""), Fragment(1, Box(10, 10, 600, 90), "")
    marks = [*marks, Mark(MarkType.TABLE, "line_items", halves)]
    damaged, moved = degrade([page, page], marks, look(skew=1.0, photo=1.0), DPI)
    assert len(damaged) == 2
    assert [(new.type, new.name, new.text) for new in moved] == [(old.type, old.name, old.text) for old in marks]
    assert [part.page for part in moved[-1].fragments] == [0, 1]


def test_a_value_under_a_hole_is_not_visible_and_others_are():
    holes, _ = degrade([np.full(SIZE, 255, np.uint8)], [], alone("punch_holes", 1.0), DPI)
    y, x = np.argwhere(holes[0] < 250).min(axis=0)  # the first hole's top; it is at least 13 pixels wide
    page, marks = written(corners=((int(x) - 4, int(y) + 4), (300, 200), (420, 640)))
    cell = mark(marks[0].fragments[0].box.padded(4), mark_type=MarkType.CELL)
    around = mark(Box(0, 0, 600, 900), "", mark_type=MarkType.REGION)
    punched = look(punch_holes=1.0, skew=0.5, degradation=0.3)
    _, moved = degrade([page], [*marks, cell, around], punched, DPI)
    assert [moved_mark.visible for moved_mark in moved] == [False, True, True, False, True]


def test_unreadable_text_stays_unreadable():
    page, marks = written()
    lost = Mark(marks[0].type, "lost", (Fragment(0, marks[0].fragments[0].box, "1", visible=False),))
    assert not degrade([page], [lost], alone("skew", 0.1), DPI)[1][0].visible


TEXT_BOX = Box(58, 38, 140, 58)


@pytest.mark.parametrize(
    ("spoil", "readable"),
    [
        (lambda page: page, True),
        (lambda page: cv2.GaussianBlur(page, (0, 0), 0.6), True),
        (lambda page: cv2.GaussianBlur(page, (0, 0), 2.6), False),
        (lambda page: cv2.convertScaleAbs(page, alpha=0.4), True),  # in the dark
        (lambda page: cv2.convertScaleAbs(page, alpha=0.05, beta=240), False),  # faded
        (
            lambda page: np.where(np.arange(SIZE[1]) < 70, 128, page).astype(np.uint8),
            False,
        ),  # the first digit is covered
        (
            lambda page: np.where(np.arange(SIZE[1]) > 170, 0, page).astype(np.uint8),
            True,
        ),  # what is beside it is covered
        (lambda page: np.random.default_rng(1).integers(0, 256, SIZE, dtype=np.uint8), False),
        (lambda page: np.clip(page + np.random.default_rng(1).normal(0, 20, SIZE), 0, 255).astype(np.uint8), True),
    ],
)
def test_legibility(spoil, readable):
    page, _ = written()
    assert legibility_of(page, spoil(page), [TEXT_BOX], DPI).readable.tolist() == [readable]


def test_the_second_line_of_a_cell_counts():
    page, marks = written(corners=((60, 40), (60, 62)))
    box = marks[0].fragments[0].box.around(marks[1].fragments[0].box)
    spoilt = page.copy()
    spoilt[60:80] = 255
    assert legibility_of(page, page, [box], DPI).readable.all()
    assert not legibility_of(page, spoilt, [box], DPI).readable.any()


@pytest.mark.parametrize(
    ("text", "hidden", "readable"),
    [
        ("Interieurfilter", (0, 0.2), True),
        ("Interieurfilter", (0, 0.4), False),  # too much of the word
        ("Norddruck Verlag GmbH", (0.82, 1), False),  # a word of four letters that has lost all
        ("Norddruck Verlag GmbH", (0.05, 0.15), True),
        ("Industriezeile 28", (0, 0.15), True),
        ("Industriezeile 28", (0.8, 0.95), False),  # the number
        ("1.234,50", (0.1, 0.3), False),
        ("XISSOB", (0, 0.2), False),  # a code
        ("合同会社共立", (0, 0.2), False),
    ],
)
def test_a_hole_through_a_longer_word_leaves_it_readable_and_one_through_a_digit_does_not(text, hidden, readable):
    assert can_be_supplied(text, np.array([hidden])) is readable


def test_a_value_with_a_hole_through_few_letters_stays_readable():
    page = np.full((80, 400), 255, np.uint8)
    cv2.putText(page, "Norddruckerei Verlag", (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2)
    (width, _), _ = cv2.getTextSize("Norddruckerei Verlag", cv2.FONT_HERSHEY_SIMPLEX, 0.9, 2)
    box = Box(20, 22, 20 + width, 52)
    punched = cv2.circle(page.copy(), (60, 34), 13, 0, -1)
    assert legibility_of(page, punched, [box], 2 * DPI, ["Norddruckerei Verlag"]).readable.all()
    assert not legibility_of(page, punched, [box], 2 * DPI, ["4711081512345 Verlag"]).readable.any()
    erased = np.full_like(page, 255)
    assert not legibility_of(page, erased, [box], 2 * DPI, ["Norddruckerei Verlag"]).readable.any()


def test_a_box_without_print_counts_as_readable():
    page, _ = written()
    assert legibility_of(page, np.zeros_like(page), [Box(400, 400, 450, 420)], DPI).readable.all()


def test_effects_that_are_not_measured_leave_every_value_readable(monkeypatch):
    unmeasured = look(**dict.fromkeys(chain.HARMLESS_EFFECTS, 1.0))
    small = draw_document(
        seed_plan("batch-000", 1, 8, Recipe(knobs=NO_KNOBS.model_copy(update={"small_print": 1.0}))), 0
    )
    laid_out = lay_out(to_markup(small), 144)
    monkeypatch.setattr(chain, "HARMLESS_EFFECTS", set())
    _, moved = degrade(laid_out.pages, laid_out.marks, unmeasured, 144)
    assert [moved_mark.name for moved_mark in moved if not moved_mark.visible] == []


@pytest.mark.parametrize(
    ("font", "text"),
    [
        ("Noto Sans CJK JP", "領収済"),
        ("Noto Naskh Arabic", "مدفوع"),
        ("Liberation Serif", "zapłacone"),
    ],
)
def test_stamps_and_notes_are_written_in_every_script(font, text):
    page, _ = written()
    for effect in ("stamp", "handwritten_note"):
        with_text, with_ok = (
            degrade([page], [], look(text=wording, font=font, **{effect: 1.0}), DPI)[0][0] for wording in (text, "OK")
        )
        assert (with_text != page).sum() > 200
        assert not np.array_equal(with_text, with_ok)


def test_a_clean_page_is_a_png_and_a_damaged_one_a_jpeg():
    page, _ = written()
    clean = encode(page, look())
    assert clean.startswith(b"\x89PNG")
    assert np.array_equal(cv2.imdecode(np.frombuffer(clean, np.uint8), cv2.IMREAD_GRAYSCALE), page)
    looks = look(skew=0.5), look(degradation=1.0), look(jpeg=0.5), look(jpeg=1.0)
    files = [encode(page, damaged) for damaged in looks]
    assert all(file.startswith(b"\xff\xd8") for file in files)
    assert [len(file) for file in files] == sorted({len(file) for file in files}, reverse=True)


def test_a_page_without_pixels_is_refused():
    with pytest.raises(ValueError, match="0 × 0 pixels"):
        encode(np.zeros((0, 0), np.uint8), look())


def test_every_effect_of_the_recipe_exists():
    # The tone of paper and ink is set by a recipe itself, not by a knob.
    assert {*chain.SHEET_EFFECTS, *BENDS, *chain.PICTURE_EFFECTS} - {chain.TONE} == {*EFFECTS}


def test_a_fold_bends_the_sheet_at_its_shaded_creases(monkeypatch):
    page, marks = written()
    folds = []
    monkeypatch.setitem(BENDS, "fold", lambda draw, size: folds.append(fold_of(draw, size)) or folds[-1])
    degrade([page], marks, alone("fold", 1.0), DPI)
    creases = creases_of(Draw("fold", 0, alone("fold", 1.0), DPI), SIZE)  # as the shading draws them
    assert folds[0].knots[2:-2].tolist() == creases.tolist()
