"""Merge an adapter into its base, as one checkpoint for loaders without adapter support, such as vLLM.

The merged folder has the base's files except the weights, the model card and the scores. The weights have the base's
tensor names and types: W + α/r · B·A for LoRA (arXiv:2106.09685, section 4.1), or the fine-tuned tensors themselves for
full fine-tuning.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, local_folder, make_readable, read_json, write_json
from finscribe_assets.model.adapters import adapter_record, load_adapted_model
from finscribe_assets.model.bases import find_base, processor_for
from finscribe_assets.model.embedded_checkpoint import CARD, SCORES, WEIGHTS

MERGED_FROM_FILE = "merged_from.json"
PREPROCESSOR_FILE = "preprocessor_config.json"
_NOT_COPIED = (WEIGHTS, CARD, SCORES)  # the card and the scores describe the base's weights only
_HEAD = "lm_head.weight"  # a base's file may hold it although it is tied to the embeddings
_MAX_SHARD_SIZE = "1000GB"  # keeps the weights in one file, where `find_base` looks for them


@dataclass(frozen=True)
class MergeSummary:
    """What `merge_adapter` wrote."""

    tensors: int  # number of tensors
    changed: int  # number of tensors that differ from the base's
    dtype: str  # of the stored weights


def merge_adapter(
    base: str,
    adapter: AnyPath,
    out: Path,
    dtype: Literal["float32", "bfloat16"] | None = None,
) -> MergeSummary:
    """Write the merged checkpoint of a base and an adapter.

    The folder appears complete or not at all. Updates are added in float32 and rounded once.

    Args:
        base: ``embedded``, a folder, or a name on the Hugging Face hub.
        adapter: Folder of an adapter that was trained on this base.
        out: The folder to write; it must be new or empty.
        dtype: Type of the stored weights; for each tensor the base's unless given.

    Raises:
        MissingInputError: The base or the adapter does not exist.
        UserError: The adapter belongs to another base, ``out`` holds files, or the base's tensors have other names than
            transformers gives them.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"out: {out} is there already; name a new folder or an empty one")
    source = find_base(base)
    model = load_adapted_model(source, adapter)
    out.parent.mkdir(parents=True, exist_ok=True)
    # On the same file system as the final folder, so that the last step is a rename.
    temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        with local_folder(source.folder) as files:
            for file in files.iterdir():
                if file.is_file() and file.name not in _NOT_COPIED:
                    shutil.copyfile(file, temporary / file.name)
            summary = _write_weights(model, files / WEIGHTS, temporary, dtype)
        if not (temporary / PREPROCESSOR_FILE).exists():  # loaders other than transformers 5 need it
            processor_for(source).image_processor.save_pretrained(temporary)
        if dtype is not None:
            config = read_json(temporary / "config.json") | {"dtype": dtype}
            config.pop("torch_dtype", None)  # the key's older name
            write_json(temporary / "config.json", config)
        write_json(
            temporary / MERGED_FROM_FILE,
            {
                "base": source.identity,
                "base_content": source.content,
                "adapter_weights": adapter_record(adapter)["weights"],
            },
        )
        make_readable(temporary)
        temporary.replace(out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return summary


def _write_weights(model: Any, base: Path, folder: Path, dtype: str | None) -> MergeSummary:
    """Write a model's weights with the names, order, types and tied tensors of the base's file."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        model.save_pretrained(temporary, max_shard_size=_MAX_SHARD_SIZE)
        weights: dict[str, Tensor] = load_file(Path(temporary) / WEIGHTS)
    stored: dict[str, Tensor] = {}
    changed = 0
    with safe_open(base, framework="pt") as file:
        names = list(file.keys())
        if unknown := sorted(set(weights) - set(names)):
            raise UserError(
                f"{base}: has no tensor {unknown[0]}, which transformers writes, so loaders would not find its "
                "weights; use a base that transformers has saved"
            )
        if _HEAD in names:
            weights.setdefault(_HEAD, model.lm_head.weight.detach())
        for name in names:
            before = file.get_tensor(name)
            # Tensors that transformers does not use keep the base's values.
            stored[name] = weights.get(name, before).to(getattr(torch, dtype) if dtype else before.dtype).contiguous()
            changed += not torch.equal(stored[name].float(), before.float())
        metadata = file.metadata()
    save_file(stored, folder / WEIGHTS, metadata=metadata or {"format": "pt"})
    types = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in stored.values()})
    return MergeSummary(len(stored), changed, " and ".join(types))
