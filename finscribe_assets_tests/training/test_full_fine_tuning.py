"""An adapter that is all of the base's weights: trained, and taken wherever LoRA is."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from finscribe_assets.inference.checkpoint_merging import merge_adapter
from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.inference.region_layout import RendererBoxes
from finscribe_assets.instructions.crops import crop
from finscribe_assets.model.adapters import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    FULL_WEIGHTS,
    TRAINING_RECORD,
    BaseMismatchError,
    adapter_hash,
    load_adapted_model,
)
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.bases import find_base, load_model
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER, WEIGHTS
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets.training.optimisation import decay_groups
from finscribe_assets.training.peft_trainer import PeftTrainer
from finscribe_assets.training.trainable_model import trainable_model
from finscribe_assets_tests.training.page_base import write_page_base

SETTINGS = AdapterConfig(
    fine_tuning="full",
    learning_rate=2e-3,
    weight_decay=0.1,
    augmentation=1.0,
    max_steps=4,
    epochs=1,
    batch_size=4,
    validation_samples=4,
    checkpoint_every=2,
    threads=1,
)


@pytest.fixture(scope="module")
def trained(source, tmp_path_factory):
    """The adapter's folder, the training that wrote it, with the model in memory, and the summary."""
    folder, trainings = tmp_path_factory.mktemp("trained"), []

    class KeepingTrainer(PeftTrainer):
        def train(self, training, on_step):
            trainings.append(training)
            return super().train(training, on_step)

    summary = train_adapter(SETTINGS, source, folder / "out", folder / "work", trainer=KeepingTrainer())
    trainings[0].model.eval()
    return folder / "out", trainings[0], summary


@pytest.fixture(scope="module")
def requests(batch):
    document = batch.rendered[0]
    pages = [page.open() for page in document.pages]
    return [
        ReadRequest((crop(pages[number], box),), "OCR:")
        for region in RendererBoxes().regions(document)
        for number, box in region.lines
    ][:12]


def parameters(model):
    return {name: weight.detach() for name, weight in model.named_parameters()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_every_weight_is_trained_and_stands_in_the_file(trained):
    out, training, summary = trained
    base, written = parameters(load_model(find_base(EMBEDDED))), load_file(out / FULL_WEIGHTS)
    assert same(written, parameters(training.model))
    assert [name for name in base if torch.equal(base[name], written[name])] == []
    assert summary.trainable_parameters == sum(weight.numel() for weight in base.values())
    assert not (out / ADAPTER_CONFIG).exists(), "peft would take it for LoRA"


class Killed(BaseException):
    pass


def test_a_killed_run_goes_on_to_the_same_bytes_where_lora_lay_before(source, trained, tmp_path):
    def kill(progress):
        if progress.step == 3:
            raise Killed

    out = tmp_path / "out"
    out.mkdir()
    for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG):
        (out / name).write_text("of an earlier training")
    with pytest.raises(Killed):
        train_adapter(SETTINGS, source, out, tmp_path / "work", on_step=kill)
    steps = []
    train_adapter(SETTINGS, source, out, tmp_path / "work", on_step=lambda progress: steps.append(progress.step))
    assert steps == [3, 4]
    for name in (FULL_WEIGHTS, TRAINING_RECORD):
        assert (out / name).read_bytes() == (trained[0] / name).read_bytes()
    assert {file.name for file in out.iterdir()} == {file.name for file in trained[0].iterdir()}
    assert train_adapter(SETTINGS, source, out, tmp_path / "work", on_step=pytest.fail).already_there


def test_it_reads_as_the_model_in_memory_and_so_does_its_merge(trained, requests, tmp_path):
    out, training, _ = trained
    bare = Reader(threads=1)
    base_reads = bare.read(requests)
    bare.model = training.model
    expected = bare.read(requests)
    loaded = Reader(adapter=out, threads=1)
    assert loaded.adapter == adapter_hash(out)
    assert loaded.read(requests) == expected != base_reads
    summary = merge_adapter(EMBEDDED, out, tmp_path / "merged", "float32")
    assert summary.changed == summary.tensors
    merged = find_base(str(tmp_path / "merged"))
    assert same(parameters(load_model(merged)), parameters(training.model))
    assert Reader(str(tmp_path / "merged"), threads=1).read(requests) == expected


def test_a_head_that_is_stored_beside_the_embeddings_it_is_tied_to_is_merged_as_they_are(trained, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(BASE_FOLDER, base)
    weights = load_file(base / WEIGHTS)
    embeddings = next(name for name in weights if name.endswith("embed_tokens.weight"))
    save_file(weights | {"lm_head.weight": weights[embeddings].clone()}, base / WEIGHTS, metadata={"format": "pt"})
    shutil.copytree(trained[0], tmp_path / "adapter")
    record = json.loads((trained[0] / TRAINING_RECORD).read_text())
    record["base"]["content"] = find_base(str(base)).content
    (tmp_path / "adapter" / TRAINING_RECORD).write_text(json.dumps(record))
    merge_adapter(str(base), tmp_path / "adapter", tmp_path / "merged")
    merged = load_file(tmp_path / "merged" / WEIGHTS)
    assert torch.equal(merged["lm_head.weight"], merged[embeddings])
    assert not torch.equal(merged[embeddings], weights[embeddings])


def test_the_next_batch_goes_on_from_it_but_not_as_lora(source, trained, tmp_path):
    settings = SETTINGS.model_copy(update={"start_from": "previous", "max_steps": 1})
    summary = train_adapter(settings, source, tmp_path / "out", tmp_path / "work", previous=trained[0])
    assert summary.first_validation_loss == trained[2].last_validation_loss
    as_lora = settings.model_copy(update={"fine_tuning": "lora"})
    with pytest.raises(ValueError, match=r"fine_tuning: 'lora', but the adapter to go on from .* has 'full'"):
        trainable_model(as_lora, find_base(EMBEDDED), trained[0])


def test_it_is_refused_on_another_base_and_with_a_layer_missing(trained, tmp_path):
    other = find_base(str(write_page_base(tmp_path / "other")))
    with pytest.raises(BaseMismatchError, match=r"trained on embedded .* not on other"):
        load_adapted_model(other, trained[0])
    shutil.copytree(trained[0], tmp_path / "adapter")
    weights = load_file(trained[0] / FULL_WEIGHTS)
    save_file({name: weights[name] for name in sorted(weights)[1:]}, tmp_path / "adapter" / FULL_WEIGHTS)
    with pytest.raises(ValueError, match=f"its layers are not the model's: {sorted(weights)[0]}"):
        load_adapted_model(find_base(EMBEDDED), tmp_path / "adapter")


def test_matrices_decay_and_vectors_do_not(trained):
    parameters = trained[1].trained
    names = {id(weight): name for name, weight in parameters.items()}
    groups = decay_groups(parameters.values(), SETTINGS.weight_decay)
    decays = {names[id(weight)]: group["weight_decay"] for group in groups for weight in group["params"]}
    assert decays.keys() == parameters.keys()
    assert {name for name, decay in decays.items() if not decay} == {
        name for name in decays if "norm" in name or name.endswith("bias")
    }
