"""What Paddle's tools have in common: their description, and the settings that they share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finscribe_assets.training.adapter_config import ALL_LINEAR, AdapterConfig, ConfigurationError
from finscribe_assets.training.paddle.epoch_samples import SAMPLES_FILE, PaddleSampleFormat

# Relative to the folder that a tool runs in, because PaddleFormers removes blanks, commas and # from paths.
PADDLE_BASE_FOLDER, PADDLE_OUTPUT_FOLDER, SAMPLES_PATH = "base", "out", f"data/{SAMPLES_FILE}"


@dataclass(frozen=True)
class RunFacts:
    """What a tool's configuration states besides the adapter's settings."""

    steps: int
    on_gpu: bool

    def compute_type(self, config: AdapterConfig) -> str:
        """Return ``bf16`` or ``float32``; on a CPU Paddle computes in float32 only."""
        return "bf16" if self.on_gpu and (config.bf16_autocast or config.dtype == "bfloat16") else "float32"


@dataclass(frozen=True)
class PaddleTool:
    """A training tool of Paddle's."""

    name: str  # of its distribution, and of the back end
    command: str
    minimum_version: str
    install_hint: str
    sample_format: PaddleSampleFormat
    train_settings: Callable[[AdapterConfig, RunFacts], dict[str, Any]]
    export_settings: Callable[[RunFacts], dict[str, Any]] | None  # None: it cannot merge LoRA into a base
    tested: bool  # whether this project's tests run it


def check_tool_settings(tool: str, config: AdapterConfig) -> None:
    """Refuse settings that Paddle's tools would ignore in silence.

    Raises:
        ConfigurationError: names every such setting, and the value that the tool has.
    """
    fixed = {
        "alpha": 2 * config.rank,  # whatever lora_alpha says
        "dropout": 0.0,
        "target_modules": ALL_LINEAR,
        "modules_to_save": (),
        "start_from": "base",
        "early_stopping_patience": None,
    }
    problems = [
        f"{key}: {getattr(config, key)!r}, but {tool} has {value!r}"
        for key, value in fixed.items()
        if getattr(config, key) != value
    ]
    if problems:
        raise ConfigurationError("\n".join([*problems, f"set these values, or backend: peft instead of {tool}"]))


def shared_settings(config: AdapterConfig, facts: RunFacts) -> dict[str, Any]:
    """Return the settings that both tools have under the same names."""
    lora = {"fine_tuning": "LoRA", "lora_rank": config.rank}
    return {
        "train_dataset_path": SAMPLES_PATH,
        "train_dataset_prob": "1.0",
        "max_seq_len": config.max_tokens,
        "random_shuffle": False,
        "dataloader_num_workers": 0,
        "model_name_or_path": PADDLE_BASE_FOLDER,
        **(lora if config.fine_tuning == "lora" else {"fine_tuning": "Full"}),
        "seed": config.seed % (2**31 - 1) + 1,
        "do_train": True,
        "output_dir": PADDLE_OUTPUT_FOLDER,
        "logging_dir": "log",
        "disable_tqdm": True,
        "num_train_epochs": 1,
        "max_steps": facts.steps,
        "save_steps": facts.steps,
        "save_strategy": "steps",
        "logging_steps": 1,
        "gradient_accumulation_steps": config.gradient_accumulation,
        "warmup_steps": math.ceil(config.warmup * facts.steps),
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "cosine",
        "min_lr": config.final_learning_rate,
        "weight_decay": config.weight_decay,
        "adam_beta1": config.adam_betas[0],
        "adam_beta2": config.adam_betas[1],
        "adam_epsilon": 1e-8,
        "compute_type": facts.compute_type(config),
    }
