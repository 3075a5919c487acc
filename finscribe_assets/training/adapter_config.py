"""Settings of an adapter's training: every key, what it does and where its value comes from; and named presets.

A preset is a YAML file in ``presets/``; a key that stands in no preset has the default written here.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.instructions.pair import SpanType, Task
from finscribe_assets.model.base_names import EMBEDDED

PRESETS_FOLDER = Path(__file__).parent / "presets"

# All linear layers of the vision tower, the projector and the language model; embeddings and heads stay as they are.
ALL_LINEAR = (
    r".*(language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
    r"|visual\.vision_model\.encoder\.layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])"
    r"|projector\.linear_[12])"
)


_OF_LORA = ("rank", "alpha", "dropout", "target_modules", "modules_to_save")
Weight = Annotated[float, Field(ge=0, le=100)]


class ConfigurationError(UserError):
    """A setting is unknown or out of range; the message names it and what may stand there."""


class AdapterConfig(BaseModel):
    """What an adapter's training is set to.

    Sources: *LoRA* is Hu et al. 2021, arXiv:2106.09685; *PaddleFormers* is its example configurations for PaddleOCR-VL;
    *measured* means tried on the embedded base (the figures stand in ``presets/embedded.yaml``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # What is trained
    base: str = Field(
        EMBEDDED,
        min_length=1,
        description="embedded (the model in this package), a folder that holds a "
        "checkpoint, or a repository of the hub such as PaddlePaddle/PaddleOCR-VL",
    )
    start_from: Literal["base", "previous"] = Field(
        "base",
        description="base: a fresh adapter, trained on all batches so far; previous: go on from the adapter of "
        "the batch before, with replay_share of older batches against forgetting",
    )
    tasks: tuple[Task, ...] = Field(
        (Task.OCR_LINE,),
        min_length=1,
        description="tasks to learn; pairs of others are "
        "counted and left out. The embedded base reads single lines: ocr_line, and "
        "ocr_region and table line by line",
    )
    lines_of_region: int | None = Field(
        None,
        ge=1,
        description="printed lines of each block or table that a base "
        "which reads lines learns, at most: they are long, and take many times as long "
        "as a field's; all unless given",
    )
    fine_tuning: Literal["lora", "full"] = Field(
        "lora", description="lora: matrices of low rank beside the base's; full: all its weights (PaddleFormers' name)"
    )
    rank: int = Field(32, ge=1, le=512, description="rank of each adapted layer's update (LoRA, section 4.1); measured")
    alpha: int = Field(64, ge=1, description="the update is scaled by alpha / rank (LoRA, section 4.1)")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the update; 0 as in PaddleFormers")
    target_modules: str | tuple[str, ...] = Field(
        ALL_LINEAR,
        description="adapted layers: a regular expression that matches a layer's full name, or a list of name endings",
    )
    modules_to_save: tuple[str, ...] = Field(
        (), description="layers that are trained whole and saved with the adapter, by the endings of their names (peft)"
    )
    # How long, in which steps
    epochs: float = Field(3.0, gt=0, description="passes over the training samples")
    max_steps: int | None = Field(None, ge=1, description="optimiser steps at most, however many epochs they are")
    batch_size: int = Field(32, ge=1, description="samples a forward pass")
    gradient_accumulation: int = Field(1, ge=1, description="forward passes an optimiser step")
    replay_share: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="share of an epoch that comes from earlier "
        "batches, drawn anew each epoch; without it an epoch holds all samples of "
        "all batches",
    )
    # How it learns
    learning_rate: float = Field(
        1.5e-3,
        gt=0,
        lt=1,
        description="highest rate of AdamW (Loshchilov & Hutter 2017, "
        "arXiv:1711.05101); measured. A full-size model wants 1e-5 to 5e-4, and 5e-6 where "
        "all its weights are trained",
    )
    final_learning_rate: float = Field(0.0, ge=0, lt=1, description="rate at the end of the cosine (arXiv:1608.03983)")
    warmup: float = Field(0.03, ge=0, lt=1, description="share of the steps over which the rate rises from zero")
    weight_decay: float = Field(
        0.0, ge=0, description="AdamW's decay of trained matrices; biases and norms have none, as in PaddleFormers"
    )
    adam_betas: tuple[float, float] = Field((0.9, 0.98), description="AdamW's averaging of gradients and their squares")
    gradient_clip: float = Field(1.0, gt=0, description="largest norm of a step's gradient")
    loss_weights: dict[SpanType, Weight] = Field(
        {},
        description="what tokens weigh in the loss, by the part of the answer they write: financial (amounts), "
        "value (other values), cell (a table's texts), structure (keys, punctuation, OTSL); 1 unless given. A step's "
        "loss is divided by its weights, so that the learning rate keeps its meaning",
    )
    augmentation: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how much each line is varied anew whenever it is shown: "
        "moved, slanted, stretched, blurred, faded, grained (augmentation.py); for bases that "
        "read lines. Pages are damaged by the renderer",
    )
    # What is watched
    validate_every: int = Field(100, ge=1, description="steps between measurements of the validation loss")
    validation_samples: int = Field(
        256, ge=0, description="validation samples it is measured on, at most; chosen by a hash of their ids. 0: none"
    )
    early_stopping_patience: int | None = Field(
        None,
        ge=1,
        description="stop after so many measurements without a new "
        "lowest validation loss, and keep the weights of the lowest",
    )
    log_every: int = Field(10, ge=1, description="steps between records of the training loss")
    checkpoint_every: int = Field(200, ge=1, description="steps between checkpoints, from which a killed run goes on")
    # What it runs on
    seed: int = Field(0, ge=0, lt=2**63, description="seed of the adapter's first weights, of the order and of dropout")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: the GPU where there is one")
    threads: int = Field(1, ge=1, description="processor threads; fixed, so that weights do not depend on the machine")
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32", description="what the frozen base is held in; what is trained is float32"
    )
    bf16_autocast: bool = Field(
        False,
        description="compute in bfloat16 where torch deems it safe; no gain for the "
        "embedded base on a processor without AMX (measured)",
    )
    gradient_checkpointing: bool = Field(False, description="compute activations twice to hold fewer of them")
    max_tokens: int = Field(
        1024, ge=8, description="longest sample, image tokens included; longer ones are counted and left out"
    )
    max_pixels: int | None = Field(
        None,
        ge=28 * 28,
        description="larger images are scaled down to this many pixels; without it, the processor's own limit",
    )
    # Who trains
    backend: Literal["peft", "paddleformers", "erniekit"] = Field(
        "peft",
        description="peft: transformers and peft, in "
        "this process; the others in Paddle's environment "
        "(docs/training.md)",
    )
    fallback: Literal["none", "peft"] = Field(
        "none", description="who trains where the back end is not installed; none: it is an error"
    )

    @model_validator(mode="after")
    def _check_rates(self) -> AdapterConfig:
        if self.final_learning_rate > self.learning_rate:
            raise UserError(
                f"final_learning_rate is {self.final_learning_rate}, above learning_rate "
                f"({self.learning_rate}); the rate falls along the cosine, so give a lower one"
            )
        if self.early_stopping_patience and not self.validation_samples:
            raise UserError("early_stopping_patience needs a validation loss; give validation_samples at least 1")
        return self

    @model_validator(mode="after")
    def _check_full(self) -> AdapterConfig:
        if self.fine_tuning == "full":
            defaults = {key: type(self).model_fields[key].default for key in _OF_LORA}
            if other := [key for key, default in defaults.items() if getattr(self, key) != default]:
                raise UserError(f"{', '.join(other)}: of LoRA alone, but fine_tuning is full; leave them out")
            if self.dtype != "float32":
                raise UserError(
                    f"dtype: {self.dtype} would round away steps as small as fine_tuning: full takes; "
                    "leave it out, bf16_autocast computes in bfloat16"
                )
        return self


def preset_names() -> list[str]:
    """Return the names of the presets in this package."""
    return sorted(file.stem for file in PRESETS_FOLDER.glob("*.yaml"))


def load_preset(name: str, **overrides: Any) -> AdapterConfig:
    """Return a preset's settings with some of them replaced.

    Raises:
        ConfigurationError: there is no such preset or key, or a value is out of range.
    """
    if name not in preset_names():
        raise ConfigurationError(f"preset: there is no {name!r}; there are {', '.join(preset_names())}")
    return load_config(PRESETS_FOLDER / f"{name}.yaml", **overrides)


def load_config(path: AnyPath, **overrides: Any) -> AdapterConfig:
    """Read settings from a YAML file, with some of them replaced.

    Raises:
        ConfigurationError: the file is no YAML mapping, a key is unknown, or a value is out of range.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(given, dict | None):
        raise ConfigurationError(f"{path}: holds {type(given).__name__}; write one `key: value` a line")
    return _validated({**(given or {}), **overrides}, str(path))


def _validated(settings: dict[str, Any], source: str) -> AdapterConfig:
    try:
        return AdapterConfig.model_validate(settings)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_explained(problem, source) for problem in error.errors())) from error


def _explained(problem: Any, source: str) -> str:
    key = ".".join(map(str, problem["loc"]))
    if not problem["loc"]:
        return f"{source}: {problem['msg']}"
    if problem["type"] != "extra_forbidden":
        return f"{source}: {key}: {problem['msg']} (it is {problem['input']!r})"
    near = difflib.get_close_matches(key, AdapterConfig.model_fields, n=1)
    return f"{source}: {key}: there is no such setting" + (f"; is {near[0]} meant?" if near else "")
