"""A base and an adapter → one checkpoint, which loaders know that know nothing of adapters.

The folder is the base's own, file by file, but for its weights: these are the base's tensors under the base's names,
with the adapter's updates added (LoRA, arXiv:2106.09685, section 4.1: W + α/r · B·A), or those that full fine-tuning
put in their places, in the base's type.
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
from finscribe_assets.files import AnyPath, local_folder, read_json, write_json
from finscribe_assets.model.adapters import adapter_record, load_adapted_model
from finscribe_assets.model.bases import find_base, processor_for
from finscribe_assets.model.embedded_checkpoint import CARD, SCORES, WEIGHTS

MERGED_FROM = "merged_from.json"
PREPROCESSOR = "preprocessor_config.json"
_ABOUT_THE_BASE = (CARD, SCORES)  # which say nothing about the merged weights
_HEAD = "lm_head.weight"  # which a base's file may hold though it is tied to the embeddings
_LARGEST_FILE = "1000GB"  # weights stay in one file, as `find_base` and the base have them


@dataclass(frozen=True)
class MergeSummary:
    """What merging wrote."""

    tensors: int
    changed: int  # tensors that differ from the base's
    dtype: str  # of the weights, as stored


def merge_adapter(
    base: str,
    adapter: AnyPath,
    out: Path,
    dtype: Literal["float32", "bfloat16"] | None = None,
) -> MergeSummary:
    """Write the merged checkpoint to a folder, which then stands there whole or not at all.

    Updates are added in float32 and rounded once, to ``dtype`` or the type that the base stores each tensor in.

    Raises:
        FileNotFoundError: base or adapter are not there.
        UserError: they do not belong together, the folder holds files already, or the base's tensors have other names
            than those that transformers writes.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"out: {out} is there already; name a new folder")
    found = find_base(base)
    merged = load_adapted_model(found, adapter)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the last step is a rename.
    made = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        with local_folder(found.folder) as files:
            for file in files.iterdir():
                if file.is_file() and file.name not in (WEIGHTS, *_ABOUT_THE_BASE):
                    shutil.copyfile(file, made / file.name)
            summary = _write_weights(merged, files / WEIGHTS, made, dtype)
        if not (made / PREPROCESSOR).exists():  # loaders other than transformers 5 look for it
            processor_for(found).image_processor.save_pretrained(made)
        if dtype is not None:
            config = read_json(made / "config.json") | {"dtype": dtype}
            config.pop("torch_dtype", None)  # its older name
            write_json(made / "config.json", config)
        write_json(
            made / MERGED_FROM,
            {
                "base": found.identity,
                "base_content": found.content,
                "adapter_weights": adapter_record(adapter)["weights"],
            },
        )
        made.chmod(0o755)
        made.replace(out)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return summary


def _write_weights(model: Any, base: Path, folder: Path, dtype: str | None) -> MergeSummary:
    """Write a model's weights under the names, in the order of types and with the ties that the base's file has."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        model.save_pretrained(temporary, max_shard_size=_LARGEST_FILE)
        weights: dict[str, Tensor] = load_file(Path(temporary) / WEIGHTS)
    stored: dict[str, Tensor] = {}
    changed = 0
    with safe_open(base, framework="pt") as file:
        names = list(file.keys())
        if unknown := sorted(set(weights) - set(names)):
            raise UserError(
                f"{base}: has no tensor {unknown[0]}, which transformers writes; loaders would not find its weights"
            )
        if _HEAD in names:
            weights.setdefault(_HEAD, model.lm_head.weight.detach())
        for name in names:
            before = file.get_tensor(name)
            # What transformers does not give back it does not use.
            stored[name] = weights.get(name, before).to(getattr(torch, dtype) if dtype else before.dtype).contiguous()
            changed += not torch.equal(stored[name].float(), before.float())
        metadata = file.metadata()
    save_file(stored, folder / WEIGHTS, metadata=metadata or {"format": "pt"})
    types = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in stored.values()})
    return MergeSummary(len(stored), changed, " and ".join(types))
