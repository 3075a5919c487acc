"""Weights on their way to Paddle and back: a base in the layout of PaddleOCR-VL's repository; LoRA as peft names it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import read_json, write_json
from finscribe_assets.model.embedded_checkpoint import WEIGHTS

CONFIG, IMAGES, PROCESSOR = "config.json", "preprocessor_config.json", "processor_config.json"
_LORA_FILES, _WHOLE_FILES = "peft_model*.safetensors", "model*.safetensors"
# Where PaddleOCR-VL's repository and Paddle have what stands elsewhere in transformers' model.
_MODULES = {"model.": "model.language_model.", "visual.": "model.visual.", "mlp_AR.": "model.projector."}
# A table of PaddleOCR-VL's repository that no model uses: transformers leaves it out, and Paddle will not load without.
_UNUSED, _UNUSED_ROWS = "visual.vision_model.embeddings.packing_position_embedding.weight", 32768
# Paddle ties a head to the embeddings transposed, so that it says nothing; LoRA leaves both as they are, and for full
# fine-tuning `plugin` makes them one.
HEAD, TIED = "lm_head.weight", "finscribe_tied"
_EMBEDDINGS = "model.embed_tokens.weight"


def write_base(local: Path, folder: Path, image_processor: Any, *, tied: bool = False) -> None:
    """Lay out a checkpoint as Paddle reads it: configuration flat, sizes in pixels; the rest is linked.

    ``tied`` tells `plugin` to train the head and the embeddings as the one matrix that they are.
    """
    folder.mkdir(parents=True)
    for file in local.iterdir():
        if file.is_file() and file.name not in (CONFIG, IMAGES, PROCESSOR, WEIGHTS):
            (folder / file.name).symlink_to(file.resolve())
    size = image_processor.size
    kept = (
        "do_convert_rgb",
        "do_normalize",
        "do_rescale",
        "do_resize",
        "image_mean",
        "image_std",
        "merge_size",
        "patch_size",
        "rescale_factor",
        "temporal_patch_size",
    )
    write_json(
        folder / IMAGES,
        {
            **{key: getattr(image_processor, key) for key in kept},
            "resample": int(image_processor.resample),
            "min_pixels": size["shortest_edge"],
            "max_pixels": size["longest_edge"],
            "image_processor_type": "PaddleOCRVLImageProcessor",
            "processor_class": "PaddleOCRVLProcessor",
        },
    )
    write_json(folder / PROCESSOR, {"processor_class": "PaddleOCRVLProcessor"})
    config = _flat(read_json(local / CONFIG))
    write_json(folder / CONFIG, config | {"tie_word_embeddings": False, TIED: tied})
    with safe_open(local / WEIGHTS, "pt") as weights:
        lacking = {_UNUSED, HEAD} - set(weights.keys())
    if not lacking:
        (folder / WEIGHTS).symlink_to((local / WEIGHTS).resolve())
        return
    tensors = load_file(local / WEIGHTS)
    tensors.setdefault(_UNUSED, torch.zeros(_UNUSED_ROWS, config["vision_config"]["hidden_size"], dtype=torch.bfloat16))
    tensors.setdefault(HEAD, tensors[_EMBEDDINGS].clone())
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the language model's settings at its top, as transformers wrote it before 5."""
    text = dict(config.get("text_config") or {})
    text.pop("model_type", None)
    flat = {**text, **{key: value for key, value in config.items() if key not in ("text_config", "vision_config")}}
    flat["vision_config"] = {key: value for key, value in config["vision_config"].items() if key != "rope_parameters"}
    if rope := flat.pop("rope_parameters", None):
        flat["rope_theta"] = rope["rope_theta"]
        flat["rope_scaling"] = {"mrope_section": rope["mrope_section"], "rope_type": "default", "type": "default"}
    return flat | {"fuse_rms_norm": False}  # its fused kernel is for GPUs alone


def lora_of_paddle(folder: Path) -> dict[str, Tensor]:
    """Return the LoRA matrices of a folder, under the names of peft's parameters.

    Paddle's layers compute x·W where torch's compute x·Wᵀ, so A (inputs × rank) and B (rank × outputs) are transposed.

    Raises:
        MissingInputError: the folder holds none.
        UserError: a weight is of no layer that is known.
    """
    return {_peft_name(name): weight.T.contiguous().float() for name, weight in _written(folder, _LORA_FILES).items()}


def weights_of_paddle(folder: Path, *, tied: bool) -> dict[str, Tensor]:
    """Return all weights of a checkpoint that Paddle wrote, under the names of transformers' parameters.

    Raises:
        MissingInputError: the folder holds none.
        UserError: head and embeddings are ``tied``, but were trained apart.
    """
    written = _written(folder, _WHOLE_FILES)
    written.pop(_UNUSED, None)
    if tied and not torch.equal(written.pop(HEAD), written[_EMBEDDINGS]):
        raise UserError(f"{folder}: head and embeddings, which are one in the base, were trained apart")
    return {_transformers_name(name): weight.float() for name, weight in written.items()}


def check_trained(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
    """See that each matrix points the way that it did before: what fine-tuning moves little, and a wrong order not.

    Raises:
        UserError: its cosine with the one before is below one half.
    """
    for name, weight in after.items():
        if weight.ndim > 1 and not torch.cosine_similarity(weight.flatten(), before[name].flatten(), dim=0) > 0.5:
            raise UserError(
                f"{name}: Paddle wrote other weights than such a training can lead to; run `make "
                "paddle-env` for an environment whose versions write them well"
            )


def _written(folder: Path, pattern: str) -> dict[str, Tensor]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise MissingInputError(f"{folder}: no {pattern}; Paddle wrote no weights")
    return {name: weight for file in files for name, weight in load_file(file).items()}


def check_export(base: Path, lora: Path, exported: Path, scaling: float) -> None:
    """See that exported weights are W + scaling·(A·B)ᵀ, to a hundredth of the largest weight of each layer.

    Raises:
        UserError: they are not; safetensors 0.8.0 in Paddle's environment writes them transposed.
    """
    matrices = {name: weight.float() for name, weight in _written(lora, _LORA_FILES).items()}
    with safe_open(base, "pt") as before, safe_open(exported, "pt") as after:
        for layer in {name.rpartition(".")[0] for name in matrices}:
            update = scaling * (matrices[f"{layer}.lora_A"] @ matrices[f"{layer}.lora_B"]).T
            expected = before.get_tensor(f"{layer}.weight").float() + update
            error = (after.get_tensor(f"{layer}.weight").float() - expected).abs().max()
            if not error <= expected.abs().max() / 100:
                raise UserError(
                    f"{exported}: {layer} is not base and adapter merged; run `make paddle-env` for an "
                    "environment whose versions export well"
                )


def _peft_name(name: str) -> str:
    layer, _, matrix = name.rpartition(".")
    if matrix not in ("lora_A", "lora_B") or not layer.startswith(tuple(_MODULES)):
        raise UserError(f"{name}: Paddle wrote a weight that is no LoRA matrix of a known layer")
    return f"base_model.model.{_transformers_name(layer)}.{matrix}.default.weight"


def _transformers_name(name: str) -> str:
    prefix = next((prefix for prefix in _MODULES if name.startswith(prefix)), None)
    return name if prefix is None else _MODULES[prefix] + name.removeprefix(prefix)
