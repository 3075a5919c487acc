import itertools

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.document_batch import read_documents, synthesize
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.files import read_table
from finscribe_assets.instructions.pair import Task
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.rendering.damage import degrade, encode
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import LocalShardPool, shard_files, write_shard
from finscribe_assets.splitting.leak_checks import find_leaks
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set, read_manifest
from finscribe_assets.splitting.near_duplicates import NearDuplicate, find_similar_hashes, hold_back_duplicates
from finscribe_assets.splitting.page_hashes import (
    HASH_WORDS,
    MAX_HASH_DISTANCE,
    PageHash,
    hash_pages,
    page_hash,
    read_hashes,
)
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits
from finscribe_assets_tests.splitting.test_splits import row_of


def bits_between(one: bytes, other: bytes) -> int:
    return bin(int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).count("1")


@pytest.fixture(scope="module")
def clean(batch):
    """Each document's first page, as grey pixels, with the document."""
    return [
        (drawn, np.asarray(rendered.pages[0].open()))
        for drawn, rendered in zip(batch.documents, batch.rendered, strict=True)
    ]


@pytest.mark.parametrize("damage", [{"jpeg": 0.5}, {"blur": 0.5}, {"low_resolution": 0.5}])
def test_a_page_scanned_anew_is_found(clean, damage):
    for number, (drawn, page) in enumerate(clean[:8]):
        look = drawn.presentation.model_copy(update={"damage": damage, "degradation": 0.2, "noise_seed": number})
        (scanned,), _ = degrade([page], [], look, 144)
        encoded = cv2.imdecode(np.frombuffer(encode(scanned, look), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert bits_between(page_hash(page), page_hash(encoded)) <= MAX_HASH_DISTANCE


def test_a_page_that_lay_a_little_askew_is_found(clean):
    papers = [page for drawn, page in clean if not drawn.presentation.layout.startswith("receipt")]
    for page, angle in zip(papers, itertools.cycle((-0.8, -0.4, 0.4, 0.8)), strict=False):
        height, width = page.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        askew = cv2.warpAffine(page, turn, (width, height), borderValue=255)
        assert bits_between(page_hash(page), page_hash(askew)) <= MAX_HASH_DISTANCE


def test_different_documents_are_not_alike(clean):
    hashes = [page_hash(page) for _, page in clean]
    assert min(bits_between(one, other) for one, other in itertools.combinations(hashes, 2)) > MAX_HASH_DISTANCE


def test_a_page_without_ink_has_a_hash():
    assert page_hash(np.full((200, 100), 255, np.uint8)) == bytes(HASH_WORDS * 8)


@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(0, MAX_HASH_DISTANCE + 20))
def test_the_search_finds_what_looking_at_each_pair_finds(seed, count, apart):
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**64, (count, HASH_WORDS), np.uint64)
    places = random.choice(HASH_WORDS * 64, apart, replace=False)
    np.bitwise_xor.at(hashes[1], places // 64, np.uint64(1) << (places % 64).astype(np.uint64))
    copy = hashes[0].copy()
    np.bitwise_xor.at(copy, places // 64, np.uint64(1) << (places % 64).astype(np.uint64))
    hashes[-1] = copy  # a page like the first, so many bits apart
    sides = random.integers(0, 3, count)
    written = [hashed.tobytes() for hashed in hashes]
    pairs = [pair for pair in itertools.combinations(range(count), 2) if sides[pair[0]] != sides[pair[1]]]
    expected = [
        (one, other, bits)
        for one, other in pairs
        if (bits := bits_between(written[one], written[other])) <= MAX_HASH_DISTANCE
    ]
    assert find_similar_hashes(hashes, sides) == expected


def test_the_search_goes_beyond_one_block():
    random = np.random.default_rng(1)
    hashes = random.integers(0, 2**64, (9000, HASH_WORDS), np.uint64)
    sides = np.repeat([0, 1, 2], 3000)
    hashes[8999], hashes[4000] = hashes[5], hashes[2999]
    assert find_similar_hashes(hashes, sides) == [(5, 8999, 0), (2999, 4000, 0)]


def pair_of(one: str, other: str) -> NearDuplicate:
    return NearDuplicate(PageHash(one, 0, b""), PageHash(other, 0, b""), 3)


@pytest.mark.parametrize(
    ("one", "other", "goes"),
    [
        (Split.TRAIN, Split.TEST, 0),
        (Split.TRAIN, Split.VALIDATION, 0),
        (Split.TEST, Split.VALIDATION, 1),
    ],
)
def test_test_never_gives_way_and_training_does_first(one, other, goes):
    rows = [row_of(0, one), row_of(1, other)]
    held = hold_back_duplicates(rows, [pair_of(rows[0].document_id, rows[1].document_id)])
    assert held[goes].split is Split.HELD_BACK
    assert held[goes].looks_like == rows[1 - goes].document_id
    assert held[1 - goes] == rows[1 - goes]


def test_an_earlier_batch_stays_as_it_is():
    rows = [row_of(0, Split.TRAIN), row_of(1, Split.VALIDATION, batch="batch-001", document_id="batch-001-000001")]
    held = hold_back_duplicates(rows, [pair_of(rows[1].document_id, rows[0].document_id)])
    assert [row.split for row in held] == [Split.TRAIN, Split.HELD_BACK]


def test_what_looks_like_a_document_held_back_stays():
    rows = [row_of(0, Split.TEST), row_of(1, Split.VALIDATION), row_of(2, Split.TRAIN)]
    names = [row.document_id for row in rows]
    held = hold_back_duplicates(rows, [pair_of(names[0], names[1]), pair_of(names[1], names[2])])
    assert [row.split for row in held] == [Split.TEST, Split.HELD_BACK, Split.TRAIN]


def test_a_planted_page_is_held_back_listed_and_nothing_is_left(tmp_path):
    """A document of the training is printed like one of the test: its pixels are a light scan of the other's."""
    plan, pool = seed_plan("batch-000", 24, 11), LocalShardPool(1)
    inputs = BatchInputs.of_workspace(plan, tmp_path)
    synthesize(plan, inputs.documents, pool, shard_size=24)
    render_batch(inputs.documents, inputs.images, pool, dpi=72)
    build_pair_batch(inputs.documents, inputs.images, inputs.pairs, pool, PairRecipe(mix={Task.FULL_EXTRACTION: 1}))
    assert not build_data_set([inputs], "batch-000", tmp_path / "before").near_duplicates
    places = {row.document_id: row.split for row in read_splits(tmp_path / "before")}
    train, test = (
        next(name for name, split in places.items() if split is wanted) for wanted in (Split.TRAIN, Split.TEST)
    )
    (file,) = shard_files(inputs.images)
    rows = read_table(file).to_pylist()
    of = {name: next(row for row in rows if row["document_id"] == name and not row["page"]) for name in (train, test)}
    pixels = cv2.imdecode(np.frombuffer(of[test]["image"]["bytes"], np.uint8), cv2.IMREAD_GRAYSCALE)
    _, scan = cv2.imencode(".jpg", cv2.GaussianBlur(pixels, (0, 0), 0.7), [cv2.IMWRITE_JPEG_QUALITY, 60])
    of[train]["image"]["bytes"] = scan.tobytes()
    write_shard(file, pa.Table.from_pylist(rows, schema=read_table(file).schema), "planted")
    manifest = build_data_set([inputs], "batch-000", tmp_path / "after")
    assert [(one.document, one.looks_like) for one in manifest.near_duplicates] == [(train, test)]
    assert manifest == read_manifest(tmp_path / "after")
    after = read_splits(tmp_path / "after")
    assert {row.document_id for row in after if row.split is Split.HELD_BACK} == {train}
    assert find_leaks(after, read_hashes(inputs.hashes)) == {}
    unmoved = read_splits(tmp_path / "before")
    assert list(find_leaks(unmoved, read_hashes(inputs.hashes))) == ["near_duplicate"]


def test_hashes_are_kept_and_made_anew_for_other_pages(batch, tmp_path):
    pool = LocalShardPool(1)
    assert hash_pages(batch.folder / "images", tmp_path, pool) == 0
    assert hash_pages(batch.folder / "images", tmp_path, pool) == 3
    pages = read_hashes(tmp_path)
    assert [page.document_id for page in pages if page.page == 0] == [
        drawn.id for drawn in read_documents(batch.folder / "documents")
    ]
    assert len(pages) == sum(len(rendered.pages) for rendered in batch.rendered)
    assert pages[0].bits == page_hash(np.asarray(batch.rendered[0].pages[0].open()))
