"""Base models by name: the embedded one, a folder, or a repository of the Hugging Face hub.

What belongs here: from a name to the model, its processor and the hash of its content. Adapters are in `adapters`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLProcessor

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import AnyPath, as_path
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER, WEIGHTS, content_hash, load_base, load_processor
from finscribe_assets.model.line_images import LINE_HEIGHT

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# The files that loading reads. Code in a repository is never downloaded, because it is never run.
_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model"]


@dataclass(frozen=True)
class Base:
    """A base model: name, folder and content hash."""

    name: str  # embedded, the hub's name, or the folder's last part: never a path of this machine
    folder: AnyPath
    content: str  # SHA-256, see `embedded_checkpoint.content_hash`

    @property
    def identity(self) -> str:
        """What an adapter records as its base: a hub name as it is, any other name with the content hash."""
        return self.name if _HUB_NAME.fullmatch(self.name) else f"{self.name}@sha256:{self.content}"


def find_base(name: str) -> Base:
    """Find a base by name. A hub repository is downloaded unless it is in the hub's cache.

    Args:
        name: ``embedded``, a folder with a checkpoint, or ``owner/repository`` on the hub.

    Raises:
        MissingInputError: the folder holds no checkpoint.
        UserError: the name is none of the three, or the hub repository cannot be downloaded.
    """
    if name == EMBEDDED:
        return Base(EMBEDDED, BASE_FOLDER, content_hash(BASE_FOLDER))
    folder = as_path(name)
    if folder.exists():
        if not (folder / WEIGHTS).exists():
            raise MissingInputError(f"base: {folder} holds no {WEIGHTS}; name a folder that holds a checkpoint")
        return Base(folder.name, folder, content_hash(folder))
    if not _HUB_NAME.fullmatch(name):
        raise UserError(
            f"base: {name!r} is not a folder here; give {EMBEDDED}, a folder, or a hub name such as "
            "PaddlePaddle/PaddleOCR-VL"
        )
    from huggingface_hub import snapshot_download

    try:
        local = Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except Exception as error:
        raise UserError(
            f"base: {name} is not a folder here, and the hub download failed ({type(error).__name__}: {error}); "
            "download the repository elsewhere and name its folder"
        ) from error
    return Base(name, local, content_hash(local))


def load_model(base: Base, dtype: torch.dtype = torch.float32) -> PaddleOCRVLForConditionalGeneration:
    """Load a base's model in evaluation mode."""
    return load_base(base.folder, dtype)


def processor_for(base: Base, max_pixels: int | None = None) -> PaddleOCRVLProcessor:
    """Load a base's processor.

    Args:
        base: the base.
        max_pixels: scale larger images down to about this number of pixels; the processor's own limit if None.
    """
    processor = load_processor(base.folder)
    if max_pixels is not None:
        size = processor.image_processor.size
        smallest, largest = size["shortest_edge"], size["longest_edge"]
        processor.image_processor.size = type(size)(
            shortest_edge=min(smallest, max_pixels), longest_edge=min(largest, max_pixels)
        )
    return processor


def reads_lines(processor: PaddleOCRVLProcessor) -> bool:
    """Return whether a base reads single printed lines, as the embedded base does, rather than pages and regions.

    The smallest image that a processor accepts tells them apart: one merged patch (28 × 28 pixels) for a base that
    reads lines, 112,896 pixels for PaddleOCR-VL.
    """
    return int(processor.image_processor.size["shortest_edge"]) <= LINE_HEIGHT**2
