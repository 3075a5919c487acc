"""What the tools of Paddle have in common: the facts that their configurations are written from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finscribe_assets.training.adapter_config import ALL_LINEAR, AdapterConfig, ConfigurationError
from finscribe_assets.training.paddle.epoch_samples import DATA_FILE, Form

# Relative to the folder that a tool runs in: PaddleFormers cuts blanks, commas and # out of a path.
BASE_FOLDER, OUTPUT_FOLDER, DATA_PATH = "base", "out", f"data/{DATA_FILE}"


@dataclass(frozen=True)
class Facts:
    """What a configuration says besides the adapter's settings."""

    steps: int
    on_gpu: bool

    def compute_type(self, config: AdapterConfig) -> str:
        """Return bf16 or float32: on a processor Paddle computes in float32 alone."""
        return "bf16" if self.on_gpu and (config.bf16_autocast or config.dtype == "bfloat16") else "float32"


@dataclass(frozen=True)
class Tool:
    """One of Paddle's tools. ``train`` and ``export`` return the YAML's settings; None: it does not merge weights."""

    name: str  # of its distribution, and of the back end
    command: str
    least: str  # version
    how: str  # to get it
    form: Form
    train: Callable[[AdapterConfig, Facts], dict[str, Any]]
    export: Callable[[Facts], dict[str, Any]] | None  # of LoRA
    run_here: bool  # whether this project's tests run it


def check_settings(tool: str, config: AdapterConfig) -> None:
    """See that a tool can do what settings ask for; what it would pass over in silence is refused.

    Raises:
        ConfigurationError: with every setting that it cannot honour, and the value that it can.
    """
    wanted = {
        "alpha": 2 * config.rank,  # whatever is written as lora_alpha
        "dropout": 0.0,
        "target_modules": ALL_LINEAR,
        "modules_to_save": (),
        "start_from": "base",
        "early_stopping_patience": None,
    }
    other = [
        f"{key}: {getattr(config, key)!r}, but {tool} has {value!r}"
        for key, value in wanted.items()
        if getattr(config, key) != value
    ]
    if other:
        raise ConfigurationError("\n".join([*other, f"set these, or take backend: peft instead of {tool}"]))


def shared_settings(config: AdapterConfig, facts: Facts) -> dict[str, Any]:
    """Return the settings that both tools have under the same names."""
    lora = {"fine_tuning": "LoRA", "lora_rank": config.rank}
    return {
        "train_dataset_path": DATA_PATH,
        "train_dataset_prob": "1.0",
        "max_seq_len": config.max_tokens,
        "random_shuffle": False,
        "dataloader_num_workers": 0,
        "model_name_or_path": BASE_FOLDER,
        **(lora if config.fine_tuning == "lora" else {"fine_tuning": "Full"}),
        "seed": config.seed % (2**31 - 1) + 1,
        "do_train": True,
        "output_dir": OUTPUT_FOLDER,
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
