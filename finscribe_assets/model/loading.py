"""Bases by name: the embedded one, a folder, or a repository of the hub; and adapters on them.

An adapter is what was trained on a base: LoRA's matrices, or all weights after full fine-tuning. What belongs here:
from a name to weights, what identifies them, and an adapter's weights to its folder and back, so that nothing else need
know of which kind they are. Nothing here trains or reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLProcessor

from finscribe_assets.files import (
    AnyPath,
    as_path,
    local_folder,
    read_json,
    sha256_of_file,
    write_bytes,
    write_json,
)
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER, WEIGHTS, content_hash, load_base, load_processor
from finscribe_assets.model.line_images import LINE_HEIGHT
from finscribe_assets.training.adapter_config import EMBEDDED
from finscribe_assets.training.checkpoints import plain, set_weights

ADAPTER_WEIGHTS, ADAPTER_CONFIG, TRAINING_RECORD = "adapter_model.safetensors", "adapter_config.json", "training.json"
# After full fine-tuning: every parameter under transformers' name. Not peft's file, which it could not load.
FULL_WEIGHTS = "trained_weights.safetensors"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# What a checkpoint is loaded from; code in a repository is never fetched, as it is never run.
_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model"]


class BaseMismatchError(ValueError):
    """An adapter is put on a base that it was not trained on."""


@dataclass(frozen=True)
class Base:
    """A base model: its name, where its files lie, and the hash of their content."""

    name: str  # embedded, the hub's name, or the folder's own name: never a path of this machine
    folder: AnyPath
    content: str

    @property
    def identity(self) -> str:
        """Return what an adapter names as its base: a hub's name as it is, else name and content hash."""
        return self.name if _HUB_NAME.fullmatch(self.name) else f"{self.name}@sha256:{self.content}"


def find_base(name: str) -> Base:
    """Return the base of a name; a hub's repository is downloaded, or found in the hub's cache.

    Raises:
        FileNotFoundError: a folder holds no checkpoint.
        ValueError: the name is neither ``embedded`` nor a folder nor ``owner/repository``, or the hub does not give it.
    """
    if name == EMBEDDED:
        return Base(EMBEDDED, BASE_FOLDER, content_hash(BASE_FOLDER))
    folder = as_path(name)
    if folder.exists():
        if not (folder / WEIGHTS).exists():
            raise FileNotFoundError(f"base: {folder} holds no {WEIGHTS}; name a folder with a checkpoint in it")
        return Base(folder.name, folder, content_hash(folder))
    if not _HUB_NAME.fullmatch(name):
        raise ValueError(
            f"base: {name!r} is no folder here; give {EMBEDDED}, a folder, or a hub name like PaddlePaddle/PaddleOCR-VL"
        )
    from huggingface_hub import snapshot_download

    try:
        local = Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except Exception as error:
        raise ValueError(
            f"base: {name} is no folder here and could not be had from the hub ({type(error).__name__}: "
            f"{error}); download it elsewhere and name its folder"
        ) from error
    return Base(name, local, content_hash(local))


def load_model(base: Base, dtype: torch.dtype = torch.float32) -> PaddleOCRVLForConditionalGeneration:
    """Return the base's model in evaluation mode."""
    return load_base(base.folder, dtype)


def processor_of(base: Base, max_pixels: int | None = None) -> PaddleOCRVLProcessor:
    """Return the base's processor; with ``max_pixels``, larger images are scaled down to about that many pixels."""
    processor = load_processor(base.folder)
    if max_pixels is not None:
        size = processor.image_processor.size
        smallest, largest = size["shortest_edge"], size["longest_edge"]
        processor.image_processor.size = type(size)(
            shortest_edge=min(smallest, max_pixels), longest_edge=min(largest, max_pixels)
        )
    return processor


def reads_lines(processor: PaddleOCRVLProcessor) -> bool:
    """Tell whether a base reads single printed lines: the embedded ones do, brought to their height by `fit_line`.

    Their processor takes images as small as one merged patch; PaddleOCR-VL's own wants at least 112,896 pixels.
    """
    return int(processor.image_processor.size["shortest_edge"]) <= LINE_HEIGHT**2


def adapter_record(folder: AnyPath) -> dict[str, Any]:
    """Return what an adapter's training recorded.

    Raises:
        FileNotFoundError: the folder holds no finished adapter.
    """
    if not (folder / TRAINING_RECORD).exists():
        raise FileNotFoundError(f"{folder}: no {TRAINING_RECORD}, so no finished adapter; train one first")
    record: dict[str, Any] = read_json(folder / TRAINING_RECORD)
    record["config"].setdefault("fine_tuning", "lora")  # all there was when records did not say it
    return record


def adapter_weights(folder: AnyPath) -> AnyPath:
    """Return the file of an adapter's weights.

    Raises:
        FileNotFoundError: the folder holds no finished adapter.
    """
    full = adapter_record(folder)["config"]["fine_tuning"] == "full"
    return folder / (FULL_WEIGHTS if full else ADAPTER_WEIGHTS)


def adapter_hash(folder: AnyPath) -> str:
    """Return the SHA-256 of an adapter's weights.

    Raises:
        FileNotFoundError: the folder holds no finished adapter.
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
    write_bytes(file, save(plain(dict(sorted(state.items()))), metadata={"format": "pt"}))
    return sha256_of_file(file)


def load_trained(base: Base, folder: AnyPath, dtype: torch.dtype = torch.float32) -> Any:
    """Return the base's model in evaluation mode, what was trained on it in its weights.

    Raises:
        BaseMismatchError: it was trained on other weights.
        FileNotFoundError: the folder holds no finished adapter.
    """
    from peft import PeftModel

    adapted = add_adapter(load_model(base, dtype), folder, base)
    return adapted.merge_and_unload() if isinstance(adapted, PeftModel) else adapted


def add_adapter(model: nn.Module, folder: AnyPath, base: Base, *, trainable: bool = False) -> nn.Module:
    """Put a trained adapter on its base: linear layers are replaced by adapted ones, or all weights by the trained.

    Raises:
        BaseMismatchError: the adapter was trained on other weights.
        FileNotFoundError: the folder holds no finished adapter.
        ValueError: its weights are of other layers than the model's.
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
        raise ValueError(
            f"{folder / FULL_WEIGHTS}: has weights of other layers than the model: {', '.join(sorted(other)[:3])}"
        )
    set_weights(parameters, weights)
    return model


def _with_lora(model: Any, folder: Path, trainable: bool) -> nn.Module:
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    adapted = get_peft_model(model, LoraConfig(**_lora_settings(read_json(folder / ADAPTER_CONFIG), trainable)))
    found = set_peft_model_state_dict(adapted, load_file(folder / ADAPTER_WEIGHTS))
    if found.unexpected_keys:
        raise ValueError(
            f"{folder / ADAPTER_WEIGHTS}: has weights for layers that the model lacks: "
            f"{', '.join(sorted(found.unexpected_keys)[:3])}"
        )
    return adapted


def device_of(name: str) -> torch.device:
    """Return the device of a setting: auto is the GPU where there is one.

    Raises:
        ValueError: a GPU is asked for where there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: cuda is asked for, but torch sees no GPU; take auto or cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Compute on so many processor threads inside the block; results may differ in the last bits between counts."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
