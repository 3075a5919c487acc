import pytest

from finscribe_assets.instructions.batch import read_pairs
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import Task
from finscribe_assets.splitting.assign import Split
from finscribe_assets.splitting.rows import read_splits
from finscribe_assets.training.images import fit_line
from finscribe_assets.training.samples import BatchFolders, SampleSource, read_samples
from finscribe_assets_tests.training.adapter_data import source_of


@pytest.fixture(scope="module")
def source(batch, tmp_path_factory):
    return source_of(batch, tmp_path_factory.mktemp("samples") / "splits")


@pytest.fixture(scope="module")
def pairs(batch):
    return {pair.id: pair for pair in read_pairs(batch.folder / "pairs")}


@pytest.mark.parametrize("split", [Split.TRAIN, Split.VALIDATION])
def test_a_splits_samples_are_its_documents_pairs_of_the_asked_task(source, pairs, split, tmp_path):
    documents = {row.document_id for row in read_splits(source.splits) if row.split is split}
    samples, left_out = read_samples(source, split, [Task.OCR_LINE], lines=True, spool=tmp_path)
    of_split = [pair for pair in pairs.values() if pair.document_id in documents]
    assert [one.id for one in samples] == [pair.id for pair in of_split if pair.task is Task.OCR_LINE]
    assert samples
    assert len(samples) + left_out.counts.total() == len(of_split)
    assert left_out.counts["task not asked for: table"] == sum(pair.task is Task.TABLE for pair in of_split)


def test_a_line_is_the_fitted_crop_of_its_page(source, pairs, batch, tmp_path):
    samples, _ = read_samples(source, Split.TRAIN, [Task.OCR_LINE], lines=True, spool=tmp_path)
    rendered = {document.id: document for document in batch.rendered}
    for one in samples[::40]:
        pair = pairs[one.id]
        page = rendered[pair.document_id].pages[pair.pages[0]].open()
        expected = fit_line(crop(page, pair.box))
        picture = one.images[0]
        assert (picture.width, picture.height) == expected.size
        assert picture.open().tobytes() == expected.tobytes()
        assert (one.prompt, one.response) == (pair.prompt, pair.response)


def test_pages_and_regions_come_from_files_in_their_own_size(source, pairs, batch, tmp_path):
    tasks = [Task.FULL_EXTRACTION, Task.TABLE]
    samples, _ = read_samples(source, Split.VALIDATION, tasks, lines=False, spool=tmp_path / "pages")
    rendered = {document.id: document for document in batch.rendered}
    assert {pairs[one.id].task for one in samples} == set(tasks)
    for one in samples:
        pair = pairs[one.id]
        pages = [rendered[pair.document_id].pages[number].open() for number in pair.pages]
        expected = [crop(page, pair.box) if pair.box else page for page in pages]
        assert [(picture.width, picture.height) for picture in one.images] == [image.size for image in expected]
        assert [picture.open().tobytes() for picture in one.images] == [image.tobytes() for image in expected]


def test_a_base_that_reads_lines_refuses_other_tasks(source, tmp_path):
    with pytest.raises(ValueError, match=r"cannot learn table.*take the real model"):
        read_samples(source, Split.TRAIN, [Task.OCR_LINE, Task.TABLE], lines=True, spool=tmp_path)


def test_batches_that_the_manifest_does_not_list_are_refused(source, tmp_path):
    other = BatchFolders("batch-001", source.batches[0].pairs, source.batches[0].images)
    with pytest.raises(ValueError, match=r"lists the batches \['batch-000'\], but folders were given for"):
        read_samples(SampleSource(source.splits, (*source.batches, other)), Split.TRAIN, [Task.OCR_LINE], lines=True,
                     spool=tmp_path)  # fmt: skip
