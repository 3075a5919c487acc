from dataclasses import replace
from itertools import groupby

import pytest

from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import TABLE_PROMPT, Task
from finscribe_assets.instructions.pair_batch import read_pairs
from finscribe_assets.model.line_images import fit_line
from finscribe_assets.pretraining.line_cutting import LineCutter, with_plain_spaces
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits, write_splits
from finscribe_assets.training.training_samples import REAL_BATCH, SampleSource, TrainingBatchFolders, read_samples


@pytest.fixture(scope="module")
def pairs(batch):
    return {pair.id: pair for pair in read_pairs(batch.folder / "pairs")}


@pytest.mark.parametrize("split", [Split.TRAIN, Split.VALIDATION])
def test_a_splits_samples_are_its_documents_pairs_of_the_tasks(source, pairs, split, tmp_path):
    documents = {row.document_id for row in read_splits(source.splits) if row.split is split}
    samples, left_out = read_samples(source, split, [Task.OCR_LINE], single_lines=True, page_folder=tmp_path)
    of_split = [pair for pair in pairs.values() if pair.document_id in documents]
    assert [sample.id for sample in samples] == [pair.id for pair in of_split if pair.task is Task.OCR_LINE]
    assert samples
    assert len(samples) + left_out.counts.total() == len(of_split)
    assert left_out.counts["task not asked for: table"] == sum(pair.task is Task.TABLE for pair in of_split)


def test_a_line_is_the_fitted_crop_of_its_page(source, pairs, batch, tmp_path):
    samples, _ = read_samples(source, Split.TRAIN, [Task.OCR_LINE], single_lines=True, page_folder=tmp_path)
    rendered = {document.id: document for document in batch.rendered}
    for sample in samples[::40]:
        pair = pairs[sample.id]
        page = rendered[pair.document_id].pages[pair.pages[0]].open()
        expected = fit_line(crop(page, pair.box))
        picture = sample.images[0]
        assert (picture.width, picture.height) == expected.size
        assert picture.open().tobytes() == expected.tobytes()
        assert (sample.prompt, sample.response) == (pair.prompt, pair.response)


def test_pages_and_regions_come_from_files_in_their_own_size(source, pairs, batch, tmp_path):
    tasks = [Task.FULL_EXTRACTION, Task.TABLE]
    samples, _ = read_samples(source, Split.VALIDATION, tasks, single_lines=False, page_folder=tmp_path / "pages")
    rendered = {document.id: document for document in batch.rendered}
    assert {pairs[sample.id].task for sample in samples} == set(tasks)
    for sample in samples:
        pair = pairs[sample.id]
        pages = [rendered[pair.document_id].pages[number].open() for number in pair.pages]
        expected = [crop(page, pair.box) if pair.box else page for page in pages]
        assert [(picture.width, picture.height) for picture in sample.images] == [image.size for image in expected]
        assert [picture.open().tobytes() for picture in sample.images] == [image.tobytes() for image in expected]


def test_a_base_that_reads_lines_learns_blocks_and_tables_line_by_line(source, pairs, batch, tmp_path):
    samples, left_out = read_samples(
        source, Split.TRAIN, [Task.OCR_REGION, Task.TABLE], single_lines=True, page_folder=tmp_path
    )
    whole = {name: list(lines) for name, lines in groupby(samples, lambda sample: sample.id.rpartition(":")[0])}
    assert {pairs[name].task for name in whole} == {Task.OCR_REGION, Task.TABLE}
    # Left out are regions with lines beside each other or that wrap: 32 of 93.
    assert len(whole) > 1.5 * left_out.counts["other printed lines than the answer has"]
    for name, lines in whole.items():
        pair = pairs[name]
        between = "" if pair.task is Task.TABLE else "\n"
        assert between.join(sample.response for sample in lines) == pair.response
        assert {sample.prompt for sample in lines} == {pair.prompt}
        texts = [
            sample.response[span.start : span.end] for sample in lines for span in sample.spans if span.type == "cell"
        ]
        assert texts == [pair.response[span.start : span.end] for span in pair.spans if span.type == "cell"]
        assert all(
            "".join(sample.response[start:end] for start, end, *_ in sample.spans) == sample.response
            for sample in lines
        )
    # The same strips, with the texts of the renderer's marks.
    known_texts = {
        strip.tobytes(): text
        for drawn, pages in zip(batch.documents, batch.rendered, strict=True)
        for table in LineCutter(pages, drawn.presentation.font).tables()
        for strip, text in zip(table.strips, table.texts, strict=True)
        if text
    }
    rows = [
        (known_texts.get(sample.images[0].open().tobytes()), with_plain_spaces(sample.response))
        for sample in samples
        if sample.prompt == TABLE_PROMPT
    ]
    known = [(expected, response) for expected, response in rows if expected]
    assert len(known) > 0.9 * len(rows) > 50
    assert all(expected == response for expected, response in known)


def test_of_a_region_some_lines_can_be_taken_the_same_each_time(source, tmp_path):
    def read(max_lines):
        return read_samples(
            source, Split.TRAIN, [Task.TABLE], single_lines=True, page_folder=tmp_path, max_lines=max_lines
        )[0]

    every, some = read(None), read(2)
    assert some == read(2)
    assert [sample for sample in every if sample in some] == some
    count = {name: len(list(lines)) for name, lines in groupby(every, lambda sample: sample.id.rpartition(":")[0])}
    taken = {name: len(list(lines)) for name, lines in groupby(some, lambda sample: sample.id.rpartition(":")[0])}
    assert taken == {name: min(2, lines) for name, lines in count.items()}
    assert len({sample.id.rpartition(":")[2] for sample in some}) > 3


def test_a_base_that_reads_lines_refuses_other_tasks(source, tmp_path):
    with pytest.raises(ValueError, match=r"cannot learn line_items; ask for ocr_line, ocr_region, table"):
        read_samples(source, Split.TRAIN, [Task.OCR_LINE, Task.LINE_ITEMS], single_lines=True, page_folder=tmp_path)


def test_batches_that_the_manifest_does_not_list_are_refused(source, tmp_path):
    other = TrainingBatchFolders("batch-001", source.batches[0].pairs, source.batches[0].images)
    with pytest.raises(ValueError, match=r"lists the batches \['batch-000'\], but folders were given for"):
        read_samples(
            SampleSource(source.splits, (*source.batches, other)),
            Split.TRAIN,
            [Task.OCR_LINE],
            single_lines=True,
            page_folder=tmp_path,
        )


def test_real_documents_of_training_vendors_join_the_training_split_alone(source, batch, tmp_path):
    # A workspace of real documents has the same files; of this one, one document was corrected and given to training.
    rows = read_splits(source.splits)
    learnt = next(row.document_id for row in rows if row.split is not Split.TRAIN)
    real = tmp_path / "real"
    real.mkdir()
    for name in ("pairs", "images"):
        (real / name).symlink_to(batch.folder / name)
    write_splits(
        real / "splits",
        [replace(row, split=Split.TRAIN if row.document_id == learnt else Split.REAL, group="real") for row in rows],
    )
    with_real = replace(source, real=(real,))
    settings = {"single_lines": True, "page_folder": tmp_path}
    (before, _), (after, _) = (
        read_samples(one, Split.TRAIN, [Task.OCR_LINE], **settings) for one in (source, with_real)
    )
    added = after[len(before) :]
    assert after[: len(before)] == before
    assert added and {sample.id.partition("/")[0] for sample in added} == {learnt}
    assert {sample.batch for sample in added} == {REAL_BATCH}
    both = [read_samples(one, Split.VALIDATION, [Task.OCR_LINE], **settings)[0] for one in (source, with_real)]
    assert both[0] == both[1]
    assert with_real.data_version() != source.data_version()
