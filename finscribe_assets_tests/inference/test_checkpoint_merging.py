"""A merged checkpoint, compared with its base and adapter by the loaders that people use."""

import json
import os
import shutil
import stat

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from finscribe_assets.inference.checkpoint_merging import merge_adapter
from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.inference.region_layout import RendererBoxes
from finscribe_assets.instructions.crops import crop
from finscribe_assets.model.adapters import ADAPTER_WEIGHTS
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.bases import find_base
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER, WEIGHTS
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets_tests.training.adapter_data import source_of


@pytest.fixture(scope="module")
def adapter(batch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapter")
    settings = AdapterConfig(rank=4, alpha=8, max_steps=2, batch_size=4, validation_samples=0, threads=1)
    train_adapter(settings, source_of(batch, folder / "splits"), folder / "adapter", folder / "work")
    weights = load_file(folder / "adapter" / ADAPTER_WEIGHTS)
    # Two steps change too little; an update of this size changes many responses.
    scaled = {name: tensor * 40 if "lora_B" in name else tensor for name, tensor in weights.items()}
    save_file(scaled, folder / "adapter" / ADAPTER_WEIGHTS, metadata={"format": "pt"})
    return folder / "adapter"


@pytest.fixture(scope="module")
def requests(batch):
    document = batch.rendered[0]
    pages = [page.open() for page in document.pages]
    return [
        ReadRequest((crop(pages[number], box),), "OCR:")
        for region in RendererBoxes().regions(document)
        for number, box in region.lines
    ][:40]


@pytest.fixture(scope="module")
def merged(adapter, tmp_path_factory):
    """Merge in float32, where rounding hides no difference."""
    out = tmp_path_factory.mktemp("merged") / "model"
    merge_adapter(EMBEDDED, adapter, out, "float32")
    return out


def test_it_reads_the_same_tokens_as_base_and_adapter(merged, adapter, requests):
    expected = Reader(adapter=adapter, threads=1).read(requests)
    actual = Reader(str(merged), threads=1).read(requests)
    assert [decoded.tokens for decoded in actual] == [decoded.tokens for decoded in expected]
    for decoded, expected_text in zip(actual, expected, strict=True):
        assert decoded.probabilities == pytest.approx(expected_text.probabilities, abs=1e-4)
    bare_base = Reader(threads=1).read(requests)
    assert [decoded.tokens for decoded in bare_base] != [decoded.tokens for decoded in expected]


def test_by_default_each_weight_is_rounded_to_the_type_of_the_base(adapter, merged, requests, tmp_path):
    summary = merge_adapter(EMBEDDED, adapter, tmp_path / "model")
    rounded, exact = load_file(tmp_path / "model" / WEIGHTS), load_file(merged / WEIGHTS)
    with safe_open(BASE_FOLDER / WEIGHTS, "pt") as base:
        assert list(rounded) == list(base.keys()) == list(exact)
        assert all(rounded[name].dtype == base.get_tensor(name).dtype for name in rounded)
    assert all(torch.equal(rounded[name], exact[name].to(rounded[name].dtype)) for name in rounded)
    assert 0 < summary.changed < summary.tensors, "embeddings and norms are the base's"
    # bfloat16 has 8 significant bits: only lines whose best tokens are nearly equal may change.
    before, after = (Reader(str(folder), threads=1).read(requests) for folder in (merged, tmp_path / "model"))
    same = sum(exact.text == rounded.text for exact, rounded in zip(before, after, strict=True))
    assert same >= 0.8 * len(requests)


def test_the_folder_has_the_files_that_loaders_need(merged):
    names = {file.name for file in merged.iterdir()}
    assert {
        "config.json",
        "generation_config.json",
        "preprocessor_config.json",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        WEIGHTS,
    } <= names
    assert "README.md" not in names, "the base's card does not describe these weights"
    config = json.loads((merged / "config.json").read_text())
    assert config["architectures"] == ["PaddleOCRVLForConditionalGeneration"]
    assert config["dtype"] == "float32"
    model = AutoModelForImageTextToText.from_pretrained(merged)
    assert model.dtype == torch.float32
    assert model.lm_head.weight.data_ptr() == model.model.language_model.embed_tokens.weight.data_ptr()
    assert AutoProcessor.from_pretrained(merged).chat_template
    assert find_base(str(merged)).content != find_base(EMBEDDED).content


def test_a_server_that_runs_as_another_user_can_read_every_file(adapter, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(BASE_FOLDER, base)
    for file in base.iterdir():
        file.chmod(0o600)  # as safetensors writes files
    record = json.loads((adapter / "training.json").read_text())
    shutil.copytree(adapter, tmp_path / "adapter")
    record["base"]["content"] = find_base(str(base)).content
    (tmp_path / "adapter" / "training.json").write_text(json.dumps(record))
    earlier = os.umask(0o077)
    try:
        merge_adapter(str(base), tmp_path / "adapter", tmp_path / "out")
    finally:
        os.umask(earlier)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").iterdir()}
    assert WEIGHTS in modes
    assert set(modes.values()) == {0o644}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755


def test_tensors_that_transformers_does_not_load_are_kept(adapter, tmp_path):
    """The real model's checkpoint has such a head in its vision tower."""
    base = tmp_path / "base"
    shutil.copytree(BASE_FOLDER, base)
    head = {"visual.vision_model.head.probe": torch.ones(1, 3, dtype=torch.bfloat16)}
    save_file(load_file(base / WEIGHTS) | head, base / WEIGHTS, metadata={"format": "pt"})
    record = json.loads((adapter / "training.json").read_text())
    shutil.copytree(adapter, tmp_path / "adapter")
    record["base"]["content"] = find_base(str(base)).content
    (tmp_path / "adapter" / "training.json").write_text(json.dumps(record))
    merge_adapter(str(base), tmp_path / "adapter", tmp_path / "out")
    assert torch.equal(load_file(tmp_path / "out" / WEIGHTS)[next(iter(head))], next(iter(head.values())))


def test_a_failed_merge_leaves_nothing(adapter, tmp_path, monkeypatch):
    def fail(*args, **options):
        raise OSError("disk full")

    monkeypatch.setattr("finscribe_assets.inference.checkpoint_merging.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        merge_adapter(EMBEDDED, adapter, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_not_touched(adapter, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ValueError, match="is there already; name a new folder or an empty one"):
        merge_adapter(EMBEDDED, adapter, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
