"""A batch of pairs: every document has some, none comes twice, OTSL and tables survive writing and reading."""

import json
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.crops import apply_patches, crop
from finscribe_assets.instructions.otsl import from_otsl, to_otsl
from finscribe_assets.instructions.pair import OCR_PROMPT, Patch, Task, pairs_from_table, pairs_to_table
from finscribe_assets.instructions.pair_batch import build_pair_batch, read_pairs
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.instructions.task_mix import LINE_RECIPE, PairRecipe, make_pairs
from finscribe_assets.rendering.pages import Box, MarkType
from finscribe_assets.rendering.printed_rows import table_rows
from finscribe_assets.shards import LocalShardPool

cells = st.text(st.characters(blacklist_characters="<>", blacklist_categories=("C", "Z")), max_size=8)


@given(st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=6)))
def test_reading_otsl_inverts_writing_it(grid):
    assert from_otsl(to_otsl(grid)) == grid


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["<fcel>", "<ecel>", "<lcel>", "<nl>", "<fce", "x", "<xcel>"])).map("".join)
)
def test_malformed_otsl_never_raises(text):
    assert all(isinstance(row, list) for row in from_otsl(text))


def test_otsl_of_a_known_table():
    assert to_otsl([["Total", None], ["1", ""]]) == "<fcel>Total<lcel><nl><fcel>1<ecel><nl>"


def test_every_document_has_pairs_and_every_id_is_unique(batch):
    pairs = list(read_pairs(batch.folder / "pairs"))
    by_document = Counter(pair.document_id for pair in pairs)
    assert by_document.keys() == {drawn.id for drawn in batch.documents}
    assert min(by_document.values()) >= 5
    assert len({pair.id for pair in pairs}) == len(pairs)


def test_lines_are_verbatim_and_tables_have_every_row(batch):
    drawn = {document.id: document for document in batch.documents}
    rows: Counter[str] = Counter()
    tables: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)
    for pair in read_pairs(batch.folder / "pairs"):
        if pair.task is Task.OCR_LINE:
            assert pair.prompt == OCR_PROMPT
            assert pair.response in " ".join(drawn[pair.document_id].printed[pair.target].split()) or (
                "".join(pair.response.split()) in "".join(drawn[pair.document_id].printed[pair.target].split())
            )
        if pair.task is Task.TABLE:
            grid = from_otsl(pair.response)
            assert len({len(row) for row in grid}) == 1
            rows[pair.document_id] += len(grid)
            tables[pair.document_id].append(pair.pages)
    rendered = {document.id: document for document in batch.rendered}
    for name, document in drawn.items():
        printed = table_rows(document)
        heads = sum(row.cell_tag == "th" for row in printed)
        (table,) = rendered[name].of_type(MarkType.TABLE)
        if len(tables[name]) < len(table.fragments):
            continue  # a part is printed too small for the model
        repeated = (len(table.fragments) - 1) * heads if document.presentation.repeated_head else 0
        assert rows[name] == len(printed) + repeated, name


def test_absent_fields_are_absent(batch):
    drawn = {document.id: document for document in batch.documents}
    for pair in read_pairs(batch.folder / "pairs"):
        if pair.task is Task.ABSENT_FIELD:
            assert json.loads(pair.response) == {pair.target: None}
            assert pair.target not in flatten(drawn[pair.document_id].document.to_json())


def test_pairs_are_reproducible_and_survive_the_table(batch, tmp_path):
    first = make_pairs(batch.documents[0], batch.rendered[0], PairRecipe())
    assert first == make_pairs(batch.documents[0], batch.rendered[0], PairRecipe())
    assert pairs_from_table(pairs_to_table(first)) == first
    summary = build_pair_batch(
        batch.folder / "documents", batch.folder / "images", tmp_path, LocalShardPool(2), LINE_RECIPE
    )
    assert [file.read_bytes() for file in sorted(tmp_path.iterdir())] == [
        file.read_bytes() for file in sorted((batch.folder / "pairs").iterdir())
    ]
    assert summary.fewest_per_document >= 5


def test_unflatten_builds_lists_and_objects_from_field_paths():
    assert unflatten({"a.b": 1, "c[0].d": 2, "c[2].d": 3}) == {"a": {"b": 1}, "c": [{"d": 2}, {"d": 3}]}


def test_a_patch_in_colour_has_the_colour_of_the_paper_around_it():
    page = Image.new("RGB", (100, 50), (255, 240, 200))
    page.paste((20, 20, 160), (10, 10, 30, 16))
    patched = apply_patches(page, [Patch(0, Box(10, 10, 30, 16), Box(50, 30, 90, 36))])
    assert patched.getpixel((50, 33)) == (255, 240, 200)
    assert patched.getpixel((80, 33)) == (20, 20, 160)


def test_a_crop_is_clipped_to_the_page_and_must_not_be_empty():
    page = Image.new("L", (100, 50))
    assert crop(page, Box(-5, 40, 20, 80)).size == (22, 12)
    with pytest.raises(ValueError, match="no area"):
        crop(page, Box(200, 0, 210, 10))
