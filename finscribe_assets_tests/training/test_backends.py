"""Who trains, what Paddle's tools are given, and their weights brought back; the tools themselves run in
test_paddle_training.py."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image, ImageChops
from safetensors.torch import load_file, save_file

from finscribe_assets.files import read_json
from finscribe_assets.instructions.pair import SpanType, Task
from finscribe_assets.model.bases import find_base, load_model
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER, load_processor
from finscribe_assets.training.adapter_config import AdapterConfig, ConfigurationError, load_preset
from finscribe_assets.training.backends import PADDLE_TOOLS, choose_backend, train
from finscribe_assets.training.paddle.erniekit_backend import DOCUMENTED_KEYS, check_keys
from finscribe_assets.training.paddle.launching import Command, PaddleFailedError, launch_subprocess
from finscribe_assets.training.paddle.paddle_checkpoint import (
    LM_HEAD,
    check_directions,
    check_export,
    read_paddle_lora,
    read_paddle_weights,
    write_paddle_base,
)
from finscribe_assets.training.paddle.paddle_environment import (
    PYTHON_VARIABLE,
    BackendMissingError,
    PaddleEnvironment,
    find_environment,
)
from finscribe_assets.training.paddle.paddle_trainer import SEVERAL_PAGES, PaddleTrainer
from finscribe_assets.training.paddle.tool_settings import RunFacts
from finscribe_assets.training.prepared_training import prepare_training
from finscribe_assets_tests.training.page_base import write_page_base

CONFIG = AdapterConfig(
    backend="paddleformers",
    rank=4,
    alpha=8,
    max_steps=2,
    epochs=1,
    batch_size=3,
    gradient_accumulation=2,
    validation_samples=2,
)
CPU, GPU = RunFacts(steps=200, on_gpu=False), RunFacts(steps=200, on_gpu=True)
WHOLE = {
    "paddlepaddle": "3.3.1",
    "paddleformers": "1.2.0",
    "erniekit": "1.4.0.dev20251101+gabc",
    "dagster-pipes": "1.13.27",
}


# What is installed


def environment_without(*names):
    return PaddleEnvironment(Path("python"), {name: version for name, version in WHOLE.items() if name not in names})


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (environment_without("paddleformers"), "has no paddleformers; run `make paddle-env`"),
        (environment_without("paddlepaddle"), "has neither paddlepaddle nor paddlepaddle-gpu"),
        (environment_without("dagster-pipes"), "has no dagster-pipes"),
        (PaddleEnvironment(Path("python"), WHOLE | {"paddleformers": "1.1.9"}), "paddleformers 1.1.9, older than 1.2"),
    ],
)
def test_what_is_missing_is_named(environment, message):
    with pytest.raises(BackendMissingError, match=message):
        environment.check(PADDLE_TOOLS["paddleformers"])


@pytest.mark.parametrize("name", PADDLE_TOOLS)
def test_a_whole_environment_is_enough(name):
    PaddleEnvironment(Path("python"), WHOLE).check(PADDLE_TOOLS[name])


def test_erniekit_of_pypi_is_too_old():
    with pytest.raises(BackendMissingError, match=r"1\.3\.0, older than 1\.4; build it from"):
        PaddleEnvironment(Path("python"), WHOLE | {"erniekit": "1.3.0"}).check(PADDLE_TOOLS["erniekit"])


def test_this_interpreter_is_probed_and_has_no_paddle(monkeypatch):
    monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)
    found = find_environment()
    assert found.versions.keys() & {"paddlepaddle", "paddleformers"} == set()
    assert not found.on_gpu


def test_a_missing_back_end_is_an_error_or_falls_back_with_its_reason(source, tmp_path, monkeypatch):
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "no" / "python"))
    with pytest.raises(BackendMissingError, match=r"backend: paddleformers: .*is not there.*or fallback: peft"):
        train(CONFIG, source, tmp_path / "out", tmp_path / "work")
    assert choose_backend(CONFIG.model_copy(update={"backend": "peft"})).fallback_reason is None
    config = CONFIG.model_copy(update={"fallback": "peft", "max_steps": 1})
    summary = train(config, source, tmp_path / "out", tmp_path / "work")
    assert summary.backend == "peft"
    assert "is not there; run `make paddle-env`" in summary.fallback_reason
    # It is the adapter that peft makes where nothing else was asked for.
    again = train(
        config.model_copy(update={"backend": "peft", "fallback": "none"}), source, tmp_path / "out", tmp_path / "work"
    )
    assert again.already_there
    assert again.fallback_reason is None


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("alpha", 16, "alpha: 16, but paddleformers has 8"),
        ("dropout", 0.1, "dropout: 0.1"),
        ("target_modules", ("q_proj",), "target_modules"),
        ("start_from", "previous", "start_from"),
        ("early_stopping_patience", 2, "early_stopping_patience"),
    ],
)
def test_settings_that_paddle_would_pass_over_are_refused(source, tmp_path, setting, value, message):
    with pytest.raises(ConfigurationError, match=message):
        paddle_training(CONFIG.model_copy(update={setting: value}), source, tmp_path)


# What is written


def paddle_training(config, source, work, launch=launch_subprocess, *, on_gpu=False):
    """A training and the trainer that would take its steps."""
    versions = WHOLE | ({"paddlepaddle-gpu": "3.3.1"} if on_gpu else {})
    trainer = PaddleTrainer(PADDLE_TOOLS[config.backend], PaddleEnvironment(Path("python"), versions), launch)
    trainer.check_settings(config)
    reason = trainer.reason_to_leave_out
    base = find_base(config.base)
    return prepare_training(config, base, source, work, "fingerprint", reason_to_leave_out=reason), trainer


class Stopped(Exception):
    pass


def stop(_):
    raise Stopped


@pytest.mark.parametrize("augmentation", [0.0, 1.0])
def test_the_lines_are_the_samples_that_peft_would_show_in_its_order(source, tmp_path, augmentation):
    config = CONFIG.model_copy(update={"augmentation": augmentation, "loss_weights": {SpanType.FINANCIAL: 3.0}})
    training, trainer = paddle_training(config, source, tmp_path, launch=stop)
    with pytest.raises(Stopped):
        trainer.train(training, None)
    folder = tmp_path / "paddle" / "data"
    lines = [json.loads(line) for line in (folder / "data.jsonl").read_text(encoding="utf-8").splitlines()]
    peft = prepare_training(config, find_base(config.base), source, tmp_path / "peft", "fingerprint")
    steps = [(step, batch) for step in (1, 2) for batch in peft.order.batches_of_step(step)]
    trained = [(sample, step) for step, batch in steps for sample in batch]
    assert len(lines) == len(trained) == 12
    for line, (sample, step) in zip(lines, trained, strict=True):
        assert line["id"].startswith(f"{sample.id}@")
        assert line["messages"][1]["content"] == sample.sample.response
        assert tuple(line["answer_tokens"]) == sample.response_tokens
        assert tuple(line["weights"]) == sample.weights
        assert line["length"] == len(sample.tokens)
        assert line["prompt_tokens"].count(peft.data.encoder.processor.image_token_id) == 1
        wanted = sample.sample.images[0].open()
        if augmentation:
            wanted = peft.augmentation(step)(wanted, sample.id)
        with Image.open(folder / line["images"][0]) as written:
            assert ImageChops.difference(written, wanted).getbbox() is None
    settings = yaml.safe_load((tmp_path / "paddle" / "train.yaml").read_text())
    assert (settings["max_steps"], settings["per_device_train_batch_size"]) == (2, 3)
    assert (tmp_path / "paddle" / settings["train_dataset_path"]).exists()


def test_pairs_of_several_pages_are_counted_and_left_out(source, tmp_path):
    config = CONFIG.model_copy(
        update={"base": str(write_page_base(tmp_path / "pages")), "tasks": (Task.FIELD_QUESTION, Task.TABLE)}
    )
    data = paddle_training(config, source, tmp_path)[0].data
    assert data.left_out.counts[SEVERAL_PAGES] > 0
    assert all(len(sample.sample.images) == 1 for sample in data.training + data.validation)


def test_the_base_is_laid_out_as_the_repository_has_it(tmp_path):
    write_paddle_base(BASE_FOLDER, tmp_path / "base", load_processor().image_processor)
    config, images = (read_json(tmp_path / "base" / name) for name in ("config.json", "preprocessor_config.json"))
    assert "text_config" not in config
    assert (config["hidden_size"], config["vision_config"]["hidden_size"]) == (160, 128)
    assert config["rope_scaling"]["mrope_section"] == [4, 6, 6]
    assert (images["min_pixels"], images["max_pixels"]) == (784, 200_704)
    # What was rearranged is the same model: transformers reads either.
    again = load_model(find_base(str(tmp_path / "base"))).state_dict()
    before = load_model(find_base("embedded")).state_dict()
    assert again.keys() == before.keys()
    assert all(torch.equal(again[name], before[name]) for name in before)


def test_a_full_precision_processor_and_a_half_precision_gpu(tmp_path):
    config = load_preset("paddleformers-lora")
    on_cpu, on_gpu = (PADDLE_TOOLS["paddleformers"].train_settings(config, facts) for facts in (CPU, GPU))
    assert (on_cpu["device"], on_cpu["compute_type"], on_cpu["amp_master_grad"]) == ("cpu", "float32", False)
    assert (on_gpu["device"], on_gpu["compute_type"], on_gpu["amp_master_grad"]) == ("gpu", "bf16", True)
    assert (on_gpu["warmup_steps"], on_gpu["lora_rank"], on_gpu["recompute_granularity"]) == (2, 8, "full")


def test_erniekit_is_configured_with_documented_keys_alone():
    config = load_preset("paddleformers-lora")
    settings = PADDLE_TOOLS["erniekit"].train_settings(config, GPU)
    assert settings.keys() <= DOCUMENTED_KEYS
    assert (settings["stage"], settings["fine_tuning"], settings["lora_alpha"]) == ("OCR-VL-SFT", "LoRA", 16)
    with pytest.raises(ConfigurationError, match="learning_rat: not among"):
        check_keys(settings | {"learning_rat": 1e-4})
    with pytest.raises(ConfigurationError, match="trains on a GPU"):
        PADDLE_TOOLS["erniekit"].train_settings(config, CPU)
    with pytest.raises(ConfigurationError, match="loss_weights"):
        PADDLE_TOOLS["erniekit"].train_settings(config.model_copy(update={"loss_weights": {SpanType.CELL: 2.0}}), GPU)


@pytest.mark.parametrize("tool", PADDLE_TOOLS)
def test_where_all_weights_are_trained_nothing_is_said_of_lora(tool):
    settings = PADDLE_TOOLS[tool].train_settings(load_preset("paddleformers-full"), GPU)
    assert settings["fine_tuning"] == "Full"
    assert (settings["learning_rate"], settings["min_lr"], settings["warmup_steps"]) == (5e-6, 5e-7, 2)
    assert settings["compute_type"] == "bf16"
    assert [key for key, value in settings.items() if "lora" in key and value] == []


def test_head_and_embeddings_that_are_one_are_not_left_to_a_tool_that_would_train_two(source, tmp_path):
    config = AdapterConfig(backend="erniekit", fine_tuning="full", max_steps=2, validation_samples=0)
    training, trainer = paddle_training(config, source, tmp_path, on_gpu=True)
    with pytest.raises(ConfigurationError, match=r"erniekit trains head and embeddings as two .* one in embedded"):
        trainer.train(training, None)


# What comes back


def test_lora_comes_back_as_the_update_that_paddle_computes(source, tmp_path):
    """W + 2·A·B in Paddle's layout, inputs × outputs, is what peft merges."""
    training, _ = paddle_training(CONFIG, source, tmp_path)
    layers = {
        "model.layers.1.self_attn.k_proj": "model.language_model.layers.1.self_attn.k_proj",
        "visual.vision_model.encoder.layers.2.mlp.fc1": "model.visual.vision_model.encoder.layers.2.mlp.fc1",
        "mlp_AR.linear_2": "model.projector.linear_2",
    }
    before = load_model(training.base).state_dict()
    torch.manual_seed(0)
    written = {}
    for theirs, ours in layers.items():
        outputs, inputs = before[f"{ours}.weight"].shape
        written |= {f"{theirs}.lora_A": torch.randn(inputs, 4), f"{theirs}.lora_B": torch.randn(4, outputs)}
    save_file(written, tmp_path / "peft_model-00001-of-00001.safetensors")
    with torch.no_grad():
        for name, weight in read_paddle_lora(tmp_path).items():
            training.trained[name].copy_(weight)
    merged = training.model.merge_and_unload().state_dict()
    for theirs, ours in layers.items():
        expected = before[f"{ours}.weight"] + 2 * (written[f"{theirs}.lora_A"] @ written[f"{theirs}.lora_B"]).T
        torch.testing.assert_close(merged[f"{ours}.weight"], expected, atol=1e-5, rtol=1e-5)
    save_file({f"{name}.weight": before[f"{ours}.weight"].clone() for name, ours in layers.items()}, tmp_path / "base")
    good = {f"{name}.weight": merged[f"{ours}.weight"] for name, ours in layers.items()}
    save_file(good, tmp_path / "good")
    check_export(tmp_path / "base", tmp_path, tmp_path / "good", 2)
    save_file({name: weight.T.contiguous().reshape(weight.shape) for name, weight in good.items()}, tmp_path / "bad")
    with pytest.raises(ValueError, match="is not the base with the adapter merged"):
        check_export(tmp_path / "base", tmp_path, tmp_path / "bad", 2)
    save_file({"head.lora_A": torch.ones(2, 2)}, tmp_path / "peft_model.safetensors")
    with pytest.raises(ValueError, match=r"head\.lora_A: Paddle wrote a weight"):
        read_paddle_lora(tmp_path)


def test_all_weights_come_back_under_transformers_names_and_in_their_order(tmp_path):
    write_paddle_base(BASE_FOLDER, tmp_path / "base", load_processor().image_processor, tied=True)
    assert read_json(tmp_path / "base" / "config.json")["finscribe_tied"] is True
    laid_out = load_file(tmp_path / "base" / "model.safetensors")
    out, moved = tmp_path / "out", {name: weight * 1.01 for name, weight in laid_out.items()}
    out.mkdir()
    names = sorted(moved)
    save_file({name: moved[name] for name in names[:9]}, out / "model-00001-of-00002.safetensors")
    save_file({name: moved[name] for name in names[9:]}, out / "model-00002-of-00002.safetensors")
    before = {name: weight.detach() for name, weight in load_model(find_base("embedded")).named_parameters()}
    after = read_paddle_weights(out, tied=True)
    assert after.keys() == before.keys()
    for name, weight in after.items():
        torch.testing.assert_close(weight, before[name] * 1.01, rtol=1e-2, atol=0)
    check_directions(before, after)
    name = next(name for name in after if name.endswith("self_attn.out_proj.weight"))
    with pytest.raises(ValueError, match=rf"{name}: Paddle's weights point elsewhere"):
        check_directions(before, after | {name: after[name].T.contiguous()})
    save_file({name: moved[name] + (name == LM_HEAD) for name in names}, out / "model-00001-of-00002.safetensors")
    (out / "model-00002-of-00002.safetensors").unlink()
    assert read_paddle_weights(out, tied=False).keys() == before.keys() | {LM_HEAD}
    with pytest.raises(ValueError, match="head and embeddings are one matrix in the base, but Paddle trained two"):
        read_paddle_weights(out, tied=True)


REPORTING = """
import sys
from dagster_pipes import open_dagster_pipes
with open_dagster_pipes() as pipes:
    for step in (1, 2):
        pipes.log.info(f"step {step}")
        pipes.report_custom_message({"step": step, "loss": 1 / step})
print("and then it went wrong")
sys.exit(int(sys.argv[1]))
"""


def test_a_command_is_heard_step_by_step_and_its_failure_tells_what_it_printed(tmp_path):
    def command(code):
        return Command((sys.executable, "-c", REPORTING, code), tmp_path, {})

    reports = [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}]
    assert list(launch_subprocess(command("0"))) == reports
    with pytest.raises(PaddleFailedError, match=r"ended with 3(.|\n)*and then it went wrong"):
        list(launch_subprocess(command("3")))


def test_a_program_that_does_not_run_is_no_environment(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no such thing >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv(PYTHON_VARIABLE, os.fspath(program))
    with pytest.raises(BackendMissingError, match=r"does not run.*no such thing"):
        find_environment()
