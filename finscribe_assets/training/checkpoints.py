"""Checkpoints of an adapter's training: weights, optimiser and random state as safetensors, the history as JSON.

A checkpoint counts only when ``latest.json`` names it, and this file is written last. So a training that is killed at
any moment finds a whole checkpoint: the new one, or the one before.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from finscribe_assets.files import read_json, remove_folder, write_json
from finscribe_assets.model.weights import set_weights, storable
from finscribe_assets.training.training_history import TrainingHistory

LATEST_FILE = "latest.json"


def save_checkpoint(
    folder: Path,
    fingerprint: str,
    history: TrainingHistory,
    trained: dict[str, nn.Parameter],
    optimiser: torch.optim.Optimizer,
    *,
    best: dict[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint, make it the latest, and remove the one before.

    Args:
        folder: of all checkpoints of a training.
        fingerprint: identifies settings and data; only a training with the same one resumes from the checkpoint.
        history: steps and metrics so far.
        trained: the trained parameters by name.
        optimiser: of these parameters.
        best: weights of ``history.best_step``, if the training keeps them.
    """
    checkpoint = folder / f"step-{history.step:06d}"
    remove_folder(checkpoint)  # a killed training may have left half of it
    checkpoint.mkdir(parents=True)
    save_file(storable(dict(trained)), checkpoint / "weights.safetensors")
    state = {
        f"{index}.{slot}": torch.as_tensor(value)
        for index, slots in optimiser.state_dict()["state"].items()
        for slot, value in slots.items()
    }
    save_file(storable(state), checkpoint / "optimiser.safetensors")
    random = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        random["cuda"] = torch.cuda.get_rng_state()
    save_file(random, checkpoint / "random.safetensors")
    if best is not None:
        save_file(best, checkpoint / "best.safetensors")
    write_json(
        folder / LATEST_FILE,
        {
            "checkpoint": checkpoint.name,
            "fingerprint": fingerprint,
            "step": history.step,
            "best_step": history.best_step,
            "metrics": history.metrics,
        },
    )
    for other in folder.glob("step-*"):
        if other.name != checkpoint.name:
            remove_folder(other)


def load_checkpoint(
    folder: Path,
    fingerprint: str,
    trained: dict[str, nn.Parameter],
    optimiser: torch.optim.Optimizer,
) -> tuple[TrainingHistory, dict[str, Tensor] | None] | None:
    """Set weights, optimiser and random state to those of the latest checkpoint.

    Returns:
        The checkpoint's history and best weights. None if there is no checkpoint, or one with another fingerprint:
        then nothing is changed.
    """
    if not (folder / LATEST_FILE).exists():
        return None
    latest = read_json(folder / LATEST_FILE)
    if latest["fingerprint"] != fingerprint:
        return None
    checkpoint = folder / latest["checkpoint"]
    set_weights(trained, load_file(checkpoint / "weights.safetensors"))
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in load_file(checkpoint / "optimiser.safetensors").items():
        index, slot = key.split(".", 1)
        slots.setdefault(int(index), {})[slot] = value
    optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
    random = load_file(checkpoint / "random.safetensors")
    torch.set_rng_state(random["cpu"])
    if "cuda" in random and torch.cuda.is_available():
        torch.cuda.set_rng_state(random["cuda"])
    best = load_file(checkpoint / "best.safetensors") if latest["best_step"] is not None else None
    return TrainingHistory(latest["step"], latest["metrics"], latest["best_step"]), best
