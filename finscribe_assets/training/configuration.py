"""How an adapter is trained: typed settings, and the presets they come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finscribe_assets.documents.loading import explain
from finscribe_assets.instructions.pair import Task

PRESETS = Path(__file__).parent / "presets"
EMBEDDED = "embedded"

# Every linear layer inside the vision tower, the projector and the language model; not the embeddings or the head.
ALL_LINEAR = (
    r".*(language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
    r"|visual\.vision_model\.encoder\.layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])|projector\.linear_[12])"
)


class AdapterConfig(BaseModel):
    """Settings of a LoRA adapter's training. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field(EMBEDDED, description="embedded, a folder, or a hub id such as PaddlePaddle/PaddleOCR-VL")
    reading: Literal["lines", "pages"] = Field(
        "lines", description="lines: every region's lines, one by one (the embedded base); pages: whole pages to JSON")  # fmt: skip
    tasks: tuple[Task, ...] = Field(tuple(Task), description="tasks whose pairs are trained on; others are counted")
    start_from: Literal["base", "previous"] = Field("base", description="fresh adapter, or the previous batch's, on and on")
    replay: float = Field(0.5, ge=0, lt=1, description="share of samples from earlier batches, where there are any")
    rank: int = Field(8, ge=1, description="LoRA rank (Hu et al. 2021); 8 is PaddleFormers' LoRA for PaddleOCR-VL")
    alpha: int = Field(16, ge=1, description="LoRA scale: the update is multiplied by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the adapter's matrices")
    target_modules: str = Field(ALL_LINEAR, description="regular expression of the modules that get an adapter")
    learning_rate: float = Field(5e-4, gt=0, description="highest learning rate of AdamW")
    final_learning_rate: float = Field(5e-5, ge=0, description="learning rate that the cosine falls to")
    warmup: float = Field(0.01, ge=0, le=1, description="share of steps in which the rate rises from 0")
    weight_decay: float = Field(0.0, ge=0)
    epochs: float = Field(1.0, gt=0, description="passes over the samples, unless max_steps is less")
    max_steps: int | None = Field(None, ge=1, description="steps after which training ends in any case")
    batch_size: int = Field(8, ge=1, description="samples a forward pass")
    accumulate: int = Field(1, ge=1, description="forward passes a step")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    max_tokens: int = Field(4096, ge=16, description="longer samples are left out, and counted")
    bf16: bool = Field(True, description="autocast to bfloat16")
    gradient_checkpointing: bool = Field(False, description="recompute activations: less memory, more time")
    validate_every: int = Field(50, ge=1, description="steps between validation losses")
    validation_samples: int = Field(256, ge=1, description="validation samples, drawn by seed")
    patience: int | None = Field(None, ge=1, description="validations without a better loss before training stops early")
    checkpoint_every: int = Field(100, ge=1, description="steps between checkpoints")
    seed: int = Field(0, ge=0)
    threads: int = Field(2, ge=1, description="CPU threads of torch; results are bitwise equal for equal numbers")


def load_preset(name: str, **overrides: Any) -> AdapterConfig:
    """Return a preset's settings, some of them replaced.

    Raises:
        ValueError: there is no such preset, or a setting is unknown or out of range; the message says which.
    """
    path = PRESETS / f"{name}.yaml"
    if not name.replace("-", "").isalnum() or not path.exists():
        known = ", ".join(sorted(file.stem for file in PRESETS.glob("*.yaml")))
        raise ValueError(f"{name!r} is no preset of training; known are {known}")
    try:
        return AdapterConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) | overrides)
    except ValidationError as error:
        raise ValueError("\n".join(f"preset {name}: {line}" for line in explain(error))) from error
