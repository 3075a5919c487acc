"""Settings of an adapter's training, and named presets of them.

What belongs here: each setting, what it does and where its default comes from. A preset is a YAML file in ``presets/``;
settings that it leaves out have the defaults written here. The documentation renders the descriptions below.
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

# All linear layers of the vision tower, the projector and the language model; not the embeddings and the head.
ALL_LINEAR = (
    r".*(language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
    r"|visual\.vision_model\.encoder\.layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])"
    r"|projector\.linear_[12])"
)

_LORA_SETTINGS = ("rank", "alpha", "dropout", "target_modules", "modules_to_save")
LossWeight = Annotated[float, Field(ge=0, le=100)]


class ConfigurationError(UserError):
    """A setting is unknown, out of range or not supported; the message names it and what to write instead."""


class AdapterConfig(BaseModel):
    """Settings of an adapter's training.

    Where a default comes from: *LoRA* is Hu et al. 2021, arXiv:2106.09685; *PaddleFormers* is its example
    configurations for PaddleOCR-VL; *measured* means tried on the embedded base (``presets/embedded.yaml`` has the
    results). Defaults without a source are practical choices.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # What is trained
    base: str = Field(
        EMBEDDED,
        min_length=1,
        description="model that the adapter is trained on: embedded (the model in this package), a folder with a "
        "checkpoint, or a repository of the hub such as PaddlePaddle/PaddleOCR-VL",
    )
    start_from: Literal["base", "previous"] = Field(
        "base",
        description="base: train a fresh adapter on all batches so far; previous: go on training the adapter in "
        "use (the promoted one), with replay_share of older batches against forgetting. Lower the learning rate then: "
        "to start again at its peak costs about a point of what the adapter could read (measured)",
    )
    tasks: tuple[Task, ...] = Field(
        (Task.OCR_LINE,),
        min_length=1,
        description="tasks to learn; pairs of other tasks are counted and left out. The embedded base reads single "
        "lines, so it can learn ocr_line, and ocr_region and table line by line",
    )
    lines_of_region: int | None = Field(
        None,
        ge=1,
        description="maximum number of printed lines that are learnt of each block or table, on a base that reads "
        "lines; all unless given. They are long: they take many times as long to train as lines of fields (measured)",
    )
    fine_tuning: Literal["lora", "full"] = Field(
        "lora",
        description="lora: train matrices of low rank beside the base's weights; full: train all weights. "
        "PaddleFormers' name",
    )
    rank: int = Field(32, ge=1, le=512, description="rank of each adapted layer's update (LoRA, section 4.1; measured)")
    alpha: int = Field(
        64, ge=1, description="scale of the update, which is multiplied by alpha / rank (LoRA, section 4.1)"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of a layer's inputs that its update is trained without (PaddleFormers: 0)"
    )
    target_modules: str | tuple[str, ...] = Field(
        ALL_LINEAR,
        description="layers that get an update: a regular expression that matches a layer's full name, or a list of "
        "endings of names, as in peft; all linear layers unless given (PaddleFormers)",
    )
    modules_to_save: tuple[str, ...] = Field(
        (), description="layers that are trained whole and saved with the adapter: endings of their names, as in peft"
    )
    # How long, and in which steps
    epochs: float = Field(3.0, gt=0, description="passes over the training samples (measured)")
    max_steps: int | None = Field(
        None, ge=1, description="maximum number of optimiser steps, whatever epochs asks for; no limit unless given"
    )
    batch_size: int = Field(32, ge=1, description="samples in each forward pass")
    gradient_accumulation: int = Field(1, ge=1, description="forward passes in each optimiser step")
    replay_share: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="share of each epoch that comes from batches before the newest, drawn anew for each epoch; unless "
        "given, an epoch has all samples of all batches",
    )
    real_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of each epoch that comes from real documents that people corrected, each of which is "
        "repeated as often as it takes; 0 trains on none of them (docs/review.md)",
    )
    # How it learns
    learning_rate: float = Field(
        1.5e-3,
        gt=0,
        lt=1,
        description="highest learning rate of AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101); measured. "
        "PaddleOCR-VL needs 1e-5 to 5e-4, and 5e-6 if all its weights are trained",
    )
    final_learning_rate: float = Field(
        0.0, ge=0, lt=1, description="learning rate at the end of the cosine (Loshchilov and Hutter, arXiv:1608.03983)"
    )
    warmup: float = Field(0.03, ge=0, lt=1, description="share of the steps over which the learning rate rises from 0")
    weight_decay: float = Field(
        0.0, ge=0, description="AdamW's decay of trained matrices; biases and norms do not decay, as in PaddleFormers"
    )
    adam_betas: tuple[float, float] = Field(
        (0.9, 0.98), description="decay of AdamW's moving averages of gradients and of their squares"
    )
    gradient_clip: float = Field(
        1.0, gt=0, description="maximum norm of a step's gradient; longer gradients are scaled down to it"
    )
    loss_weights: dict[SpanType, LossWeight] = Field(
        {},
        description="weight of tokens in the loss, from 0 to 100, by the span of the response that they write: "
        "financial (amounts), value (other values), cell (a table's texts), structure (keys, punctuation, OTSL); 1 "
        "unless given. A step's loss is divided by its total weight, so the learning rate keeps its meaning",
    )
    augmentation: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how much a line is varied whenever it is trained: moved, slanted, stretched, blurred, faded, "
        "grained; 0 is not at all, 1 as line_augmentation.py states. Only on bases that read lines: pages are damaged "
        "by the renderer",
    )
    # What is measured on the way
    validate_every: int = Field(100, ge=1, description="optimiser steps between measurements of the validation loss")
    validation_samples: int = Field(
        256,
        ge=0,
        description="maximum number of samples that the validation loss is measured on, chosen by a hash of their ids; "
        "0 measures none",
    )
    early_stopping_patience: int | None = Field(
        None,
        ge=1,
        description="number of measurements without a new lowest validation loss after which training stops; the "
        "weights of the lowest are kept. Without it all steps are taken and the last weights kept",
    )
    log_every: int = Field(10, ge=1, description="optimiser steps between records of the training loss")
    checkpoint_every: int = Field(
        200, ge=1, description="optimiser steps between checkpoints, from which a killed training resumes"
    )
    # What it runs on
    seed: int = Field(
        0, ge=0, lt=2**63, description="seed of the adapter's first weights, the order of samples and dropout"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train; auto: the GPU if there is one")
    threads: int = Field(
        1, ge=1, description="CPU threads; a fixed number, so that the weights do not depend on the machine"
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32", description="type of the base's frozen weights; trained weights are always float32"
    )
    bf16_autocast: bool = Field(
        False,
        description="compute in bfloat16 where torch considers it safe; no gain for the embedded base on a CPU without "
        "AMX (measured)",
    )
    gradient_checkpointing: bool = Field(
        False, description="compute activations twice instead of keeping them: less memory, more time"
    )
    max_tokens: int = Field(
        1024,
        ge=8,
        description="maximum length of a sample, image tokens included; longer ones are counted and left out",
    )
    max_pixels: int | None = Field(
        None,
        ge=28 * 28,
        description="maximum number of pixels of an image; larger images are scaled down to it. The processor's own "
        "limit unless given",
    )
    # Which back end trains
    backend: Literal["peft", "paddleformers", "erniekit"] = Field(
        "peft",
        description="what takes the optimiser steps: transformers and peft in this process, or a tool of Paddle's in "
        "its own environment (docs/training.md)",
    )
    fallback: Literal["none", "peft"] = Field(
        "none", description="what trains if the back end is not installed; none: the training fails"
    )

    @model_validator(mode="after")
    def _check_rates(self) -> AdapterConfig:
        if self.final_learning_rate > self.learning_rate:
            raise UserError(
                f"final_learning_rate is {self.final_learning_rate}, above learning_rate "
                f"({self.learning_rate}); the rate falls along the cosine, so give a lower one"
            )
        if self.early_stopping_patience and not self.validation_samples:
            raise UserError("early_stopping_patience needs a validation loss; set validation_samples to at least 1")
        return self

    @model_validator(mode="after")
    def _check_full_fine_tuning(self) -> AdapterConfig:
        if self.fine_tuning == "full":
            defaults = {key: type(self).model_fields[key].default for key in _LORA_SETTINGS}
            if changed := [key for key, default in defaults.items() if getattr(self, key) != default]:
                raise UserError(
                    f"{', '.join(changed)}: for fine_tuning: lora only, but it is full; leave the default values"
                )
            if self.dtype != "float32":
                raise UserError(
                    f"dtype: {self.dtype} would round away the small steps of fine_tuning: full; set it to float32, "
                    "and bf16_autocast to compute in bfloat16"
                )
        return self


def preset_names() -> list[str]:
    """Return the names of this package's presets."""
    return sorted(file.stem for file in PRESETS_FOLDER.glob("*.yaml"))


def load_preset(name: str, **overrides: Any) -> AdapterConfig:
    """Load a preset, with some of its settings replaced.

    Args:
        name: one of `preset_names`.
        overrides: settings by name.

    Raises:
        ConfigurationError: the preset or a setting does not exist, or a value is out of range.
    """
    if name not in preset_names():
        raise ConfigurationError(f"preset: there is no {name!r}; there are {', '.join(preset_names())}")
    return load_config(PRESETS_FOLDER / f"{name}.yaml", **overrides)


def load_config(path: AnyPath, **overrides: Any) -> AdapterConfig:
    """Load settings from a YAML file, with some of them replaced.

    Args:
        path: of a mapping of settings; an empty file gives the defaults.
        overrides: settings by name.

    Raises:
        ConfigurationError: the file is not a YAML mapping, a setting does not exist, or a value is out of range.
    """
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(settings, dict | None):
        raise ConfigurationError(
            f"{path}: holds {type(settings).__name__} instead of settings; write one `key: value` on each line"
        )
    return _validated({**(settings or {}), **overrides}, str(path))


def _validated(settings: dict[str, Any], source: str) -> AdapterConfig:
    try:
        return AdapterConfig.model_validate(settings)
    except ValidationError as error:
        raise ConfigurationError(explain_settings(error, AdapterConfig, source)) from error


def explain_settings(error: ValidationError, settings: type[BaseModel], source: str) -> str:
    """Explain what is wrong with settings, one line for each problem.

    Args:
        error: from their validation.
        settings: their model; it has the names that a misspelt one is compared with.
        source: where they come from, such as a file.
    """
    return "\n".join(_explain_problem(problem, list(settings.model_fields), source) for problem in error.errors())


def _explain_problem(problem: Any, names: list[str], source: str) -> str:
    key = ".".join(map(str, problem["loc"]))
    if not problem["loc"]:
        return f"{source}: {problem['msg']}"
    if problem["type"] != "extra_forbidden":
        return f"{source}: {key}: {problem['msg']} (it is {problem['input']!r})"
    similar = difflib.get_close_matches(key, names, n=1)
    return f"{source}: {key}: there is no such setting" + (f"; do you mean {similar[0]}?" if similar else "")
