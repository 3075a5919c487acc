"""Every format is read back with the loaders of trainers, and compared text by text and pixel by pixel."""

import contextlib
import io
import json
import os
import subprocess
import venv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finscribe_assets.documents.elements import element_of
from finscribe_assets.exporting.folder_export import ExportFormat
from finscribe_assets.rendering.page_colours import to_colour
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets.splitting.split_assignment import Split


def records(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "data.jsonl").read_bytes().splitlines()]


def decoded(file) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)


def assert_same_images(actual: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert [image.shape for image in actual] == [image.shape for image in expected]
    assert all(np.array_equal(*images) for images in zip(actual, expected, strict=True))


def spans_of(pair) -> list[dict]:
    return [{"start": span.start, "end": span.end, "kind": str(span.type), "path": span.path} for span in pair.spans]


def test_the_pairs_of_these_tests_have_images_of_every_kind(work):
    pairs = work.expected.values()
    assert any(pair.patches for pair in pairs)
    assert any(pair.box for pair in pairs)
    assert any(len(pair.pages) > 1 for pair in pairs)
    assert any(not pair.box and not pair.patches for pair in pairs)
    assert any(pair.spans for pair in pairs)


def test_messages_contain_each_pair_with_one_tag_per_image(work, exported):
    folder = exported(ExportFormat.MESSAGES)
    lines = records(folder)
    assert [line["id"] for line in lines] == list(work.expected)
    for line in lines:
        pair = work.expected[line["id"]]
        user, assistant = line["messages"]
        assert user == {"role": "user", "content": "<image>" * len(pair.pages) + pair.prompt}
        assert assistant == {"role": "assistant", "content": pair.response}
        assert_same_images([decoded(folder / name) for name in line["images"]], work.pixels(pair))
    info = json.loads((folder / "dataset_info.json").read_text())["finscribe"]
    assert info["file_name"] == "data.jsonl"
    assert set(info["columns"].values()) <= lines[0].keys()


def test_whole_pages_are_written_once_and_unchanged(work, exported):
    folder = exported(ExportFormat.MESSAGES)
    stored = {page.image for document in work.rendered.values() for page in document.pages}
    whole = [pair for pair in work.expected.values() if not pair.box and not pair.patches]
    named = Counter(name for line in records(folder) if work.expected[line["id"]] in whole for name in line["images"])
    assert max(named.values()) > 1
    assert all((folder / name).read_bytes() in stored for name in named)
    assert len(named) == len({(pair.document_id, page) for pair in whole for page in pair.pages})


def test_messages_load_as_a_json_data_set(work, exported, tmp_path):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(
        "json", data_files=str(exported(ExportFormat.MESSAGES) / "data.jsonl"), cache_dir=str(tmp_path)
    )["train"]
    assert {row["id"]: row["messages"][1]["content"] for row in loaded} == {
        id_: pair.response for id_, pair in work.expected.items()
    }


def test_erniekit_masks_the_prompt_but_not_the_response(work, exported):
    folder = exported(ExportFormat.ERNIEKIT)
    lines = records(folder)
    assert [line["id"] for line in lines] == list(work.expected)
    for line in lines:
        pair = work.expected[line["id"]]
        assert line["text_info"] == [{"text": pair.prompt, "tag": "mask"}, {"text": pair.response, "tag": "no_mask"}]
        assert {image["matched_text_index"] for image in line["image_info"]} == {0}
        assert_same_images([decoded(folder / image["image_url"]) for image in line["image_info"]], work.pixels(pair))


def test_the_hub_format_loads_from_its_folder(work, exported, tmp_path):
    datasets = pytest.importorskip("datasets")
    folder = exported(ExportFormat.HF)
    loaded = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path))
    assert loaded.features["images"].feature == datasets.Image()
    assert loaded["id"][:] == list(work.expected)
    for row in loaded:
        pair = work.expected[row["id"]]
        assert (row["prompt"], row["response"], row["spans"]) == (pair.prompt, pair.response, spans_of(pair))
        assert (row["document_id"], row["task"], row["target"]) == (pair.document_id, pair.task, pair.target)
        assert_same_images([np.asarray(image) for image in row["images"]], work.pixels(pair))


def test_the_hub_format_streams_and_its_shards_declare_their_features(work, exported):
    datasets = pytest.importorskip("datasets")
    folder = exported(ExportFormat.HF)
    streamed = datasets.load_dataset(str(folder), split="train", streaming=True)
    assert [row["id"] for row in streamed] == list(work.expected)
    first = sorted((folder / "data").iterdir())[0]
    single_shard = datasets.Dataset.from_parquet(str(first), keep_in_memory=True)
    assert isinstance(single_shard[0]["images"][0], Image.Image)


def test_tar_shards_stream_through_webdataset(work, exported):
    webdataset = pytest.importorskip("webdataset")
    shards = sorted(map(str, (exported(ExportFormat.WEBDATASET) / "shards").iterdir()))
    assert len(shards) == 2
    ids = []
    for sample in webdataset.WebDataset(shards, shardshuffle=False).decode("pilrgb"):
        record = sample["json"]
        pair = work.expected[record["id"]]
        assert (record["prompt"], record["response"], record["spans"]) == (pair.prompt, pair.response, spans_of(pair))
        assert "." not in sample["__key__"]
        images = [to_colour(pixels) for pixels in work.pixels(pair)]
        assert_same_images([np.asarray(sample[name]) for name in record["images"]], images)
        ids.append(record["id"])
    assert ids == list(work.expected)


def test_coco_has_every_fragment_of_every_mark(work, exported):
    coco = pytest.importorskip("pycocotools.coco")
    folder = exported(ExportFormat.COCO)
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = coco.COCO(str(folder / "annotations" / "instances_train.json"))
    names = {category["id"]: category["name"] for category in loaded.loadCats(loaded.getCatIds())}
    checked = unreadable = 0
    for image in loaded.loadImgs(loaded.getImgIds()):
        document = work.rendered[image["document_id"]]
        page = document.pages[image["page"]]
        assert (folder / "images" / image["file_name"]).read_bytes() == page.image
        assert (image["width"], image["height"]) == (page.width, page.height)
        expected = sorted(
            (
                mark.name,
                str(element_of(mark.name) if mark.type is MarkType.FIELD else mark.type),
                part.text,
                not part.visible,
                tuple(round(side) for side in part.box),
            )
            for mark in document.marks
            for part in mark.fragments
            if part.page == image["page"]
        )
        annotations = []
        for mark in loaded.loadAnns(loaded.getAnnIds(imgIds=[image["id"]])):
            x, y, width, height = mark["bbox"]
            assert mark["area"] == pytest.approx(width * height, abs=0.01)
            assert mark["ignore"] == mark["unreadable"]
            annotations.append(
                (
                    mark["name"],
                    names[mark["category_id"]],
                    mark["text"],
                    mark["unreadable"],
                    tuple(round(side) for side in (x, y, x + width, y + height)),
                )
            )
        assert sorted(annotations) == expected
        checked += len(annotations)
        unreadable += sum(mark[3] for mark in annotations)
    assert {image["document_id"] for image in loaded.loadImgs(loaded.getImgIds())} == work.documents
    assert checked == len(loaded.getAnnIds()) > 100
    assert unreadable > 0


def test_a_perfect_detector_scores_one_by_pycocotools(exported, tmp_path):
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(exported(ExportFormat.COCO) / "annotations" / "instances_train.json"))
        predictions = truth.loadRes(
            [
                {**{key: mark[key] for key in ("image_id", "category_id", "bbox")}, "score": 1.0}
                for mark in truth.loadAnns(truth.getAnnIds())
            ]
        )
        run = evaluation.COCOeval(truth, predictions, "bbox")
        run.params.maxDets = [1, 100, 1000]
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"][:, :, :, 0, -1]
    assert precision[precision > -1].mean() == pytest.approx(1)


def test_half_of_the_test_pairs_use_held_out_prompts(work, tmp_path):
    work.export(tmp_path / "test", ExportFormat.ERNIEKIT, Split.TEST)
    prompts = {line["id"]: line["text_info"][0]["text"] for line in records(tmp_path / "test")}
    assert prompts == {id_: pair.prompt_for(test=True) for id_, pair in work.expected.items()}
    held_out = [id_ for id_, pair in work.expected.items() if prompts[id_] != pair.prompt]
    assert 0 < len(held_out) < len(prompts)


READ_WITH_PADDLE = """
import json, sys
from paddleformers.datasets.reader.file_reader import FileReader
for path, format_ in ((sys.argv[1], "messages"), (sys.argv[2], "erniekit")):
    rows = [row for row in FileReader(path, format_)]
    print("READ " + json.dumps([[row["messages"], row["images"]] for row in rows]))
"""


@pytest.mark.slow
def test_the_reader_of_paddleformers_reads_both_formats_alike(work, exported, tmp_path):
    """FINSCRIBE_PADDLE_PYTHON names an interpreter with PaddleFormers; without it, one is installed (2 GB)."""
    python = os.environ.get("FINSCRIBE_PADDLE_PYTHON")
    if not python:
        venv.create(tmp_path / "paddle", with_pip=True)
        python = str(tmp_path / "paddle" / "bin" / "python")
        # Paddle needs NumPy 1, for which newer pyarrow has no wheels; the reader itself asks for neither version.
        for packages in (["paddleformers==1.2.0", "paddlepaddle==3.3.1"], ["pyarrow<22"]):
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    run = subprocess.run(
        [
            python,
            "-c",
            READ_WITH_PADDLE,
            *(exported(format_) / "data.jsonl" for format_ in (ExportFormat.MESSAGES, ExportFormat.ERNIEKIT)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    read = [json.loads(line[5:]) for line in run.stdout.splitlines() if line.startswith("READ ")]
    assert len(read) == 2
    for rows in read:
        assert len(rows) == len(work.expected)
        for ((user, assistant), images), pair in zip(rows, work.expected.values(), strict=True):
            assert user["content"] == "<image>" * len(pair.pages) + pair.prompt
            assert assistant["content"] == pair.response
            assert_same_images([decoded(name) for name in images], work.pixels(pair))
