"""Adapters as files: LoRA matrices, or all weights after full fine-tuning, put on the base they were trained on.

What belongs here: saving, identifying and loading an adapter, so that no other module needs to know which of the two
it is. Training one is `training`'s.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import AnyPath, local_folder, read_json, sha256_of_file, write_bytes, write_json
from finscribe_assets.model.bases import Base, load_model
from finscribe_assets.model.weights import set_weights, storable

ADAPTER_WEIGHTS, ADAPTER_CONFIG, TRAINING_RECORD = "adapter_model.safetensors", "adapter_config.json", "training.json"
# After full fine-tuning: every parameter under transformers' name. Not peft's file, which it could not load.
FULL_WEIGHTS = "trained_weights.safetensors"


class BaseMismatchError(UserError):
    """An adapter is put on a base that it was not trained on."""


def adapter_record(folder: AnyPath) -> dict[str, Any]:
    """Return what an adapter's training recorded.

    Raises:
        MissingInputError: the folder holds no finished adapter.
    """
    if not (folder / TRAINING_RECORD).exists():
        raise MissingInputError(f"{folder}: no {TRAINING_RECORD}, so no finished adapter; train one first")
    record: dict[str, Any] = read_json(folder / TRAINING_RECORD)
    record["config"].setdefault("fine_tuning", "lora")  # all there was when records did not say it
    return record


def adapter_weights(folder: AnyPath) -> AnyPath:
    """Return the file of an adapter's weights.

    Raises:
        MissingInputError: the folder holds no finished adapter.
    """
    full = adapter_record(folder)["config"]["fine_tuning"] == "full"
    return folder / (FULL_WEIGHTS if full else ADAPTER_WEIGHTS)


def adapter_hash(folder: AnyPath) -> str:
    """Return the SHA-256 of an adapter's weights.

    Raises:
        MissingInputError: the folder holds no finished adapter.
    """
    return sha256_of_file(adapter_weights(folder))


def save_adapter(model: Any, folder: AnyPath, base: Base) -> str:
    """Write what was trained of a model, LoRA as peft loads it or else all weights; return the weights' SHA-256.

    The folder is no finished adapter before its record is written anew.
    """
    from peft import PeftModel, get_peft_model_state_dict

    for before in (TRAINING_RECORD, ADAPTER_CONFIG, ADAPTER_WEIGHTS, FULL_WEIGHTS):
        (folder / before).unlink(missing_ok=True)
    if isinstance(model, PeftModel):
        file, state = folder / ADAPTER_WEIGHTS, get_peft_model_state_dict(model)
        write_json(folder / ADAPTER_CONFIG, _peft_settings(model, base))
    else:
        file, state = folder / FULL_WEIGHTS, dict(model.named_parameters())
    write_bytes(file, save(storable(dict(sorted(state.items()))), metadata={"format": "pt"}))
    return sha256_of_file(file)


def load_trained(base: Base, folder: AnyPath, dtype: torch.dtype = torch.float32) -> Any:
    """Return the base's model in evaluation mode, what was trained on it in its weights.

    Raises:
        BaseMismatchError: it was trained on other weights.
        MissingInputError: the folder holds no finished adapter.
    """
    from peft import PeftModel

    adapted = add_adapter(load_model(base, dtype), folder, base)
    return adapted.merge_and_unload() if isinstance(adapted, PeftModel) else adapted


def add_adapter(model: nn.Module, folder: AnyPath, base: Base, *, trainable: bool = False) -> nn.Module:
    """Put a trained adapter on its base: linear layers are replaced by adapted ones, or all weights by the trained.

    Raises:
        BaseMismatchError: the adapter was trained on other weights.
        MissingInputError: the folder holds no finished adapter.
        UserError: its weights are of other layers than the model's.
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
        adapted = _with_all_weights(model, local) if full else _with_lora(model, local, trainable)
    return adapted.train() if trainable else adapted.eval()


def _with_all_weights(model: nn.Module, folder: Path) -> nn.Module:
    weights, parameters = load_file(folder / FULL_WEIGHTS), dict(model.named_parameters())
    if other := weights.keys() ^ parameters.keys():
        raise UserError(
            f"{folder / FULL_WEIGHTS}: has weights of other layers than the model: {', '.join(sorted(other)[:3])}"
        )
    set_weights(parameters, weights)
    return model


def _with_lora(model: Any, folder: Path, trainable: bool) -> nn.Module:
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    adapted = get_peft_model(model, LoraConfig(**_lora_settings(read_json(folder / ADAPTER_CONFIG), trainable)))
    found = set_peft_model_state_dict(adapted, load_file(folder / ADAPTER_WEIGHTS))
    if found.unexpected_keys:
        raise UserError(
            f"{folder / ADAPTER_WEIGHTS}: has weights for layers that the model lacks: "
            f"{', '.join(sorted(found.unexpected_keys)[:3])}"
        )
    return adapted


def _lora_settings(written: dict[str, Any], trainable: bool) -> dict[str, Any]:
    kept = ("r", "lora_alpha", "lora_dropout", "target_modules", "modules_to_save")
    return {key: written[key] for key in kept} | {"inference_mode": not trainable}


def _peft_settings(model: Any, base: Base) -> dict[str, Any]:
    """Return adapter_config.json's content: what peft writes, but with the base's identity for its place."""
    settings = model.peft_config["default"].to_dict()
    settings |= {"base_model_name_or_path": base.identity, "inference_mode": True}
    # A set's order differs from process to process; peft reads lists back as sets.
    plain_json = json.dumps(settings, default=lambda value: sorted(value) if isinstance(value, set) else str(value))
    return dict(json.loads(plain_json))
