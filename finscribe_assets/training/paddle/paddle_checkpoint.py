"""Convert weights to Paddle and back: a base to the layout of PaddleOCR-VL's repository, LoRA to peft's names."""

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

_CONFIG, _IMAGE_PROCESSOR, _PROCESSOR = "config.json", "preprocessor_config.json", "processor_config.json"
_LORA_FILES, _FULL_FILES = "peft_model*.safetensors", "model*.safetensors"
# Prefixes of layers in PaddleOCR-VL's repository and in Paddle, and in transformers' model.
_MODULES = {"model.": "model.language_model.", "visual.": "model.visual.", "mlp_AR.": "model.projector."}
# A table of PaddleOCR-VL's repository that no model uses. transformers drops it; Paddle does not load without it.
_UNUSED_TABLE, _UNUSED_ROWS = "visual.vision_model.embeddings.packing_position_embedding.weight", 32768
# Paddle ties the head to the embeddings transposed, which gives nonsense, so its tie is off. LoRA trains neither; for
# full fine-tuning `paddleformers_plugin` makes them one parameter where this key of config.json is true.
LM_HEAD, TIED_KEY = "lm_head.weight", "finscribe_tied"
_EMBEDDINGS = "model.embed_tokens.weight"


def write_paddle_base(local: Path, folder: Path, image_processor: Any, *, tied: bool = False) -> None:
    """Write a checkpoint in the layout that Paddle reads: a flat configuration, and image sizes in pixels.

    Files that need no change are linked.

    Args:
        local: the base's folder.
        folder: a new folder.
        image_processor: of the base, with the pixel budget of the training.
        tied: train head and embeddings as one matrix.
    """
    folder.mkdir(parents=True)
    for file in local.iterdir():
        if file.is_file() and file.name not in (_CONFIG, _IMAGE_PROCESSOR, _PROCESSOR, WEIGHTS):
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
        folder / _IMAGE_PROCESSOR,
        {
            **{key: getattr(image_processor, key) for key in kept},
            "resample": int(image_processor.resample),
            "min_pixels": size["shortest_edge"],
            "max_pixels": size["longest_edge"],
            "image_processor_type": "PaddleOCRVLImageProcessor",
            "processor_class": "PaddleOCRVLProcessor",
        },
    )
    write_json(folder / _PROCESSOR, {"processor_class": "PaddleOCRVLProcessor"})
    config = _flat_config(read_json(local / _CONFIG))
    write_json(folder / _CONFIG, config | {"tie_word_embeddings": False, TIED_KEY: tied})
    with safe_open(local / WEIGHTS, "pt") as weights:
        missing = {_UNUSED_TABLE, LM_HEAD} - set(weights.keys())
    if not missing:
        (folder / WEIGHTS).symlink_to((local / WEIGHTS).resolve())
        return
    tensors = load_file(local / WEIGHTS)
    unused = torch.zeros(_UNUSED_ROWS, config["vision_config"]["hidden_size"], dtype=torch.bfloat16)
    tensors.setdefault(_UNUSED_TABLE, unused)
    tensors.setdefault(LM_HEAD, tensors[_EMBEDDINGS].clone())
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def _flat_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the language model's settings at the top, as transformers wrote it before 5."""
    text = dict(config.get("text_config") or {})
    text.pop("model_type", None)
    flat = {**text, **{key: value for key, value in config.items() if key not in ("text_config", "vision_config")}}
    flat["vision_config"] = {key: value for key, value in config["vision_config"].items() if key != "rope_parameters"}
    if rope := flat.pop("rope_parameters", None):
        flat["rope_theta"] = rope["rope_theta"]
        flat["rope_scaling"] = {"mrope_section": rope["mrope_section"], "rope_type": "default", "type": "default"}
    return flat | {"fuse_rms_norm": False}  # the fused kernel runs on GPUs only


def read_paddle_lora(folder: Path) -> dict[str, Tensor]:
    """Read the LoRA matrices that Paddle wrote, under the names of peft's parameters.

    Paddle's layers compute x·W where torch's compute x·Wᵀ, so A (inputs, rank) and B (rank, outputs) are transposed.

    Raises:
        MissingInputError: the folder holds none.
        UserError: a weight belongs to no known layer.
    """
    weights = _read_weights(folder, _LORA_FILES)
    return {_peft_name(name): weight.T.contiguous().float() for name, weight in weights.items()}


def read_paddle_weights(folder: Path, *, tied: bool) -> dict[str, Tensor]:
    """Read all weights of a checkpoint that Paddle wrote, under the names of transformers' parameters.

    Raises:
        MissingInputError: the folder holds none.
        UserError: head and embeddings are ``tied``, but differ.
    """
    weights = _read_weights(folder, _FULL_FILES)
    weights.pop(_UNUSED_TABLE, None)
    if tied and not torch.equal(weights.pop(LM_HEAD), weights[_EMBEDDINGS]):
        raise UserError(
            f"{folder}: head and embeddings are one matrix in the base, but Paddle trained two; run `make paddle-env` "
            "for an environment with known versions"
        )
    return {_transformers_name(name): weight.float() for name, weight in weights.items()}


def check_directions(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
    """Check that fine-tuning turned no matrix far: one whose values were written in another order has turned.

    Raises:
        UserError: the cosine between a matrix before and after is not above 0.5.
    """
    for name, weight in after.items():
        if weight.ndim > 1 and not torch.cosine_similarity(weight.flatten(), before[name].flatten(), dim=0) > 0.5:
            raise UserError(
                f"{name}: Paddle's weights point elsewhere than the base's, as if written in another order; run `make "
                "paddle-env` for an environment whose versions write them correctly"
            )


def check_export(base: Path, lora: Path, exported: Path, scaling: float) -> None:
    """Check that exported weights are W + scaling·(A·B)ᵀ, to within 1 % of the largest weight of each layer.

    Args:
        base: weights file that Paddle read.
        lora: folder of Paddle's LoRA matrices.
        exported: weights file that Paddle wrote.
        scaling: alpha / rank.

    Raises:
        UserError: they are not; safetensors 0.8.0 in Paddle's environment writes them transposed.
    """
    matrices = {name: weight.float() for name, weight in _read_weights(lora, _LORA_FILES).items()}
    with safe_open(base, "pt") as before, safe_open(exported, "pt") as after:
        for layer in {name.rpartition(".")[0] for name in matrices}:
            update = scaling * (matrices[f"{layer}.lora_A"] @ matrices[f"{layer}.lora_B"]).T
            expected = before.get_tensor(f"{layer}.weight").float() + update
            error = (after.get_tensor(f"{layer}.weight").float() - expected).abs().max()
            if not error <= expected.abs().max() / 100:
                raise UserError(
                    f"{exported}: {layer} is not the base with the adapter merged into it; run `make paddle-env` for "
                    "an environment whose versions export correctly"
                )


def _read_weights(folder: Path, pattern: str) -> dict[str, Tensor]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise MissingInputError(f"{folder}: Paddle wrote no weights ({pattern}); look at the tool's output")
    return {name: weight for file in files for name, weight in load_file(file).items()}


def _peft_name(name: str) -> str:
    layer, _, matrix = name.rpartition(".")
    if matrix not in ("lora_A", "lora_B") or not layer.startswith(tuple(_MODULES)):
        raise UserError(f"{name}: Paddle wrote a weight that is not a LoRA matrix of a known layer")
    return f"base_model.model.{_transformers_name(layer)}.{matrix}.default.weight"


def _transformers_name(name: str) -> str:
    prefix = next((prefix for prefix in _MODULES if name.startswith(prefix)), None)
    return name if prefix is None else _MODULES[prefix] + name.removeprefix(prefix)
