"""The embedded base as it is shipped: where it lies, how it is loaded, and what identifies it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLProcessor
from transformers.utils import logging

from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import AnyPath, local_folder, sha256_of_file

# Loading two million weights needs no bar, and the note on `mrope_section` is about a key that the architecture reads.
logging.disable_progress_bar()
logging.set_verbosity_error()

BASE_FOLDER = Path(__file__).parent / "embedded"
WEIGHTS, CARD, SCORES = "model.safetensors", "README.md", "scores.json"


def load_base(folder: AnyPath = BASE_FOLDER, dtype: torch.dtype = torch.float32) -> PaddleOCRVLForConditionalGeneration:
    """Return the base's model in evaluation mode, its bf16 weights widened to ``dtype``.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    with local_folder(_checked(folder)) as local:
        return PaddleOCRVLForConditionalGeneration.from_pretrained(local, dtype=dtype).eval()


def load_processor(folder: AnyPath = BASE_FOLDER) -> PaddleOCRVLProcessor:
    """Return the base's processor: tokenizer, chat template and the image processor that needs no torchvision.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    with local_folder(_checked(folder)) as local:
        return PaddleOCRVLProcessor.from_pretrained(local)


def content_hash(folder: AnyPath = BASE_FOLDER) -> str:
    """Return the SHA-256 over the names and hashes of every file that loading reads, so not of card and scores."""
    digest, checked = hashlib.sha256(), _checked(folder)
    for name in sorted(path.name for path in checked.iterdir()):
        if name not in (CARD, SCORES) and (checked / name).is_file():
            digest.update(f"{name} {sha256_of_file(checked / name)}\n".encode())
    return digest.hexdigest()


def _checked(folder: AnyPath) -> AnyPath:
    if not (folder / WEIGHTS).exists():
        raise MissingInputError(
            f"{folder}: no {WEIGHTS} here; run `finscribe pretrain-base` to make a base, "
            "or name a folder that holds one"
        )
    return folder
