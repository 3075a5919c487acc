"""Pages that look alike are found, and one document of each pair is held back; different pages are not alike."""

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
from finscribe_assets.splitting.batch_files import describe_batch
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
from finscribe_assets_tests.splitting.test_splits import split_row


def distance(first: bytes, second: bytes) -> int:
    return bin(int.from_bytes(first, "little") ^ int.from_bytes(second, "little")).count("1")


@pytest.fixture(scope="module")
def first_pages(batch):
    """Each document with its first page, as grey pixels."""
    return [(drawn, rendered.pages[0].grey()) for drawn, rendered in zip(batch.documents, batch.rendered, strict=True)]


@pytest.mark.parametrize("damage", [{"jpeg": 0.5}, {"blur": 0.5}, {"low_resolution": 0.5}])
def test_a_page_that_is_scanned_again_is_found(first_pages, damage):
    for number, (drawn, page) in enumerate(first_pages[:8]):
        presentation = drawn.presentation.model_copy(
            update={"damage": damage, "degradation": 0.2, "noise_seed": number}
        )
        (scanned,), _ = degrade([page], [], presentation, 144)
        encoded = cv2.imdecode(np.frombuffer(encode(scanned, presentation), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert distance(page_hash(page), page_hash(encoded)) <= MAX_HASH_DISTANCE


def test_a_slightly_skewed_page_is_found(first_pages):
    pages = [page for drawn, page in first_pages if not drawn.presentation.layout.startswith("receipt")]
    for page, angle in zip(pages, itertools.cycle((-0.8, -0.4, 0.4, 0.8)), strict=False):
        height, width = page.shape
        rotation = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        skewed = cv2.warpAffine(page, rotation, (width, height), borderValue=255)
        assert distance(page_hash(page), page_hash(skewed)) <= MAX_HASH_DISTANCE


def test_different_documents_are_not_alike(first_pages):
    hashes = [page_hash(page) for _, page in first_pages]
    assert min(distance(*pair) for pair in itertools.combinations(hashes, 2)) > MAX_HASH_DISTANCE


def test_a_page_without_ink_has_a_hash():
    assert page_hash(np.full((200, 100), 255, np.uint8)) == bytes(HASH_WORDS * 8)


@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(0, MAX_HASH_DISTANCE + 20))
def test_the_search_finds_what_comparing_each_pair_finds(seed, count, planted_distance):
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**64, (count, HASH_WORDS), np.uint64)
    bits = random.choice(HASH_WORDS * 64, planted_distance, replace=False)
    np.bitwise_xor.at(hashes[1], bits // 64, np.uint64(1) << (bits % 64).astype(np.uint64))
    copy = hashes[0].copy()
    np.bitwise_xor.at(copy, bits // 64, np.uint64(1) << (bits % 64).astype(np.uint64))
    hashes[-1] = copy  # a page at the planted distance from the first
    parts = random.integers(0, 3, count)
    as_bytes = [hash_.tobytes() for hash_ in hashes]
    pairs = [pair for pair in itertools.combinations(range(count), 2) if parts[pair[0]] != parts[pair[1]]]
    expected = [
        (first, second, bit_count)
        for first, second in pairs
        if (bit_count := distance(as_bytes[first], as_bytes[second])) <= MAX_HASH_DISTANCE
    ]
    assert find_similar_hashes(hashes, parts) == expected


def test_the_search_covers_more_than_one_block():
    random = np.random.default_rng(1)
    hashes = random.integers(0, 2**64, (9000, HASH_WORDS), np.uint64)
    parts = np.repeat([0, 1, 2], 3000)
    hashes[8999], hashes[4000] = hashes[5], hashes[2999]
    assert find_similar_hashes(hashes, parts) == [(5, 8999, 0), (2999, 4000, 0)]


def duplicate_of(first: str, second: str) -> NearDuplicate:
    return NearDuplicate(PageHash(first, 0, b""), PageHash(second, 0, b""), 3)


@pytest.mark.parametrize(
    ("first", "second", "held_back"),
    [
        (Split.TRAIN, Split.TEST, 0),
        (Split.TRAIN, Split.VALIDATION, 0),
        (Split.TEST, Split.VALIDATION, 1),
    ],
)
def test_the_test_split_is_kept_and_training_is_held_back_first(first, second, held_back):
    rows = [split_row(0, first), split_row(1, second)]
    result = hold_back_duplicates(rows, [duplicate_of(rows[0].document_id, rows[1].document_id)])
    assert result[held_back].split is Split.HELD_BACK
    assert result[held_back].looks_like == rows[1 - held_back].document_id
    assert result[1 - held_back] == rows[1 - held_back]


def test_documents_of_an_earlier_batch_are_kept():
    rows = [
        split_row(0, Split.TRAIN),
        split_row(1, Split.VALIDATION, batch="batch-001", document_id="batch-001-000001"),
    ]
    result = hold_back_duplicates(rows, [duplicate_of(rows[1].document_id, rows[0].document_id)])
    assert [row.split for row in result] == [Split.TRAIN, Split.HELD_BACK]


def test_a_document_that_only_looks_like_a_held_back_one_is_kept():
    rows = [split_row(0, Split.TEST), split_row(1, Split.VALIDATION), split_row(2, Split.TRAIN)]
    names = [row.document_id for row in rows]
    result = hold_back_duplicates(rows, [duplicate_of(names[0], names[1]), duplicate_of(names[1], names[2])])
    assert [row.split for row in result] == [Split.TEST, Split.HELD_BACK, Split.TRAIN]


def test_a_planted_duplicate_is_held_back_and_listed_and_no_leak_remains(tmp_path):
    """The page of a training document is replaced by a light scan of a test document's page."""
    plan, pool = seed_plan("batch-000", 24, 11), LocalShardPool(1)
    inputs = BatchInputs.of_workspace(plan, tmp_path)
    synthesize(plan, inputs.documents, pool, shard_size=24)
    render_batch(inputs.documents, inputs.images, pool, dpi=72)
    build_pair_batch(inputs.documents, inputs.images, inputs.pairs, pool, PairRecipe(mix={Task.FULL_EXTRACTION: 1}))
    assert not build_data_set([inputs], "batch-000", tmp_path / "before").near_duplicates
    splits = {row.document_id: row.split for row in read_splits(tmp_path / "before")}
    train, test = (
        next(name for name, split in splits.items() if split is wanted) for wanted in (Split.TRAIN, Split.TEST)
    )
    (file,) = shard_files(inputs.images)
    rows = read_table(file).to_pylist()
    first_page = {
        name: next(row for row in rows if row["document_id"] == name and not row["page"]) for name in (train, test)
    }
    pixels = cv2.imdecode(np.frombuffer(first_page[test]["image"]["bytes"], np.uint8), cv2.IMREAD_GRAYSCALE)
    _, scan = cv2.imencode(".jpg", cv2.GaussianBlur(pixels, (0, 0), 0.7), [cv2.IMWRITE_JPEG_QUALITY, 60])
    first_page[train]["image"]["bytes"] = scan.tobytes()
    write_shard(file, pa.Table.from_pylist(rows, schema=read_table(file).schema), "planted")
    manifest = build_data_set([inputs], "batch-000", tmp_path / "after")
    assert [(page.document, page.looks_like) for page in manifest.near_duplicates] == [(train, test)]
    assert manifest == read_manifest(tmp_path / "after")
    after = read_splits(tmp_path / "after")
    assert {row.document_id for row in after if row.split is Split.HELD_BACK} == {train}
    assert find_leaks(after, read_hashes(inputs.hashes)) == {}
    before = read_splits(tmp_path / "before")
    assert list(find_leaks(before, read_hashes(inputs.hashes))) == ["near_duplicate"]


def test_hashes_of_a_batch_are_computed_once(batch, tmp_path):
    pool, images = LocalShardPool(1), batch.folder / "images"
    shards = describe_batch({"images": images}, tmp_path).shards["images"]
    assert hash_pages(images, shards, tmp_path, pool) == 0
    assert hash_pages(images, shards, tmp_path, pool) == 3
    pages = read_hashes(tmp_path)
    assert [page.document_id for page in pages if page.page == 0] == [
        drawn.id for drawn in read_documents(batch.folder / "documents")
    ]
    assert len(pages) == sum(len(rendered.pages) for rendered in batch.rendered)
    assert pages[0].bits == page_hash(batch.rendered[0].pages[0].grey())
