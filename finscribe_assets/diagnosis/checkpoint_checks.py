"""Check a checkpoint's folder: files, architecture, weights and modes. Prompts and tokens are in `prompt_checks`."""

from __future__ import annotations

import re
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from finscribe_assets.diagnosis.json_files import read_object
from finscribe_assets.diagnosis.processor_sizes import IMAGE_PROCESSORS, MIN_PAGE_PIXELS, image_sizes
from finscribe_assets.diagnosis.prompt_checks import check_prompts
from finscribe_assets.diagnosis.stored_tensors import StoredTensor, read_header
from finscribe_assets.diagnosis.traps import TrapFinding
from finscribe_assets.errors import UserError
from finscribe_assets.model.checkpoint_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, WEIGHTS

ARCHITECTURE, MODEL_TYPE = "PaddleOCRVLForConditionalGeneration", "paddleocr_vl"
INDEX_FILE = "model.safetensors.index.json"
PACKING_TABLE = "visual.vision_model.embeddings.packing_position_embedding.weight"
_HEAD, _EMBEDDINGS = "lm_head.weight", "model.embed_tokens.weight"
LINE_PIXELS = 28 * 28  # the smallest image of a base that reads lines
_LAYER = re.compile(r"^(.*?layers)\.(\d+)\.(.*)$")


def check_checkpoint(folder: Path, base: Path | None = None) -> Iterator[TrapFinding]:
    """Yield what is wrong with a checkpoint.

    Args:
        folder: of the checkpoint.
        base: folder of the checkpoint that it was tuned from, to compare with.
    """
    adapter = next((name for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG) if (folder / name).is_file()), None)
    if adapter is not None and not _weight_files(folder):
        # All else that the folder lacks follows from this.
        yield TrapFinding("adapter-as-checkpoint", str(folder), f"holds {adapter} and no weights of a model")
        return
    config = read_object(folder / "config.json")
    yield from _check_files(folder)
    yield from _check_modes(folder)
    if config is not None:
        yield from _check_config(folder, config)
    yield from _check_budget(folder)
    yield from check_prompts(folder, config or {}, base)
    tensors: dict[str, StoredTensor] = {}
    files = _weight_files(folder)
    for file in files:
        if not file.is_file():
            yield TrapFinding("tensors-missing", str(folder / INDEX_FILE), f"names {file.name}, which is not there")
            continue
        try:
            tensors |= read_header(file)
        except UserError as error:
            yield TrapFinding("weights-incomplete", str(file), str(error).removeprefix(f"{file}: "))
    if tensors:
        yield from _check_index(folder, tensors)
        yield from _check_tensors(folder, tensors, config or {}, base)


def _check_index(folder: Path, tensors: Mapping[str, StoredTensor]) -> Iterator[TrapFinding]:
    """Compare the names that an index promises with those that the files hold."""
    index = read_object(folder / INDEX_FILE) or {}
    promised = index.get("weight_map")
    lost = sorted(promised.keys() - tensors.keys()) if isinstance(promised, dict) else []
    if lost:
        problem = f"names {len(lost)} tensors that no file holds: {', '.join(lost[:3])}"
        yield TrapFinding("tensors-missing", str(folder / INDEX_FILE), problem)


def _weight_files(folder: Path) -> list[Path]:
    index = read_object(folder / INDEX_FILE)
    if index is not None and isinstance(index.get("weight_map"), dict):
        return sorted({folder / str(name) for name in index["weight_map"].values()})
    return [folder / WEIGHTS] if (folder / WEIGHTS).is_file() else []


def _check_files(folder: Path) -> Iterator[TrapFinding]:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            yield TrapFinding("files-missing", str(folder / name), "is not there")
        elif read_object(folder / name) is None:
            yield TrapFinding("files-missing", str(folder / name), "is not a JSON object")
    if not any((folder / name).is_file() for name in IMAGE_PROCESSORS):
        yield TrapFinding(
            "files-missing", str(folder / IMAGE_PROCESSORS[0]), f"is not there, nor {IMAGE_PROCESSORS[1]}"
        )
    if not _weight_files(folder):
        yield TrapFinding("files-missing", str(folder / WEIGHTS), "is not there")
    elif (folder / ADAPTER_CONFIG).is_file():
        yield TrapFinding("adapter-in-checkpoint", str(folder / ADAPTER_CONFIG), "lies beside a model's weights")


def _check_modes(folder: Path) -> Iterator[TrapFinding]:
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    closed = [file for file in files if not file.stat().st_mode & stat.S_IROTH]
    if closed:
        names = ", ".join(file.name for file in closed[:3])
        yield TrapFinding("file-mode", str(folder), f"only some users may read {len(closed)} of its files: {names}")
    if not folder.stat().st_mode & stat.S_IXOTH:
        yield TrapFinding("file-mode", str(folder), "other users may not enter the folder")


def _check_config(folder: Path, config: Mapping[str, Any]) -> Iterator[TrapFinding]:
    place = str(folder / "config.json")
    if config.get("model_type") != MODEL_TYPE:
        yield TrapFinding("not-this-model", f"{place}: model_type", f"{config.get('model_type')!r}, not {MODEL_TYPE!r}")
    elif config.get("architectures") != [ARCHITECTURE]:
        yield TrapFinding(
            "not-this-model", f"{place}: architectures", f"{config.get('architectures')!r}, not [{ARCHITECTURE!r}]"
        )
    modules = {str(name).split("--")[-1].split(".")[0] for name in (config.get("auto_map") or {}).values()}
    missing = [f"{module}.py" for module in sorted(modules) if not (folder / f"{module}.py").is_file()]
    if missing:
        yield TrapFinding("code-missing", f"{place}: auto_map", f"names {', '.join(missing)}, which the folder lacks")
    stated = config.get("dtype") or config.get("torch_dtype")
    if stated == "float16":
        yield TrapFinding("float16", f"{place}: dtype", "float16")


def _check_budget(folder: Path) -> Iterator[TrapFinding]:
    found = image_sizes(folder)
    if found is None:
        return
    name, least, most = found
    if least > most:
        yield TrapFinding("image-budget", f"{folder / name}: min_pixels", f"{least:,}, above max_pixels ({most:,})")
    elif least > LINE_PIXELS and most < MIN_PAGE_PIXELS:
        yield TrapFinding("image-budget", f"{folder / name}: max_pixels", f"{most:,} pixels for a page")


def _check_tensors(
    folder: Path, tensors: dict[str, StoredTensor], config: Mapping[str, Any], base: Path | None
) -> Iterator[TrapFinding]:
    if any(tensor.type == "F16" for tensor in tensors.values()):
        count = sum(tensor.type == "F16" for tensor in tensors.values())
        yield TrapFinding("float16", str(folder), f"{count} of {len(tensors)} tensors are float16")
    expected = _names_of(base) - {_HEAD} if base is not None else set[str]()
    missing = sorted((expected - {PACKING_TABLE}) - tensors.keys()) or sorted(_missing_in_layers(tensors, config))
    if missing:
        yield TrapFinding(
            "tensors-missing", str(folder), f"{len(missing)} tensors are missing: {', '.join(missing[:3])}"
        )
    needs_table = PACKING_TABLE in expected or "text_config" not in config  # the layout of the hub's repositories
    has_vision = any(name.startswith("visual.") for name in tensors)
    if needs_table and has_vision and PACKING_TABLE not in tensors:
        yield TrapFinding("packing-position-embedding", str(folder), f"{PACKING_TABLE} is missing")
    yield from _check_head(folder, tensors, config)
    broken = [name for name, tensor in tensors.items() if not tensor.is_finite()]
    if broken:
        yield TrapFinding("weights-not-finite", str(folder), f"NaN or infinity in {len(broken)} tensors: {broken[0]}")


def _names_of(folder: Path) -> set[str]:
    """Return the names of a checkpoint's tensors.

    Raises:
        UserError: a file is not a whole safetensors file.
    """
    return {name for file in _weight_files(folder) for name in read_header(file)}


def _missing_in_layers(tensors: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tensors that a layer lacks and others of its stack have, and those of layers that are not there."""
    layers: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in tensors:
        if match := _LAYER.match(name):
            layers[match[1]][int(match[2])].add(match[3])
    text = config.get("text_config") or config
    vision = config.get("vision_config") or {}
    for stack, found in layers.items():
        stated = (vision if "vision" in stack else text).get("num_hidden_layers")
        count = stated if isinstance(stated, int) else max(found) + 1
        parts = set[str]().union(*found.values())
        yield from (
            f"{stack}.{number}.{part}" for number in range(count) for part in sorted(parts - found.get(number, set()))
        )
    if _EMBEDDINGS not in tensors:
        yield _EMBEDDINGS


def _check_head(folder: Path, tensors: dict[str, StoredTensor], config: Mapping[str, Any]) -> Iterator[TrapFinding]:
    text = config.get("text_config") or {}
    tied = config.get("tie_word_embeddings", text.get("tie_word_embeddings", False))
    place = f"{folder / 'config.json'}: tie_word_embeddings"
    head, embeddings = tensors.get(_HEAD), tensors.get(_EMBEDDINGS)
    if not tied and head is None:
        yield TrapFinding("tied-head", place, f"false, but there is no {_HEAD}: the head is drawn at random")
    if tied and head is not None and embeddings is not None and not _equal(head, embeddings):
        yield TrapFinding("tied-head", place, f"true, but {_HEAD} differs from {_EMBEDDINGS}")


def _equal(left: StoredTensor, right: StoredTensor) -> bool:
    return (left.type, left.shape) == (right.type, right.shape) and all(
        bool((a == b).all()) for a, b in zip(left.bits(), right.bits(), strict=True)
    )
