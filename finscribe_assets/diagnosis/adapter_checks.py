"""Check an adapter's folder: complete, finite, and trained on the base that it will be used with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finscribe_assets.diagnosis.json_files import read_object
from finscribe_assets.diagnosis.prompt_checks import answer_begin, templates_of
from finscribe_assets.diagnosis.stored_tensors import StoredTensor, read_header
from finscribe_assets.diagnosis.traps import TrapFinding
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import sha256_of_file
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.checkpoint_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    BASE_FOLDER,
    FULL_WEIGHTS,
    TRAINING_RECORD,
    content_hash,
)


def check_adapter(folder: Path, base: Path | None = None) -> Iterator[TrapFinding]:
    """Yield what is wrong with an adapter of this package, or one that peft wrote.

    Args:
        folder: of the adapter.
        base: folder of the checkpoint that it is to be used with; the embedded base is known without it.
    """
    weights = next((folder / name for name in (ADAPTER_WEIGHTS, FULL_WEIGHTS) if (folder / name).is_file()), None)
    record = read_object(folder / TRAINING_RECORD)
    if weights is None:
        yield TrapFinding("adapter-unfinished", str(folder), f"there is neither {ADAPTER_WEIGHTS} nor {FULL_WEIGHTS}")
        return
    if record is None and read_object(folder / ADAPTER_CONFIG) is None:
        yield TrapFinding("adapter-unfinished", str(folder), f"there is no {TRAINING_RECORD} and no {ADAPTER_CONFIG}")
    try:
        tensors = read_header(weights)
    except UserError as error:
        yield TrapFinding("weights-incomplete", str(weights), str(error).removeprefix(f"{weights}: "))
        return
    yield from _check_weights(weights, tensors, record)
    trained_on = (record or {}).get("base")
    if isinstance(trained_on, dict):
        yield from _check_base(folder, trained_on, base)
    yield from _check_template(folder, base)


def _check_weights(
    weights: Path, tensors: dict[str, StoredTensor], record: dict[str, Any] | None
) -> Iterator[TrapFinding]:
    broken = [name for name, tensor in tensors.items() if not tensor.is_finite()]
    if broken:
        yield TrapFinding("weights-not-finite", str(weights), f"NaN or infinity in {len(broken)} tensors: {broken[0]}")
    updates = [tensor for name, tensor in tensors.items() if "lora_B" in name]
    if updates and all(tensor.is_zero() for tensor in updates):
        yield TrapFinding("adapter-changes-nothing", str(weights), f"all {len(updates)} matrices B are zero")
    stated = (record or {}).get("weights")
    if isinstance(stated, str) and stated != sha256_of_file(weights):
        yield TrapFinding(
            "adapter-unfinished", str(weights), f"its hash is not the one that {TRAINING_RECORD} states", "train again"
        )


def _check_base(folder: Path, trained_on: dict[str, Any], base: Path | None) -> Iterator[TrapFinding]:
    name = str(trained_on.get("name"))
    if base is None and name != EMBEDDED:
        return
    try:
        content = content_hash(base or BASE_FOLDER)
    except MissingInputError:
        return  # the base's own check says so
    if trained_on.get("content") != content:
        used_with = EMBEDDED if base is None or base == BASE_FOLDER else base.name
        yield TrapFinding(
            "other-base",
            f"{folder / TRAINING_RECORD}: base",
            f"trained on {name} ({str(trained_on.get('content'))[:12]}…), used with {used_with} ({content[:12]}…)",
        )


def _check_template(folder: Path, base: Path | None) -> Iterator[TrapFinding]:
    """Compare the chat template that a trainer saved beside an adapter with the base's."""
    if base is None:
        return
    expected = {answer_begin(template) for template in templates_of(base).values()}
    for name, template in templates_of(folder).items():
        begin = answer_begin(template)
        if expected and begin not in expected:
            problem = f"an answer begins with {begin!r}, in the base with {expected.pop()!r}"
            yield TrapFinding("template-version", str(folder / name), problem)
