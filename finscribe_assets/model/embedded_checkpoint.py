"""The embedded base's folder, how a checkpoint is loaded from a folder, and the hash that identifies it.

What belongs here: files of one checkpoint. Bases by name are in `bases`, adapters in `adapters`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLProcessor

from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import AnyPath, local_folder, sha256_of_file
from finscribe_assets.model.quiet_loading import quiet_transformers

BASE_FOLDER = Path(__file__).parent / "embedded"
WEIGHTS, CARD, SCORES = "model.safetensors", "README.md", "scores.json"


def load_base(folder: AnyPath = BASE_FOLDER, dtype: torch.dtype = torch.float32) -> PaddleOCRVLForConditionalGeneration:
    """Load the model of a checkpoint folder in evaluation mode.

    Args:
        folder: local or remote; the embedded base unless given.
        dtype: type that the stored weights (bfloat16 in the embedded base) are converted to.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    with local_folder(_checked(folder)) as local, quiet_transformers():
        return PaddleOCRVLForConditionalGeneration.from_pretrained(local, dtype=dtype).eval()


def load_processor(folder: AnyPath = BASE_FOLDER) -> PaddleOCRVLProcessor:
    """Load the processor of a checkpoint folder: tokenizer, chat template and image processor.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    with local_folder(_checked(folder)) as local, quiet_transformers():
        return PaddleOCRVLProcessor.from_pretrained(local)


def content_hash(folder: AnyPath = BASE_FOLDER) -> str:
    """Return a SHA-256 over the names and contents of all files that loading reads.

    The model card and the scores are left out: rewording them leaves the base, and all adapters on it, what they are.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    digest, checked = hashlib.sha256(), _checked(folder)
    for name in sorted(path.name for path in checked.iterdir()):
        if name not in (CARD, SCORES) and (checked / name).is_file():
            digest.update(f"{name} {sha256_of_file(checked / name)}\n".encode())
    return digest.hexdigest()


def _checked(folder: AnyPath) -> AnyPath:
    if not (folder / WEIGHTS).exists():
        raise MissingInputError(
            f"{folder}: there is no {WEIGHTS}; name a folder that holds a checkpoint, "
            "or make one with `finscribe pretrain-base`"
        )
    return folder
