"""The command that an export prints loads it from where it was printed, whatever the folder is called."""

import contextlib
import io
import json
import logging
import os
import pathlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from finscribe_assets.exporting.folder_export import ExportFormat, validate_export
from finscribe_assets.exporting.sample_checks import ExportError

AWKWARD = "it's a {folder}, 100% #1"


@pytest.fixture
def printed(work, tmp_path, monkeypatch):
    """Return a function that exports to a folder below the working folder and returns what it prints."""

    def export(format_: ExportFormat, folder: str = AWKWARD) -> str:
        monkeypatch.chdir(tmp_path)
        return work.export(Path(folder), format_).load_with

    return export


LIKE_SWIFT = """#!{python}
import json, sys
from PIL import Image
assert sys.argv[1:3] == ["sft", "--dataset"] and len(sys.argv) == 4, sys.argv
for line in open(sys.argv[3], encoding="utf-8"):
    record = json.loads(line)
    for name in record["images"]:
        Image.open(name).load()
    print(record["id"])
"""


def test_the_swift_command_runs_where_it_was_printed(work, printed, tmp_path):
    command, _, rest = printed(ExportFormat.MESSAGES).partition(" (LLaMA-Factory: ")
    stand_in = tmp_path / "bin" / "swift"
    stand_in.parent.mkdir()
    stand_in.write_text(LIKE_SWIFT.format(python=sys.executable))
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    assert run.stdout.split("\n")[:-1] == list(work.expected)
    settings = yaml.safe_load("{" + rest.removesuffix(")") + "}")
    assert (tmp_path / settings["dataset_dir"] / "dataset_info.json").is_file()


def test_the_calls_for_python_run_where_they_were_printed(work, printed):
    datasets, webdataset = pytest.importorskip("datasets"), pytest.importorskip("webdataset")
    coco = pytest.importorskip("pycocotools.coco")
    for format_, names in (
        (ExportFormat.WEBDATASET, {"webdataset": webdataset, "pathlib": pathlib}),
        (ExportFormat.COCO, {"pycocotools": sys.modules["pycocotools"]}),
        (ExportFormat.HF, {"datasets": datasets}),
    ):
        # Not the whole awkward name: webdataset takes what follows a "#" for the fragment of an URL.
        call = printed(format_, f"it's a {{{format_}}}, 100%")
        with contextlib.redirect_stdout(io.StringIO()):
            loaded = eval(call, names)  # noqa: S307 - what a person would paste
        if format_ is ExportFormat.COCO:
            assert isinstance(loaded, coco.COCO)
            assert loaded.getAnnIds()
        else:
            ids = [sample["json"]["id"] if "json" in sample else sample["id"] for sample in loaded]
            assert ids == list(work.expected)


def test_the_hub_reads_the_card_without_a_complaint(work, exported, caplog):
    hub, info = pytest.importorskip("huggingface_hub"), pytest.importorskip("datasets.info")
    folder = exported(ExportFormat.HF)
    with caplog.at_level(logging.WARNING):
        card = hub.DatasetCard.load(folder / "README.md")
        split = info.DatasetInfosDict.from_dataset_card_data(card.data)["default"].splits["train"]
    assert not caplog.records
    assert split.num_examples == len(work.expected)
    assert split.num_bytes > sum(file.stat().st_size for file in (folder / "data").iterdir()) / 2


LOAD_WITH_SWIFT = """
import json, sys
from swift.dataset import load_dataset
from swift.template.vision_utils import load_image
rows, _ = load_dataset(sys.argv[sys.argv.index("--dataset") + 1:][:1], split_dataset_ratio=0.0)
def path_of(image):
    return image["path"] if isinstance(image, dict) else image
print("READ " + json.dumps([[row["messages"], [load_image(path_of(image)).size for image in row["images"]]]
                            for row in rows]))
"""

LOAD_WITH_LLAMA_FACTORY = """
import json, sys
from PIL import Image
from llamafactory.data.loader import _load_single_dataset
from llamafactory.data.parser import get_dataset_list
from llamafactory.hparams import DataArguments, ModelArguments
from transformers import Seq2SeqTrainingArguments
settings = json.loads(sys.argv[1])
data = DataArguments(**settings)
[attributes] = get_dataset_list(data.dataset, data.dataset_dir)
model = ModelArguments(model_name_or_path="none")
rows = _load_single_dataset(attributes, model, data, Seq2SeqTrainingArguments("out"))
print("READ " + json.dumps([[row["_prompt"] + row["_response"], [Image.open(name).size for name in row["_images"]]]
                            for row in rows]))
"""


def _read_by(variable: str, command: list[str], cwd: Path) -> list:
    # LLaMA-Factory refuses other versions of what trains; only its loader runs here.
    env = os.environ | {"DISABLE_VERSION_CHECK": "1"}
    run = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{variable}: {run.stderr[-3000:]}"
    return json.loads(next(line for line in run.stdout.splitlines() if line.startswith("READ "))[5:])


def _interpreter(variable: str, package: str) -> str:
    if not (python := os.environ.get(variable)):
        pytest.skip(f"{variable} names no interpreter with {package}; docs/exports.md says how to make one")
    return python


def _assert_read(rows: list, work, folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "data.jsonl").read_bytes().splitlines()]
    assert len(rows) == len(work.expected)
    for (turns, sizes), line in zip(rows, lines, strict=True):
        assert [turn["content"] for turn in turns] == [turn["content"] for turn in line["messages"]]
        assert [tuple(size) for size in sizes] == [Image.open(folder / name).size for name in line["images"]]


@pytest.mark.slow
def test_ms_swift_finds_the_pictures_by_the_printed_command(work, printed, tmp_path):
    python = _interpreter("FINSCRIBE_SWIFT_PYTHON", "ms-swift")
    command = printed(ExportFormat.MESSAGES).partition(" (LLaMA-Factory: ")[0]
    script = tmp_path / "load.py"
    script.write_text(LOAD_WITH_SWIFT)
    command = command.replace("swift sft", f"{python} {script}")
    _assert_read(_read_by("FINSCRIBE_SWIFT_PYTHON", ["sh", "-c", command], tmp_path), work, tmp_path / AWKWARD)


@pytest.mark.slow
def test_llama_factory_finds_the_pictures_by_the_printed_settings(work, printed, tmp_path):
    python = _interpreter("FINSCRIBE_LLAMAFACTORY_PYTHON", "llamafactory")
    rest = printed(ExportFormat.MESSAGES).partition(" (LLaMA-Factory: ")[2]
    settings = json.dumps(yaml.safe_load("{" + rest.removesuffix(")") + "}"))
    rows = _read_by("FINSCRIBE_LLAMAFACTORY_PYTHON", [python, "-c", LOAD_WITH_LLAMA_FACTORY, settings], tmp_path)
    _assert_read(rows, work, tmp_path / AWKWARD)


def test_a_card_with_other_counts_fails_the_validation(work, exported, tmp_path):
    folder = shutil.copytree(exported(ExportFormat.HF), tmp_path / "copy")
    card = (folder / "README.md").read_text(encoding="utf-8")
    count = f"num_examples: {len(work.expected)}"
    assert count in card
    (folder / "README.md").write_text(card.replace(count, "num_examples: 1"), encoding="utf-8")
    with pytest.raises(ExportError, match=r"README\.md: front matter"):
        validate_export(folder)
