"""The names of a checkpoint's and an adapter's files, and the hash that identifies a checkpoint; torch is not needed.

What belongs here: what can be known of such a folder without loading the model. Loading is in `embedded_checkpoint`,
`bases` and `adapters`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import AnyPath, sha256_of_file

BASE_FOLDER = Path(__file__).parent / "embedded"
WEIGHTS, CARD, SCORES = "model.safetensors", "README.md", "scores.json"
ADAPTER_WEIGHTS, ADAPTER_CONFIG, TRAINING_RECORD = "adapter_model.safetensors", "adapter_config.json", "training.json"
# After full fine-tuning: all parameters under transformers' names. Named unlike peft's file, which peft could not load.
FULL_WEIGHTS = "trained_weights.safetensors"


def content_hash(folder: AnyPath = BASE_FOLDER) -> str:
    """Return a SHA-256 over the names and contents of all files that loading reads.

    The model card and the scores are left out: rewording them leaves the base, and all adapters on it, what they are.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    digest, checked = hashlib.sha256(), checked_folder(folder)
    for name in sorted(path.name for path in checked.iterdir()):
        if name not in (CARD, SCORES) and (checked / name).is_file():
            digest.update(f"{name} {sha256_of_file(checked / name)}\n".encode())
    return digest.hexdigest()


def checked_folder(folder: AnyPath) -> AnyPath:
    """Return a folder after checking that it holds weights.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    if not (folder / WEIGHTS).exists():
        raise MissingInputError(
            f"{folder}: there is no {WEIGHTS}; name a folder that holds a checkpoint, "
            "or make one with `finscribe pretrain-base`"
        )
    return folder
