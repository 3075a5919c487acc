from collections import Counter
from random import Random

import numpy as np
import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.model.line_images import LineType
from finscribe_assets.pretraining import line_corpus
from finscribe_assets.pretraining.base_recipe import (
    BASE_RECIPE,
    SCORED_SLICES,
    UNSEEN_FONTS,
    UNSEEN_KNOBS,
    UNSEEN_LOCALE,
)
from finscribe_assets.shards import LocalShardPool

PLAN = seed_plan("batch-000", 300, 11, BASE_RECIPE)


def test_nothing_held_out_is_drawn_for_the_base():
    drawn = [draw_document(PLAN, index) for index in range(300)]
    assert UNSEEN_LOCALE not in {document.document.locale for document in drawn}
    assert not set(UNSEEN_FONTS) & {document.presentation.font for document in drawn}
    assert not any(document.knobs[knob] for document in drawn for knob in UNSEEN_KNOBS)


def test_each_slice_draws_what_it_is_named_for():
    held_out = {
        "locale": lambda drawn: drawn.document.locale == UNSEEN_LOCALE,
        "fonts": lambda drawn: drawn.presentation.font in UNSEEN_FONTS,
        "reversed_print": lambda drawn: drawn.presentation.reversed_print,
        "confusable_identifiers": lambda drawn: drawn.knobs["confusable_identifiers"] == 1,
    }
    for name, held in held_out.items():
        for wanted in (name, "all_held_out"):
            plan = seed_plan("batch-000", 20, 1, SCORED_SLICES[wanted])
            assert all(held(draw_document(plan, index)) for index in range(20))


def test_lines_depend_on_plan_and_index_alone():
    for source in line_corpus.LINE_SOURCES.values():
        first, again = source(PLAN, 3), source(PLAN, 3)
        assert len(first) > 5
        assert all(a.text == b.text and np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
        assert [line.text for line in source(PLAN, 4)] != [line.text for line in first]


def test_a_drawn_glyphs_place_is_where_its_ink_is():
    """Of a text with one dark character between spaces, the ink is around that character's stated centre."""
    for seed in range(40):
        line = line_corpus.draw_line(Random(seed), "   H   ")
        darkness = 255.0 - line.pixels.astype(float)
        darkness = np.where(darkness > darkness.max() / 2, darkness, 0)
        centre = (darkness.sum(axis=0) * (np.arange(line.pixels.shape[1]) + 0.5)).sum() / darkness.sum()
        assert abs(centre - line.centres[3]) < 3


def test_rendered_lines_are_some_of_what_the_document_prints():
    found = line_corpus.rendered_lines(PLAN, 3)
    cutter = line_corpus.line_cutter(PLAN, 3)
    counts = Counter(line.line_type for line in found)
    assert all(0 < counts[kind] <= most for kind, most in line_corpus.MAX_LINES_PER_DOCUMENT.items())
    assert {line.text for line in found if line.line_type is LineType.FIELD} <= {
        line.text for line in cutter.field_lines()
    }
    assert line_corpus.with_plain_spaces(draw_document(PLAN, 3).printed["totals.amount_due"]) in {
        line.text for line in cutter.field_lines()
    }
    assert all(line.text.endswith("<nl>") == (line.line_type is LineType.ROW) for line in found)
    assert all(len(line.text) <= line_corpus.MAX_LINE_CHARACTERS[line.line_type] for line in found)


def test_prepared_lines_come_back_and_are_made_once(tmp_path):
    line_corpus.prepare_lines("drawn", 3, 11, tmp_path, LocalShardPool(1))
    plan = seed_plan("batch-000", 3, 11, BASE_RECIPE)
    wanted = [line for index in range(3) for line in line_corpus.drawn_lines(plan, index)]
    loaded = line_corpus.load_lines(tmp_path)
    assert [(line.text, line.line_type) for line in loaded] == [(line.text, line.line_type) for line in wanted]
    assert all(np.array_equal(line.pixels, want.pixels) for line, want in zip(loaded, wanted, strict=True))
    assert np.allclose(loaded[5].centres, wanted[5].centres, atol=1e-3)
    done: list[int] = []
    line_corpus.prepare_lines("drawn", 3, 11, tmp_path, LocalShardPool(1), on_shard=done.append)
    assert done == [3], "all of them are there already"
    line_corpus.prepare_lines("drawn", 3, 12, tmp_path, LocalShardPool(1), on_shard=done.append)
    assert done[1:] == [0, 3], "another seed is other lines"


def test_a_font_that_is_not_installed_is_refused():
    with pytest.raises(ValueError, match="'No Such Family' is not installed"):
        line_corpus._font_file("No Such Family", False)
