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
def test_no_split_of_a_first_batch_is_empty_and_none_is_far_from_its_share(groups):
    assigned = assign_first_batch(groups)
    total = sum(groups.values())
    sizes = Counter(
        {split: sum(groups[group] for group in groups if assigned[group] is split) for split in assigned.values()}
    )
    assert set(sizes) == USED
    for split in (Split.VALIDATION, Split.TEST):
        assert sizes[split] <= max(0.15 * total, 0.1 * total + 4, 4)


@given(GROUPS, st.sets(st.text(min_size=1, max_size=12)))
def test_held_out_groups_come_on_top_and_never_to_train(groups, names):
    held_out = {f"held out {name}" for name in names}
    both = assign_first_batch(groups | dict.fromkeys(held_out, 2), held_out)
    assert {group: both[group] for group in groups} == assign_first_batch(groups)
    assert {both[group] for group in held_out} <= {Split.VALIDATION, Split.TEST}


def test_shares_are_80_10_10_on_many_groups():
    sizes = Counter(assign_first_batch({f"layout/{number}": 2 for number in range(500)}).values())
    assert sizes[Split.VALIDATION] == sizes[Split.TEST] == 50
    later = Counter(assign_later_group(f"layout/{number}", {}) for number in range(5000))
    assert abs(later[Split.TRAIN] - 4000) < 150
    assert abs(later[Split.VALIDATION] - 500) < 100
    names = {f"layout/{number}" for number in range(1000)}
    held_out = Counter(assign_first_batch(dict.fromkeys([*names, "a", "b", "c"], 1), names).values())
    assert abs(held_out[Split.TEST] - 500) < 60


def test_too_few_groups_are_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="make a batch of more documents"):
        assign_first_batch({"one": 5, "two": 5})
    with pytest.raises(ValueError, match=r"2 groups .* besides 1 that are held out .* or hold nothing out"):
        assign_first_batch({"one": 5, "two": 5, "three": 5}, {"three"})


def test_a_known_group_keeps_its_split_and_test_is_frozen():
    assert assign_later_group("any", {"any": Split.VALIDATION}) is Split.VALIDATION
    assert assign_later_group("any", {"any": Split.TEST}) is Split.HELD_BACK


@pytest.fixture(scope="module")
def second(batch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("second")
    pool, plan = LocalShardPool(1), seed_plan("batch-001", 20, 6)
    synthesize(plan, folder / "documents", pool, shard_size=20)
    render_batch(folder / "documents", folder / "images", pool, dpi=72)
    build_pair_batch(
        folder / "documents", folder / "images", folder / "pairs", pool, PairRecipe().with_counts(ocr_line=2)
    )
    return [BatchInputs.of_workspace(batch.plan, batch.folder), BatchInputs.of_workspace(plan, folder)]


@pytest.fixture(scope="module")
def both(second, tmp_path_factory):
    """The folder of a data set of two batches."""
    folder = tmp_path_factory.mktemp("both")
    build_data_set(second, "batch-001", folder)
    return folder


def test_a_later_batch_never_reaches_test_and_nothing_leaks(second, both, tmp_path):
    build_data_set(second[:1], "batch-000", tmp_path)
    manifest = read_manifest(both)
    first, rows = read_splits(tmp_path), read_splits(both)
    test = [row.document_id for row in first if row.split is Split.TEST]
    assert test == [row.document_id for row in rows if row.split is Split.TEST]
    pages = [page for batch in second for page in read_hashes(batch.hashes)]
    assert find_leaks(rows, pages, test) == {}
    # Only what training holds has changed.
    assert [replace(row, exposure=Exposure.SEEN) for row in rows if row.batch == "batch-000"] == [
        replace(row, exposure=Exposure.SEEN) for row in first
    ]
    assert all(row.targeted == (row.batch == "batch-001") for row in rows)
    counted = Counter((row.batch, str(row.split)) for row in rows)
    for entry in manifest.batches:
        assert entry.splits == {split: count for (batch, split), count in sorted(counted.items()) if batch == entry.key}
        assert sum(entry.splits.values()) == entry.documents


def test_a_row_tells_what_its_document_is(second, both):
    drawn = {one.id: one for batch in second for one in read_documents(batch.documents)}
    pages = Counter(page.document_id for batch in second for page in read_hashes(batch.hashes))
    rows = read_splits(both)
    assert {row.document_id for row in rows} == drawn.keys()
    for row in rows:
        one = drawn[row.document_id]
        assert (row.group, row.document_type) == (one.group, one.document.document_type)
        assert row.locale == one.document.locale
        assert (row.layout, row.font) == (one.presentation.layout, one.presentation.font)
        assert row.pages == pages[row.document_id]


def hold_out_french(monkeypatch):
    """Hold out a locale of which the small batches have documents."""
    monkeypatch.setitem(HELD_OUT_VALUES, "locale", ("fr_FR",))


def test_the_first_batch_trains_on_nothing_that_is_held_out_and_says_why(second, tmp_path, monkeypatch):
    hold_out_french(monkeypatch)
    build_data_set(second, "batch-001", tmp_path)
    rows = read_splits(tmp_path)
    first = [row for row in rows if row.batch == "batch-000"]
    held_out = [row for row in first if row.locale == "fr_FR"]
    assert {"locale"} == {thing for row in held_out for thing in row.held_out_by}
    assert Split.TRAIN not in {row.split for row in held_out}
    assert {row.document_id for row in first if row.held_out_by} >= {row.document_id for row in held_out}
    assert not [row for row in rows if row.batch != "batch-000" and row.held_out_by]


def test_nothing_is_held_out_where_that_is_asked_for(second, tmp_path, monkeypatch):
    hold_out_french(monkeypatch)
    manifest = build_data_set(second[:1], "batch-000", tmp_path, hold_out=False)
    rows = read_splits(tmp_path)
    assert not manifest.hold_out
    assert not any(row.held_out_by for row in rows)
    assert "fr_FR" in {row.locale for row in rows if row.split is Split.TRAIN}


def test_what_the_embedded_base_lacks_its_first_adapter_may_learn():
    assert UNSEEN_LOCALE not in HELD_OUT_LOCALES
    assert not {*base_recipe.UNSEEN_FONTS} & {*HELD_OUT_FONTS}
    assert not {*EMBEDDED_RECIPE.fonts} & {*HELD_OUT_FONTS}, "what readers are tested on, the base has not seen either"


@pytest.mark.parametrize("recipe", [None, EMBEDDED_RECIPE])
@pytest.mark.parametrize("seed", range(3))
def test_a_tiny_batch_fills_every_split_whatever_is_held_out(recipe, seed):
    drawn = [draw_document(seed_plan("batch-000", 24, seed, recipe), index) for index in range(24)]
    held_out = {
        one.group
        for one in drawn
        if held_out_attributes(one.presentation.layout, one.document.locale, one.presentation.font)
    }
    assigned = assign_first_batch(Counter(one.group for one in drawn), held_out)
    assert set(assigned.values()) == USED
    assert len(assigned) - len(held_out) >= 8


def test_a_held_out_wording_is_told(batch):
    drawn = next(one for one in batch.documents if one.document.locale.startswith("en"))
    keys = labels_needed(drawn.document, drawn.printed, drawn.presentation.columns, merged_head=False)
    usual = {name: wordings(drawn.document.locale, key)[0] for name, key in keys.items()}

    def with_labels(labels):
        look = drawn.presentation.model_copy(update={"labels": labels, "merged_head": False})
        return drawn.model_copy(update={"presentation": look})

    assert not has_held_out_wording(with_labels(usual))
    told = {
        name
        for name, key in keys.items()
        if has_held_out_wording(with_labels(usual | {name: wordings(drawn.document.locale, key)[-1]}))
    }
    assert told == {
        name for name, key in keys.items() if len(wordings(drawn.document.locale, key)) >= MIN_WORDINGS_TO_HOLD_OUT
    }
    assert told


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
def test_damage_is_told_by_its_strongest_effect(batch, light, damage, expected):
    drawn = batch.documents[0]
    look = drawn.presentation.model_copy(update={"degradation": light, "damage": damage})
    assert degradation_level(drawn.model_copy(update={"presentation": look})) == expected


def row_of(number, split=Split.TRAIN, **changed):
    usual = SplitRow(
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
    return replace(usual, **changed)


def test_exposure_follows_what_training_holds():
    french = row_of(0, Split.TEST, locale="fr_FR")
    usual = [row_of(number) for number in range(1, 201)]
    assert document_exposures([french, *usual])[0] is Exposure.ZERO_SHOT
    # A hundredth of some 200 is two: one document is few.
    assert document_exposures([french, *usual, row_of(300, locale="fr_FR")])[0] is Exposure.FEW_SHOT
    three = [row_of(300 + number, locale="fr_FR") for number in range(3)]
    assert document_exposures([french, *usual, *three])[0] is Exposure.SEEN
    # What validation and test hold does not count.
    elsewhere = [replace(row, split=split) for row in three for split in set(Split) - {Split.TRAIN}]
    assert document_exposures([french, *usual, *elsewhere])[0] is Exposure.ZERO_SHOT
    many = [row_of(number) for number in range(1, 5001)]
    nineteen = [row_of(6000 + number, locale="fr_FR") for number in range(19)]
    assert document_exposures([french, *many, *nineteen])[0] is Exposure.FEW_SHOT
    assert document_exposures([french, *many, *nineteen, row_of(7000, locale="fr_FR")])[0] is Exposure.SEEN


@pytest.mark.parametrize("name", ["layout", "locale", "font"])
def test_exposure_is_that_of_the_thing_shown_least(name):
    rows = [row_of(0, Split.VALIDATION, **{name: "another"}), *(row_of(number) for number in range(1, 30))]
    found = document_exposures(rows)
    assert found[0] is Exposure.ZERO_SHOT
    assert set(found[1:]) == {Exposure.SEEN}


def test_exposure_of_test_changes_as_later_batches_train_on_what_was_held_out(second, both, tmp_path):
    build_data_set(second[:1], "batch-000", tmp_path)
    before, after = (
        {row.document_id: row.exposure for row in read_splits(folder) if row.batch == "batch-000"}
        for folder in (tmp_path, both)
    )
    order = [Exposure.ZERO_SHOT, Exposure.FEW_SHOT, Exposure.SEEN]
    assert all(order.index(after[name]) >= order.index(before[name]) for name in before)


def test_strata_count_every_document_once(both):
    rows = read_splits(both)
    found = count_strata(rows)
    assert sum(int(row[str(split)]) for row in found for split in Split) == len(rows)
    french = [row for row in rows if row.locale == "fr_FR" and row.split is Split.TEST]
    assert sum(int(row["test"]) for row in found if row["locale"] == "fr_FR") == len(french)
    manifest = read_manifest(both)
    assert list(manifest.strata) == found
    by_exposure = {row["exposure"]: row for row in manifest.counts_by("exposure")}
    for exposure, row in by_exposure.items():
        assert row["test"] == sum(one.exposure == exposure and one.split is Split.TEST for one in rows)


def test_the_manifest_is_the_same_bytes_again_and_changes_with_its_inputs(second, tmp_path):
    one, two = (
        build_data_set(second, "batch-001", tmp_path / "one"),
        build_data_set(second, "batch-001", tmp_path / "two"),
    )
    for name in ("manifest.json", "splits.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert read_manifest(tmp_path / "one") == one
    assert (
        one.data_version()
        == two.data_version()
        != build_data_set(second[:1], "batch-000", tmp_path / "x").data_version()
    )


def test_batches_out_of_order_are_refused(second, tmp_path):
    with pytest.raises(ValueError, match="not in order"):
        build_data_set(second[::-1], "batch-000", tmp_path)


@pytest.mark.parametrize(
    "kind",
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
def test_a_planted_leak_of_each_kind_is_caught(second, both, kind):
    rows = read_splits(both)
    pages = [page for batch in second for page in read_hashes(batch.hashes)]
    train = next(row for row in rows if row.split is Split.TRAIN and row.batch == "batch-000")
    test = next(row for row in rows if row.split is Split.TEST)
    first_test = [row.document_id for row in rows if row.split is Split.TEST]
    if kind == "group":
        rows.append(replace(train, document_id="new", content="new", split=Split.TEST))
        first_test.append("new")
    elif kind == "content":
        rows.append(replace(train, document_id="new", group="new", split=Split.VALIDATION))
    elif kind == "document_id":
        rows.append(replace(train, group="new", content="new", split=Split.VALIDATION))
    elif kind == "repeated_id":
        rows.append(train)
    elif kind == "targeted_in_test":
        rows.append(replace(test, document_id="new", content="new", targeted=True))
    elif kind == "held_out_in_train":
        rows.append(replace(train, document_id="new", content="new", held_out_by=("locale",)))
    elif kind == "near_duplicate":
        bits = next(page.bits for page in pages if page.document_id == test.document_id)
        pages.append(PageHash(train.document_id, 9, bits[:-8] + bytes(8)))
    else:
        rows.remove(test)
    assert kind in find_leaks(rows, pages, first_test)


@given(st.data())
def test_no_group_is_divided_however_batches_follow_each_other(data):
    names = st.sampled_from([f"layout/{number}" for number in range(40)])
    first = Counter(data.draw(st.lists(names, min_size=12, max_size=60)))
    held_out = data.draw(st.sets(names, max_size=8))
    if len(first.keys() - held_out) < 3:
        return
    known = assign_first_batch(first, held_out)
    test = {group for group, split in known.items() if split is Split.TEST}
    seen: dict[str, set[Split]] = {group: {split} for group, split in known.items()}
    for groups in data.draw(st.lists(st.lists(names, max_size=20), max_size=4)):
        new = {group: assign_later_group(group, known) for group in groups}
        known = {**new, **known}
        for group, split in new.items():
            seen.setdefault(group, set()).add(split)
    assert all(len(splits - {Split.HELD_BACK}) <= 1 for splits in seen.values())
    assert {group for group, splits in seen.items() if Split.TEST in splits} == test


def test_groups_are_layout_and_vendor(batch):
    drawn = next(read_documents(batch.folder / "documents"))
    assert drawn.group == f"{drawn.presentation.layout}/{drawn.vendor}"
