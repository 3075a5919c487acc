"""Checkpoints of an adapter's training: weights, optimiser and random state as safetensors, the position as JSON.

A checkpoint counts once ``latest.json`` names it, which is written last; a run that is killed at any moment finds the
one before, or the new one, whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from finscribe_assets.files import read_json, remove_folder, write_json
from finscribe_assets.model.weights import set_weights, storable

LATEST = "latest.json"


@dataclass(frozen=True)
class Position:
    """How far a training is, and all it has recorded so far."""

    step: int
    metrics: list[dict[str, Any]]
    best_step: int | None = None  # of the lowest validation loss, whose weights are kept as well


def save_checkpoint(
    folder: Path,
    fingerprint: str,
    position: Position,
    trained: dict[str, nn.Parameter],
    optimiser: torch.optim.Optimizer,
    *,
    best: dict[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint, make it the latest, and remove the one before."""
    place = folder / f"step-{position.step:06d}"
    remove_folder(place)  # a killed run may have left half of it
    place.mkdir(parents=True)
    save_file(storable(dict(trained)), place / "weights.safetensors")
    state = {
        f"{index}.{slot}": torch.as_tensor(value)
        for index, slots in optimiser.state_dict()["state"].items()
        for slot, value in slots.items()
    }
    save_file(storable(state), place / "optimiser.safetensors")
    random = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        random["cuda"] = torch.cuda.get_rng_state()
    save_file(random, place / "random.safetensors")
    if best is not None:
        save_file(best, place / "best.safetensors")
    write_json(
        folder / LATEST,
        {
            "checkpoint": place.name,
            "fingerprint": fingerprint,
            "step": position.step,
            "best_step": position.best_step,
            "metrics": position.metrics,
        },
    )
    for other in folder.glob("step-*"):
        if other.name != place.name:
            remove_folder(other)


def load_checkpoint(
    folder: Path,
    fingerprint: str,
    trained: dict[str, nn.Parameter],
    optimiser: torch.optim.Optimizer,
) -> tuple[Position, dict[str, Tensor] | None] | None:
    """Set weights, optimiser and random state to the latest checkpoint's; return its position and best weights.

    Returns None, and changes nothing, where there is no checkpoint or it is of other settings or other data.
    """
    if not (folder / LATEST).exists():
        return None
    latest = read_json(folder / LATEST)
    if latest["fingerprint"] != fingerprint:
        return None
    place = folder / latest["checkpoint"]
    set_weights(trained, load_file(place / "weights.safetensors"))
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in load_file(place / "optimiser.safetensors").items():
        index, slot = key.split(".", 1)
        slots.setdefault(int(index), {})[slot] = value
    optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
    random = load_file(place / "random.safetensors")
    torch.set_rng_state(random["cpu"])
    if "cuda" in random and torch.cuda.is_available():
        torch.cuda.set_rng_state(random["cuda"])
    best = load_file(place / "best.safetensors") if latest["best_step"] is not None else None
    return Position(latest["step"], latest["metrics"], latest["best_step"]), best
