import json
import math
import shutil
import warnings

import pytest
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from finscribe_assets.instructions.pair import SpanType, Task
from finscribe_assets.model.adapters import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    TRAINING_RECORD,
    BaseMismatchError,
    add_adapter,
)
from finscribe_assets.model.bases import find_base, load_model, processor_for
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER, WEIGHTS
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_folder import METRICS_FILE, TENSORBOARD_FOLDER
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets.training.loss_curves import loss_curve
from finscribe_assets.training.prepared_training import NothingToLearnError
from finscribe_assets.training.sample_encoding import Encoder
from finscribe_assets.training.trainer import TrainingDivergedError
from finscribe_assets.training.training_samples import LineImage, TrainingSample
from finscribe_assets_tests.training.adapter_data import shifted_batch, source_of
from finscribe_assets_tests.training.page_base import write_page_base

# Dropout, augmentation and accumulation are on, so that a resumed run has all of them to get right.
SETTINGS = AdapterConfig(
    rank=4,
    alpha=8,
    dropout=0.2,
    augmentation=1.0,
    max_steps=8,
    epochs=1,
    batch_size=4,
    gradient_accumulation=2,
    validate_every=4,
    validation_samples=8,
    log_every=1,
    checkpoint_every=3,
    threads=1,
)


@pytest.fixture(scope="module")
def trained(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder / "out", train_adapter(SETTINGS, source, folder / "out", folder / "work")


def files(folder):
    names = (ADAPTER_WEIGHTS, ADAPTER_CONFIG, TRAINING_RECORD, METRICS_FILE)
    return {name: (folder / name).read_bytes() for name in names}


class Killed(BaseException):
    pass


def test_a_training_that_is_killed_again_and_again_ends_with_the_same_bytes(source, trained, tmp_path):
    def train(on_step):
        train_adapter(SETTINGS, source, tmp_path / "out", tmp_path / "work", on_step=on_step)

    # Checkpoints are written after steps 3, 6 and 8; each training goes on from the latest.
    for checkpoint, last_step in ((0, 1), (0, 3), (3, 5), (3, 8)):
        steps = []

        def kill(progress, steps=steps, last_step=last_step):
            steps.append(progress.step)
            if progress.step == last_step:
                raise Killed

        with pytest.raises(Killed):
            train(kill)
        assert steps == list(range(checkpoint + 1, last_step + 1))
        assert not (tmp_path / "out" / TRAINING_RECORD).exists()
    train(pytest.fail)  # all steps are taken
    assert files(tmp_path / "out") == files(trained[0])


def test_a_finished_adapter_is_left_alone(source, trained, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in trained[0].rglob("*")}
    again = train_adapter(SETTINGS, source, trained[0], tmp_path, on_step=pytest.fail)
    assert again.already_there
    assert {path: path.stat().st_mtime_ns for path in trained[0].rglob("*")} == before


def test_other_settings_train_anew_and_from_no_old_checkpoint(source, tmp_path):
    first = SETTINGS.model_copy(update={"max_steps": 3})
    train_adapter(first, source, tmp_path / "out", tmp_path / "work")
    weights = (tmp_path / "out" / ADAPTER_WEIGHTS).read_bytes()
    steps = []
    train_adapter(
        first.model_copy(update={"seed": 1}),
        source,
        tmp_path / "out",
        tmp_path / "work",
        on_step=lambda progress: steps.append(progress.step),
    )
    assert steps == [1, 2, 3]
    assert (tmp_path / "out" / ADAPTER_WEIGHTS).read_bytes() != weights


def test_how_it_is_watched_changes_no_weight(source, trained, tmp_path):
    watched = SETTINGS.model_copy(update={"checkpoint_every": 5, "log_every": 7})
    train_adapter(watched, source, tmp_path / "out", tmp_path / "work")
    assert files(tmp_path / "out")[ADAPTER_WEIGHTS] == files(trained[0])[ADAPTER_WEIGHTS]


def test_metrics_tensorboard_and_summary_agree(trained):
    out, summary = trained
    metrics = [json.loads(line) for line in (out / METRICS_FILE).read_text().splitlines()]
    assert [record["step"] for record in metrics] == list(range(9))
    validation = {record["step"]: record["validation_loss"] for record in metrics if "validation_loss" in record}
    assert list(validation) == [0, 4, 8]
    assert (summary.first_validation_loss, summary.last_validation_loss) == (validation[0], validation[8])
    events = EventAccumulator(str(out / TENSORBOARD_FOLDER)).Reload()
    shown = {event.step: event.value for event in events.Scalars("loss/train")}
    assert shown == pytest.approx({record["step"]: record["loss"] for record in metrics if "loss" in record}, abs=1e-5)
    record = json.loads((out / TRAINING_RECORD).read_text())
    assert record["summary"]["steps"] == summary.steps == 8
    assert record["config"]["rank"] == 4
    assert summary.trainable_parameters == sum(tensor.numel() for tensor in load_file(out / ADAPTER_WEIGHTS).values())


def test_the_rate_rises_and_falls_along_the_cosine(source, tmp_path):
    settings = SETTINGS.model_copy(update={"warmup": 0.25, "final_learning_rate": 1e-4, "max_steps": 8})
    train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    lines = (tmp_path / "out" / METRICS_FILE).read_text().splitlines()
    rates = [json.loads(line).get("learning_rate") for line in lines]
    scheduled = torch.optim.lr_scheduler.CosineAnnealingLR(
        torch.optim.SGD([torch.zeros(1)], lr=settings.learning_rate), T_max=6, eta_min=1e-4
    )
    falling = []
    for _ in range(6):
        falling.append(scheduled.get_last_lr()[0])
        scheduled.optimizer.step()
        scheduled.step()
    assert rates[1:] == pytest.approx([7.5e-4, 1.5e-3, *falling], abs=1e-9)


def test_training_lowers_the_loss_on_documents_it_has_not_seen(tmp_path):
    source = source_of(shifted_batch(tmp_path / "batch"), tmp_path / "splits")
    settings = SETTINGS.model_copy(
        update={
            "max_steps": 60,
            "batch_size": 8,
            "gradient_accumulation": 1,
            "dropout": 0.0,
            "augmentation": 0.0,
            "validation_samples": 48,
        }
    )
    summary = train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    assert summary.loss_fell
    assert summary.last_validation_loss < 0.9 * summary.first_validation_loss


def batch_of_lines(base):
    encoder = Encoder(processor_for(base))
    pictures = [LineImage.of(Image.linear_gradient("L").resize((width, 28))) for width in (60, 140)]
    samples = [
        TrainingSample(str(place), "batch-000", "OCR:", "12,50", (picture,)) for place, picture in enumerate(pictures)
    ]
    inputs = encoder.collate([encoder.encode(sample) for sample in samples])
    inputs.pop("labels")
    return inputs


@torch.no_grad()
def test_peft_itself_loads_what_was_written(trained):
    base = find_base("embedded")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        theirs = PeftModel.from_pretrained(load_model(base), trained[0])
    ours, inputs = add_adapter(load_model(base), trained[0], base), batch_of_lines(base)
    expected = theirs(**inputs).logits
    assert torch.equal(ours(**inputs).logits, expected)
    assert not torch.allclose(load_model(base)(**inputs).logits, expected)


def test_layers_that_are_trained_whole_are_saved_and_loaded(source, tmp_path):
    """Of both of the projector's layers: the one has an update of low rank, the other is trained whole."""
    settings = SETTINGS.model_copy(update={"target_modules": ("linear_1",), "modules_to_save": ("linear_2",)})
    summary = train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    base = find_base(settings.base)
    fresh = dict(load_model(base).named_parameters())
    whole = fresh["model.projector.linear_2.weight"].numel() + fresh["model.projector.linear_2.bias"].numel()
    assert summary.trainable_parameters == whole + settings.rank * sum(fresh["model.projector.linear_1.weight"].shape)
    merged = dict(add_adapter(load_model(base), tmp_path / "out", base).merge_and_unload().named_parameters())
    changed = {name for name, weight in merged.items() if not torch.equal(weight, fresh[name])}
    assert changed == {f"model.projector.{name}" for name in ("linear_1.weight", "linear_2.weight", "linear_2.bias")}


def test_what_weighs_nothing_is_not_learnt(source, tmp_path):
    """Of single lines everything is an amount or another value: without them the end of an answer alone is learnt."""
    few = SETTINGS.model_copy(update={"dropout": 0.0, "augmentation": 0.0, "max_steps": 3, "validation_samples": 0})
    nothing = few.model_copy(update={"loss_weights": {SpanType.FINANCIAL: 0.0, SpanType.VALUE: 0.0}})
    alike = few.model_copy(update={"loss_weights": {SpanType.FINANCIAL: 1.0}})
    losses = {}
    for name, settings in (("plain", few), ("nothing", nothing), ("alike", alike)):
        train_adapter(settings, source, tmp_path / name, tmp_path / f"{name}-work")
        losses[name] = [
            record["loss"] for record in map(json.loads, (tmp_path / name / METRICS_FILE).open()) if "loss" in record
        ]
    assert losses["alike"] == pytest.approx(losses["plain"], rel=1e-3)
    assert losses["nothing"][0] != pytest.approx(losses["plain"][0], rel=0.05)


def test_an_adapter_names_its_base_and_no_place(source, tmp_path):
    shutil.copytree(BASE_FOLDER, tmp_path / "copied")
    settings = SETTINGS.model_copy(update={"base": str(tmp_path / "copied"), "max_steps": 1})
    train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    written = (tmp_path / "out" / ADAPTER_CONFIG).read_text()
    assert json.loads(written)["base_model_name_or_path"] == f"copied@sha256:{find_base('embedded').content}"
    assert str(tmp_path) not in written
    # The same weights under another name are the same base.
    add_adapter(load_model(find_base("embedded")), tmp_path / "out", find_base("embedded"))


def test_an_adapter_is_refused_on_other_weights(trained, tmp_path):
    other = find_base(str(write_page_base(tmp_path / "other")))
    with pytest.raises(BaseMismatchError, match=r"trained on embedded .* not on other"):
        add_adapter(load_model(other), trained[0], other)


def test_going_on_from_the_previous_adapter_starts_where_it_ended(source, trained, tmp_path):
    settings = SETTINGS.model_copy(update={"start_from": "previous", "max_steps": 1})
    summary = train_adapter(settings, source, tmp_path / "out", tmp_path / "work", previous=trained[0])
    assert summary.first_validation_loss == pytest.approx(trained[1].last_validation_loss, rel=1e-5)
    with pytest.raises(ValueError, match="rank: 2, but the adapter to go on from"):
        train_adapter(
            settings.model_copy(update={"rank": 2}), source, tmp_path / "no", tmp_path / "w", previous=trained[0]
        )


def test_early_stopping_keeps_the_best_weights(source, tmp_path):
    # A rate this high makes the adapter worse with every measurement.
    settings = SETTINGS.model_copy(
        update={"learning_rate": 0.3, "max_steps": 30, "validate_every": 2, "warmup": 0.0, "early_stopping_patience": 2}
    )
    summary = train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    assert summary.stopped_early
    assert summary.steps == 4
    assert summary.last_validation_loss == summary.first_validation_loss
    kept = load_file(tmp_path / "out" / ADAPTER_WEIGHTS)
    assert all(not tensor.any() for name, tensor in kept.items() if "lora_B" in name)  # LoRA starts as no change at all


def test_a_loss_that_is_no_number_names_the_samples(source, tmp_path):
    shutil.copytree(BASE_FOLDER, tmp_path / "broken")
    weights = load_file(tmp_path / "broken" / WEIGHTS)
    name = next(name for name in weights if name.endswith("layers.0.mlp.up_proj.weight"))
    weights[name][0, 0] = torch.nan
    save_file(weights, tmp_path / "broken" / WEIGHTS, metadata={"format": "pt"})
    settings = SETTINGS.model_copy(update={"base": str(tmp_path / "broken")})
    with pytest.raises(TrainingDivergedError, match=r"step 1: loss nan.*batch-000-0000\d\d/ocr_line/"):
        train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    assert not (tmp_path / "out").exists()


def test_nothing_to_learn_says_where_the_pairs_went(source, tmp_path):
    with pytest.raises(NothingToLearnError, match="'too many tokens': "):
        train_adapter(SETTINGS.model_copy(update={"max_tokens": 8}), source, tmp_path / "out", tmp_path / "work")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("no/such/folder/here", ValueError, "is not a folder here; give embedded, a folder, or a hub name"),
        ("docs", FileNotFoundError, "holds no model.safetensors"),
    ],
)
def test_a_base_that_is_not_there_is_named(tmp_path, monkeypatch, name, error, message):
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        find_base(name)


def test_a_model_of_the_real_kind_learns_regions_and_tables_by_the_same_path(source, tmp_path):
    base = write_page_base(tmp_path / "pages")
    settings = SETTINGS.model_copy(
        update={
            "base": str(base),
            "tasks": (Task.TABLE, Task.REGION_EXTRACTION),
            "max_steps": 2,
            "batch_size": 2,
            "augmentation": 0.0,
            "gradient_checkpointing": True,
            "max_pixels": 28 * 28 * 64,
        }
    )
    summary = train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    assert summary.steps == 2
    assert summary.samples > 20
    assert set(summary.left_out) >= {"task not asked for: ocr_line", "task not asked for: full_extraction"}
    assert not (tmp_path / "work" / "pages").exists()
    adapter = load_file(tmp_path / "out" / ADAPTER_WEIGHTS)
    assert any(tensor.any() for name, tensor in adapter.items() if "lora_B" in name and ".visual." in name)


def test_pages_are_not_varied_as_lines_are(source, tmp_path):
    settings = SETTINGS.model_copy(update={"base": str(write_page_base(tmp_path / "pages"))})
    with pytest.raises(ValueError, match="augmentation: varies single lines, but pages reads pages"):
        train_adapter(settings, source, tmp_path / "out", tmp_path / "work")


def test_validation_lines_are_not_varied(source, trained, tmp_path):
    plain = SETTINGS.model_copy(update={"augmentation": 0.0})
    summary = train_adapter(plain, source, tmp_path / "out", tmp_path / "work")
    assert summary.first_validation_loss == trained[1].first_validation_loss
    assert summary.first_loss != trained[1].first_loss


def test_epochs_count_all_samples_and_steps_only_cap_them(source, tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 0.05, "max_steps": None, "gradient_accumulation": 1})
    summary = train_adapter(settings, source, tmp_path / "out", tmp_path / "work")
    assert summary.steps == math.ceil(0.05 * math.ceil(summary.samples / settings.batch_size))
    capped = train_adapter(settings.model_copy(update={"max_steps": 2}), source, tmp_path / "capped", tmp_path / "w")
    assert capped.steps == 2


def test_the_curve_is_a_small_picture(trained, tmp_path):
    metrics = [json.loads(line) for line in (trained[0] / METRICS_FILE).read_text().splitlines()]
    (tmp_path / "curve.png").write_bytes(loss_curve(metrics))
    assert (tmp_path / "curve.png").stat().st_size < 60_000
    assert loss_curve(metrics) == loss_curve(metrics)
    with Image.open(tmp_path / "curve.png") as image:
        assert image.format == "PNG"
        assert 400 <= image.width <= 600
