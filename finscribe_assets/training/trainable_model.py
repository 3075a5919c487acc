"""The model that a training starts from: a base with a fresh adapter, or with the adapter of the batch before."""

from __future__ import annotations

from typing import Any

import torch
from peft import LoraConfig

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.model.adapters import adapter_record, add_adapter, add_lora
from finscribe_assets.model.bases import Base, load_model
from finscribe_assets.training.adapter_config import AdapterConfig

# Settings that an adapter keeps when its training goes on with another batch.
_KEPT_SETTINGS = ("fine_tuning", "rank", "alpha", "dropout", "target_modules", "modules_to_save")


def trainable_model(config: AdapterConfig, base: Base, previous: AnyPath | None) -> Any:
    """Load a base and make what the settings train trainable: LoRA matrices, or all weights.

    Args:
        config: settings of the training.
        base: the base; its weights stay as they are under LoRA.
        previous: adapter to go on from. None draws a fresh one from torch's random generator.

    Raises:
        UserError: the previous adapter has other settings.
        BaseMismatchError: the previous adapter was trained on another base.
    """
    model = load_model(base, torch.bfloat16 if config.dtype == "bfloat16" else torch.float32)
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    if previous is not None:
        _check_same_settings(config, previous)
        return add_adapter(model, previous, base, trainable=True)
    if config.fine_tuning == "full":
        return model
    targets = config.target_modules
    return add_lora(
        model,
        LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            modules_to_save=list(config.modules_to_save) or None,
        ),
    )


def _check_same_settings(config: AdapterConfig, previous: AnyPath) -> None:
    before, now = adapter_record(previous)["config"], config.model_dump(mode="json")
    for setting in _KEPT_SETTINGS:
        if before[setting] != now[setting]:
            raise UserError(
                f"{setting}: {getattr(config, setting)!r}, but the adapter to go on from ({previous}) "
                f"has {before[setting]!r}; keep the setting, or set start_from: base"
            )
