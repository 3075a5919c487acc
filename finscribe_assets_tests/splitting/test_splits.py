"""Splits share no group, document or page; what is held out stays out of training; the test split is frozen."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.captions import labels_needed
from finscribe_assets.documents.document_batch import read_documents, synthesize
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.held_out import HELD_OUT_FONTS, HELD_OUT_LOCALES, MIN_WORDINGS_TO_HOLD_OUT
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.wordings import wordings
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.pretraining import base_recipe
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, UNSEEN_LOCALE
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.exposure import (
    HELD_OUT_VALUES,
    Exposure,
    ItemNames,
    compare_item_names,
    count_strata,
    degradation_level,
    document_exposures,
    has_held_out_wording,
    held_out_attributes,
)
from finscribe_assets.splitting.leak_checks import find_leaks
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set, read_manifest
from finscribe_assets.splitting.page_hashes import PageHash, read_hashes
from finscribe_assets.splitting.split_assignment import Split, assign_first_batch, assign_later_group
from finscribe_assets.splitting.split_table import SplitRow, read_splits

USED = {Split.TRAIN, Split.VALIDATION, Split.TEST}
GROUPS = st.dictionaries(st.text(min_size=1, max_size=12), st.integers(1, 4), min_size=3, max_size=60)


@given(GROUPS)
def test_every_split_of_a_first_batch_is_filled_close_to_its_share(groups):
    assigned = assign_first_batch(groups)
    total = sum(groups.values())
    sizes = Counter(
        {split: sum(groups[group] for group in groups if assigned[group] is split) for split in assigned.values()}
    )
    assert set(sizes) == USED
    for split in (Split.VALIDATION, Split.TEST):
        assert sizes[split] <= max(0.15 * total, 0.1 * total + 4, 4)


@given(GROUPS, st.sets(st.text(min_size=1, max_size=12)))
def test_held_out_groups_come_on_top_of_the_shares_and_never_into_training(groups, names):
    held_out = {f"held out {name}" for name in names}
    assigned = assign_first_batch(groups | dict.fromkeys(held_out, 2), held_out)
    assert {group: assigned[group] for group in groups} == assign_first_batch(groups)
    assert {assigned[group] for group in held_out} <= {Split.VALIDATION, Split.TEST}


def test_shares_are_80_10_10_on_many_groups():
    sizes = Counter(assign_first_batch({f"layout/{number}": 2 for number in range(500)}).values())
    assert sizes[Split.VALIDATION] == sizes[Split.TEST] == 50
    names = {f"layout/{number}" for number in range(1000)}
    held_out = Counter(assign_first_batch(dict.fromkeys([*names, "a", "b", "c"], 1), names).values())
    assert abs(held_out[Split.TEST] - 500) < 60


def test_the_error_for_too_few_groups_says_what_to_do():
    with pytest.raises(ValueError, match="make a batch of more documents"):
        assign_first_batch({"one": 5, "two": 5})
    with pytest.raises(ValueError, match=r"2 groups .* \(besides 1 that are held out\).* or hold nothing out"):
        assign_first_batch({"one": 5, "two": 5, "three": 5}, {"three"})


def test_a_known_group_keeps_its_split_and_the_test_split_is_frozen():
    assert assign_later_group("any", {"any": Split.VALIDATION}) is Split.VALIDATION
    assert assign_later_group("any", {"any": Split.TEST}) is Split.HELD_BACK
    assert assign_later_group("any", {"any": Split.HELD_BACK}) is Split.HELD_BACK


def test_new_groups_of_a_later_batch_are_for_training():
    known = assign_first_batch({f"layout/{number}": 2 for number in range(50)})
    assert {assign_later_group(f"layout/{number}", known) for number in range(50, 1000)} == {Split.TRAIN}


@pytest.fixture(scope="module")
def two_batches(batch, tmp_path_factory):
    """The inputs of the shared batch and of another one."""
    folder = tmp_path_factory.mktemp("second")
    pool, plan = LocalShardPool(1), seed_plan("batch-001", 20, 6)
    synthesize(plan, folder / "documents", pool, shard_size=20)
    render_batch(folder / "documents", folder / "images", pool, dpi=72)
    build_pair_batch(
        folder / "documents", folder / "images", folder / "pairs", pool, PairRecipe().with_counts(ocr_line=2)
    )
    return [BatchInputs.of_workspace(batch.plan, batch.folder), BatchInputs.of_workspace(plan, folder)]


@pytest.fixture(scope="module")
def data_set(two_batches, tmp_path_factory):
    """The folder of a data set of two batches."""
    folder = tmp_path_factory.mktemp("data_set")
    build_data_set(two_batches, "batch-001", folder)
    return folder


def test_a_later_batch_adds_nothing_to_the_test_split_and_nothing_leaks(two_batches, data_set, tmp_path):
    build_data_set(two_batches[:1], "batch-000", tmp_path)
    manifest = read_manifest(data_set)
    first, rows = read_splits(tmp_path), read_splits(data_set)
    test = [row.document_id for row in first if row.split is Split.TEST]
    assert test == [row.document_id for row in rows if row.split is Split.TEST]
    pages = [page for batch in two_batches for page in read_hashes(batch.hashes)]
    assert find_leaks(rows, pages, test) == {}
    # Only the exposure and what names are known change, as training has more documents.
    unchanged = {"exposure": Exposure.SEEN, "item_names": ""}
    assert [replace(row, **unchanged) for row in rows if row.batch == "batch-000"] == [
        replace(row, **unchanged) for row in first
    ]
    assert all(row.targeted == (row.batch == "batch-001") for row in rows)
    counted = Counter((row.batch, str(row.split)) for row in rows)
    for entry in manifest.batches:
        assert entry.splits == {split: count for (batch, split), count in sorted(counted.items()) if batch == entry.key}
        assert sum(entry.splits.values()) == entry.documents


def test_rows_have_the_attributes_of_their_documents(two_batches, data_set):
    documents = {drawn.id: drawn for batch in two_batches for drawn in read_documents(batch.documents)}
    pages = Counter(page.document_id for batch in two_batches for page in read_hashes(batch.hashes))
    rows = read_splits(data_set)
    assert {row.document_id for row in rows} == documents.keys()
    for row in rows:
        drawn = documents[row.document_id]
        assert (row.group, row.document_type) == (drawn.group, drawn.document.document_type)
        assert row.locale == drawn.document.locale
        assert (row.layout, row.font) == (drawn.presentation.layout, drawn.presentation.font)
        assert row.pages == pages[row.document_id]
        assert (row.item_names == ItemNames.NONE) is not bool(drawn.document.lines)
        assert row.split is not Split.TRAIN or row.item_names in (ItemNames.KNOWN, ItemNames.NONE)


def hold_out_french(monkeypatch):
    """Hold out a locale of which the small batches have documents."""
    monkeypatch.setitem(HELD_OUT_VALUES, "locale", ("fr_FR",))


def test_held_out_documents_of_the_first_batch_are_not_in_training_and_say_why(two_batches, tmp_path, monkeypatch):
    hold_out_french(monkeypatch)
    build_data_set(two_batches, "batch-001", tmp_path)
    rows = read_splits(tmp_path)
    first = [row for row in rows if row.batch == "batch-000"]
    held_out = [row for row in first if row.locale == "fr_FR"]
    assert {"locale"} == {attribute for row in held_out for attribute in row.held_out_by}
    assert Split.TRAIN not in {row.split for row in held_out}
    assert {row.document_id for row in first if row.held_out_by} >= {row.document_id for row in held_out}
    assert not [row for row in rows if row.batch != "batch-000" and row.held_out_by]


def test_nothing_is_held_out_if_hold_out_is_off(two_batches, tmp_path, monkeypatch):
    hold_out_french(monkeypatch)
    manifest = build_data_set(two_batches[:1], "batch-000", tmp_path, hold_out=False)
    rows = read_splits(tmp_path)
    assert not manifest.hold_out
    assert not any(row.held_out_by for row in rows)
    assert "fr_FR" in {row.locale for row in rows if row.split is Split.TRAIN}


def test_the_first_adapter_may_learn_the_locales_and_fonts_that_the_embedded_base_lacks():
    assert UNSEEN_LOCALE not in HELD_OUT_LOCALES
    assert not {*base_recipe.UNSEEN_FONTS} & {*HELD_OUT_FONTS}
    assert not {*EMBEDDED_RECIPE.fonts} & {*HELD_OUT_FONTS}, "the embedded base must not have seen held-out fonts"


@pytest.mark.parametrize("recipe", [None, EMBEDDED_RECIPE])
@pytest.mark.parametrize("seed", range(3))
def test_a_tiny_batch_fills_every_split_despite_held_out_groups(recipe, seed):
    documents = [draw_document(seed_plan("batch-000", 24, seed, recipe), index) for index in range(24)]
    held_out = {
        drawn.group
        for drawn in documents
        if held_out_attributes(drawn.presentation.layout, drawn.document.locale, drawn.presentation.font)
    }
    assigned = assign_first_batch(Counter(drawn.group for drawn in documents), held_out)
    assert set(assigned.values()) == USED
    assert len(assigned) - len(held_out) >= 8


def test_held_out_wordings_are_recognised(batch):
    drawn = next(drawn for drawn in batch.documents if drawn.document.locale.startswith("en"))
    keys = labels_needed(drawn.document, drawn.printed, drawn.presentation.columns, merged_head=False)
    first_wordings = {name: wordings(drawn.document.locale, key)[0] for name, key in keys.items()}

    def with_labels(labels):
        presentation = drawn.presentation.model_copy(update={"labels": labels, "merged_head": False})
        return drawn.model_copy(update={"presentation": presentation})

    assert not has_held_out_wording(with_labels(first_wordings))
    recognised = {
        name
        for name, key in keys.items()
        if has_held_out_wording(with_labels(first_wordings | {name: wordings(drawn.document.locale, key)[-1]}))
    }
    assert recognised == {
        name for name, key in keys.items() if len(wordings(drawn.document.locale, key)) >= MIN_WORDINGS_TO_HOLD_OUT
    }
    assert recognised


@pytest.mark.parametrize(
    ("light", "damage", "expected"),
    [
        (0.0, {}, "none"),
        (0.04, {}, "none"),
        (0.2, {}, "light"),
        (0.2, {"fax": 0.4}, "light"),
        (0.0, {"fax": 0.9}, "strong"),
    ],
)
def test_the_degradation_level_is_that_of_the_strongest_effect(batch, light, damage, expected):
    drawn = batch.documents[0]
    presentation = drawn.presentation.model_copy(update={"degradation": light, "damage": damage})
    assert degradation_level(drawn.model_copy(update={"presentation": presentation})) == expected


def split_row(number, split=Split.TRAIN, **changes):
    row = SplitRow(
        document_id=f"batch-000-{number:06d}",
        batch="batch-000",
        group=f"g/{number}",
        split=split,
        targeted=False,
        content=str(number),
        document_type="invoice",
        locale="en_GB",
        layout="invoice_open",
        font="Lato",
        held_out_wording=False,
        pages=1,
        degradation="none",
    )
    return replace(row, **changes)


@pytest.mark.parametrize(
    ("names", "expected"),
    [("ab", ItemNames.KNOWN), ("ac", ItemNames.MIXED), ("c", ItemNames.NEW), ("", ItemNames.NONE)],
)
def test_item_names_are_compared_with_those_of_training(names, expected):
    assert compare_item_names(frozenset(names), {"a", "b"}) is expected


def test_exposure_depends_on_the_number_of_training_documents():
    french = split_row(0, Split.TEST, locale="fr_FR")
    usual = [split_row(number) for number in range(1, 201)]
    assert document_exposures([french, *usual])[0] is Exposure.ZERO_SHOT
    # One per cent of about 200 documents is two, so one document is few.
    assert document_exposures([french, *usual, split_row(300, locale="fr_FR")])[0] is Exposure.FEW_SHOT
    three = [split_row(300 + number, locale="fr_FR") for number in range(3)]
    assert document_exposures([french, *usual, *three])[0] is Exposure.SEEN
    # Documents of other splits do not count.
    elsewhere = [replace(row, split=split) for row in three for split in set(Split) - {Split.TRAIN}]
    assert document_exposures([french, *usual, *elsewhere])[0] is Exposure.ZERO_SHOT
    many = [split_row(number) for number in range(1, 5001)]
    nineteen = [split_row(6000 + number, locale="fr_FR") for number in range(19)]
    assert document_exposures([french, *many, *nineteen])[0] is Exposure.FEW_SHOT
    assert document_exposures([french, *many, *nineteen, split_row(7000, locale="fr_FR")])[0] is Exposure.SEEN


@pytest.mark.parametrize("name", ["layout", "locale", "font"])
def test_the_rarest_attribute_decides_the_exposure(name):
    rows = [split_row(0, Split.VALIDATION, **{name: "another"}), *(split_row(number) for number in range(1, 30))]
    exposures = document_exposures(rows)
    assert exposures[0] is Exposure.ZERO_SHOT
    assert set(exposures[1:]) == {Exposure.SEEN}


def test_the_exposure_of_test_documents_never_falls_as_later_batches_are_trained_on(two_batches, data_set, tmp_path):
    build_data_set(two_batches[:1], "batch-000", tmp_path)
    before, after = (
        {row.document_id: row.exposure for row in read_splits(folder) if row.batch == "batch-000"}
        for folder in (tmp_path, data_set)
    )
    order = [Exposure.ZERO_SHOT, Exposure.FEW_SHOT, Exposure.SEEN]
    assert all(order.index(after[name]) >= order.index(before[name]) for name in before)


def test_strata_count_every_document_once(data_set):
    rows = read_splits(data_set)
    strata = count_strata(rows)
    assert sum(int(row[str(split)]) for row in strata for split in Split) == len(rows)
    french = [row for row in rows if row.locale == "fr_FR" and row.split is Split.TEST]
    assert sum(int(row["test"]) for row in strata if row["locale"] == "fr_FR") == len(french)
    manifest = read_manifest(data_set)
    assert list(manifest.strata) == strata
    by_exposure = {row["exposure"]: row for row in manifest.counts_by("exposure")}
    for exposure, row in by_exposure.items():
        assert row["test"] == sum(member.exposure == exposure and member.split is Split.TEST for member in rows)


def test_the_manifest_is_reproducible_and_changes_with_its_inputs(two_batches, tmp_path):
    first, second = (
        build_data_set(two_batches, "batch-001", tmp_path / "first"),
        build_data_set(two_batches, "batch-001", tmp_path / "second"),
    )
    for name in ("manifest.json", "splits.parquet"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert read_manifest(tmp_path / "first") == first
    assert (
        first.data_version()
        == second.data_version()
        != build_data_set(two_batches[:1], "batch-000", tmp_path / "x").data_version()
    )


def test_batches_out_of_order_are_an_error(two_batches, tmp_path):
    with pytest.raises(ValueError, match="not in order"):
        build_data_set(two_batches[::-1], "batch-000", tmp_path)


@pytest.mark.parametrize(
    "check",
    [
        "group",
        "content",
        "document_id",
        "repeated_id",
        "test_changed",
        "targeted_in_test",
        "held_out_in_train",
        "near_duplicate",
    ],
)
def test_every_check_finds_a_planted_leak(two_batches, data_set, check):
    rows = read_splits(data_set)
    pages = [page for batch in two_batches for page in read_hashes(batch.hashes)]
    train = next(row for row in rows if row.split is Split.TRAIN and row.batch == "batch-000")
    test = next(row for row in rows if row.split is Split.TEST)
    frozen_test = [row.document_id for row in rows if row.split is Split.TEST]
    if check == "group":
        rows.append(replace(train, document_id="new", content="new", split=Split.TEST))
        frozen_test.append("new")
    elif check == "content":
        rows.append(replace(train, document_id="new", group="new", split=Split.VALIDATION))
    elif check == "document_id":
        rows.append(replace(train, group="new", content="new", split=Split.VALIDATION))
    elif check == "repeated_id":
        rows.append(train)
    elif check == "targeted_in_test":
        rows.append(replace(test, document_id="new", content="new", targeted=True))
    elif check == "held_out_in_train":
        rows.append(replace(train, document_id="new", content="new", held_out_by=("locale",)))
    elif check == "near_duplicate":
        bits = next(page.bits for page in pages if page.document_id == test.document_id)
        pages.append(PageHash(train.document_id, 9, bits[:-8] + bytes(8)))
    else:
        rows.remove(test)
    assert check in find_leaks(rows, pages, frozen_test)


@given(st.data())
def test_no_sequence_of_batches_divides_a_group_or_adds_to_the_test_split(data):
    groups = st.sampled_from([f"layout/{number}" for number in range(40)])
    first = Counter(data.draw(st.lists(groups, min_size=12, max_size=60)))
    held_out = data.draw(st.sets(groups, max_size=8))
    if len(first.keys() - held_out) < 3:
        return
    known = assign_first_batch(first, held_out)
    test = {group for group, split in known.items() if split is Split.TEST}
    history: dict[str, set[Split]] = {group: {split} for group, split in known.items()}
    for batch_groups in data.draw(st.lists(st.lists(groups, max_size=20), max_size=4)):
        new = {group: assign_later_group(group, known) for group in batch_groups}
        known = {**new, **known}
        for group, split in new.items():
            history.setdefault(group, set()).add(split)
    assert all(len(splits - {Split.HELD_BACK}) <= 1 for splits in history.values())
    assert {group for group, splits in history.items() if Split.TEST in splits} == test


def test_groups_are_layout_and_vendor(batch):
    drawn = next(read_documents(batch.folder / "documents"))
    assert drawn.group == f"{drawn.presentation.layout}/{drawn.vendor}"
