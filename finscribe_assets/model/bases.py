"""Base models by name: the embedded one, a folder, or a repository of the Hugging Face hub.

What belongs here: from a name to a model and its processor, and what identifies its weights. Adapters are in
`adapters.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLProcessor

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import (
    AnyPath,
    as_path,
)
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER, WEIGHTS, content_hash, load_base, load_processor
from finscribe_assets.model.line_images import LINE_HEIGHT

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# What a checkpoint is loaded from; code in a repository is never fetched, as it is never run.
_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model"]


@dataclass(frozen=True)
class Base:
    """A base model: its name, where its files lie, and the hash of their content."""

    name: str  # embedded, the hub's name, or the folder's own name: never a path of this machine
    folder: AnyPath
    content: str

    @property
    def identity(self) -> str:
        """Return what an adapter names as its base: a hub's name as it is, else name and content hash."""
        return self.name if _HUB_NAME.fullmatch(self.name) else f"{self.name}@sha256:{self.content}"


def find_base(name: str) -> Base:
    """Return the base of a name; a hub's repository is downloaded, or found in the hub's cache.

    Raises:
        MissingInputError: a folder holds no checkpoint.
        UserError: the name is neither ``embedded`` nor a folder nor ``owner/repository``, or the hub does not give it.
    """
    if name == EMBEDDED:
        return Base(EMBEDDED, BASE_FOLDER, content_hash(BASE_FOLDER))
    folder = as_path(name)
    if folder.exists():
        if not (folder / WEIGHTS).exists():
            raise MissingInputError(f"base: {folder} holds no {WEIGHTS}; name a folder with a checkpoint in it")
        return Base(folder.name, folder, content_hash(folder))
    if not _HUB_NAME.fullmatch(name):
        raise UserError(
            f"base: {name!r} is no folder here; give {EMBEDDED}, a folder, or a hub name like PaddlePaddle/PaddleOCR-VL"
        )
    from huggingface_hub import snapshot_download

    try:
        local = Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except Exception as error:
        raise UserError(
            f"base: {name} is no folder here and could not be had from the hub ({type(error).__name__}: "
            f"{error}); download it elsewhere and name its folder"
        ) from error
    return Base(name, local, content_hash(local))


def load_model(base: Base, dtype: torch.dtype = torch.float32) -> PaddleOCRVLForConditionalGeneration:
    """Return the base's model in evaluation mode."""
    return load_base(base.folder, dtype)


def processor_of(base: Base, max_pixels: int | None = None) -> PaddleOCRVLProcessor:
    """Return the base's processor; with ``max_pixels``, larger images are scaled down to about that many pixels."""
    processor = load_processor(base.folder)
    if max_pixels is not None:
        size = processor.image_processor.size
        smallest, largest = size["shortest_edge"], size["longest_edge"]
        processor.image_processor.size = type(size)(
            shortest_edge=min(smallest, max_pixels), longest_edge=min(largest, max_pixels)
        )
    return processor


def reads_lines(processor: PaddleOCRVLProcessor) -> bool:
    """Tell whether a base reads single printed lines: the embedded ones do, brought to their height by `fit_line`.

    Their processor takes images as small as one merged patch; PaddleOCR-VL's own wants at least 112,896 pixels.
    """
    return int(processor.image_processor.size["shortest_edge"]) <= LINE_HEIGHT**2
