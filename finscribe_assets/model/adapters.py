"""Adapters as files: LoRA matrices, or all weights after full fine-tuning, and how they are applied to their base.

What belongs here: saving, identifying and loading adapters, so that no other module has to distinguish LoRA from full
fine-tuning. Training them is in `training`.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import AnyPath, local_folder, read_json, sha256_of_file, write_bytes, write_json
from finscribe_assets.model.bases import Base, load_model
from finscribe_assets.model.checkpoint_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, FULL_WEIGHTS, TRAINING_RECORD
from finscribe_assets.model.weights import set_weights, storable

if TYPE_CHECKING:
    from peft import LoraConfig, PeftModel


class BaseMismatchError(UserError):
    """An adapter is applied to a base that it was not trained on."""


def adapter_record(folder: AnyPath) -> dict[str, Any]:
    """Read the training record of an adapter: settings, base, counts and losses.

    Raises:
        MissingInputError: the folder holds no finished adapter.
    """
    if not (folder / TRAINING_RECORD).exists():
        raise MissingInputError(f"{folder}: there is no {TRAINING_RECORD}, so no finished adapter; train one first")
    record: dict[str, Any] = read_json(folder / TRAINING_RECORD)
    record["config"].setdefault("fine_tuning", "lora")  # records of before this setting are all of LoRA
    return record


def adapter_weights_file(folder: AnyPath) -> AnyPath:
    """Return the path of an adapter's weights.

    Raises:
        MissingInputError: the folder holds no finished adapter.
    """
    full = adapter_record(folder)["config"]["fine_tuning"] == "full"
    return folder / (FULL_WEIGHTS if full else ADAPTER_WEIGHTS)


def adapter_hash(folder: AnyPath) -> str:
    """Return the SHA-256 of an adapter's weights file.

    Raises:
        MissingInputError: the folder holds no finished adapter.
    """
    return sha256_of_file(adapter_weights_file(folder))


def save_adapter(model: Any, folder: AnyPath, base: Base) -> str:
    """Write what was trained: LoRA as peft loads it, or all weights.

    The training record of an earlier adapter is removed, so the folder holds no finished adapter until the caller
    writes a new record.

    Args:
        model: a `PeftModel`, or a model whose every weight was trained.
        folder: the adapter's folder.
        base: what the model was made from.

    Returns:
        The SHA-256 of the weights file.
    """
    from peft import PeftModel, get_peft_model_state_dict

    for earlier in (TRAINING_RECORD, ADAPTER_CONFIG, ADAPTER_WEIGHTS, FULL_WEIGHTS):
        (folder / earlier).unlink(missing_ok=True)
    if isinstance(model, PeftModel):
        file, state = folder / ADAPTER_WEIGHTS, get_peft_model_state_dict(model)
        write_json(folder / ADAPTER_CONFIG, _peft_settings(model, base))
    else:
        file, state = folder / FULL_WEIGHTS, dict(model.named_parameters())
    write_bytes(file, save(storable(dict(sorted(state.items()))), metadata={"format": "pt"}))
    return sha256_of_file(file)


def load_adapted_model(base: Base, folder: AnyPath, dtype: torch.dtype = torch.float32) -> Any:
    """Load a base with an adapter merged into its weights, in evaluation mode.

    Raises:
        BaseMismatchError: the adapter was trained on other weights.
        MissingInputError: the folder holds no finished adapter.
    """
    from peft import PeftModel

    adapted = add_adapter(load_model(base, dtype), folder, base)
    return adapted.merge_and_unload() if isinstance(adapted, PeftModel) else adapted


def add_adapter(model: nn.Module, folder: AnyPath, base: Base, *, trainable: bool = False) -> nn.Module:
    """Apply a trained adapter to its base's model.

    LoRA replaces the model's linear layers by adapted ones; full fine-tuning replaces all its weights.

    Args:
        model: the base's model; it is changed.
        folder: the adapter's folder.
        base: what the model was loaded from.
        trainable: return the model in training mode, ready to go on training the adapter.

    Raises:
        BaseMismatchError: the adapter was trained on other weights.
        MissingInputError: the folder holds no finished adapter.
        UserError: the adapter has weights of layers that the model lacks.
    """
    record = adapter_record(folder)
    trained_on = record["base"]
    if trained_on["content"] != base.content:
        raise BaseMismatchError(
            f"{folder}: trained on {trained_on['name']} ({trained_on['content'][:12]}…), not on "
            f"{base.name} ({base.content[:12]}…); name the base that it was trained on, or train "
            "an adapter on this one"
        )
    with local_folder(folder) as local:
        full = record["config"]["fine_tuning"] == "full"
        adapted = _with_full_weights(model, local) if full else _with_lora(model, local, trainable)
    return adapted.train() if trainable else adapted.eval()


def add_lora(model: nn.Module, config: LoraConfig) -> PeftModel:
    """Wrap a model in a fresh LoRA adapter, drawn from torch's random generator."""
    from peft import get_peft_model

    with warnings.catch_warnings():
        # peft 0.21 reads an attribute that transformers 5.23 deprecates.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        return get_peft_model(model, config)


def _with_full_weights(model: nn.Module, folder: Path) -> nn.Module:
    weights, parameters = load_file(folder / FULL_WEIGHTS), dict(model.named_parameters())
    if different := weights.keys() ^ parameters.keys():
        raise UserError(
            f"{folder / FULL_WEIGHTS}: its layers are not the model's: {', '.join(sorted(different)[:3])}; "
            "train the adapter again"
        )
    set_weights(parameters, weights)
    return model


def _with_lora(model: nn.Module, folder: Path, trainable: bool) -> nn.Module:
    from peft import LoraConfig, set_peft_model_state_dict

    adapted = add_lora(model, LoraConfig(**_lora_settings(read_json(folder / ADAPTER_CONFIG), trainable)))
    loaded = set_peft_model_state_dict(adapted, load_file(folder / ADAPTER_WEIGHTS))
    if loaded.unexpected_keys:
        raise UserError(
            f"{folder / ADAPTER_WEIGHTS}: has weights of layers that the model lacks: "
            f"{', '.join(sorted(loaded.unexpected_keys)[:3])}; train the adapter again"
        )
    return adapted


def _lora_settings(written: dict[str, Any], trainable: bool) -> dict[str, Any]:
    """Return the arguments of LoraConfig that adapter_config.json states."""
    kept = ("r", "lora_alpha", "lora_dropout", "target_modules", "modules_to_save")
    return {key: written[key] for key in kept} | {"inference_mode": not trainable}


def _peft_settings(model: PeftModel, base: Base) -> dict[str, Any]:
    """Return the content of adapter_config.json: what peft writes, with the base's identity instead of its path."""
    settings = model.peft_config["default"].to_dict()
    settings |= {"base_model_name_or_path": base.identity, "inference_mode": True}
    # A set's order differs between processes; peft reads lists back as sets.
    plain_json = json.dumps(settings, default=lambda value: sorted(value) if isinstance(value, set) else str(value))
    return dict(json.loads(plain_json))
