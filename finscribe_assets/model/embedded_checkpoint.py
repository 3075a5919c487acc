"""The embedded base's folder, how a checkpoint is loaded from a folder, and the hash that identifies it.

What belongs here: files of one checkpoint. Bases by name are in `bases`, adapters in `adapters`.
"""

from __future__ import annotations

import torch
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLProcessor

from finscribe_assets.files import AnyPath, local_folder
from finscribe_assets.model.checkpoint_files import BASE_FOLDER, CARD, SCORES, WEIGHTS, checked_folder, content_hash
from finscribe_assets.model.quiet_loading import quiet_transformers

__all__ = ["BASE_FOLDER", "CARD", "SCORES", "WEIGHTS", "content_hash", "load_base", "load_processor"]


def load_base(folder: AnyPath = BASE_FOLDER, dtype: torch.dtype = torch.float32) -> PaddleOCRVLForConditionalGeneration:
    """Load the model of a checkpoint folder in evaluation mode.

    Args:
        folder: local or remote; the embedded base unless given.
        dtype: type that the stored weights (bfloat16 in the embedded base) are converted to.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    with local_folder(checked_folder(folder)) as local, quiet_transformers():
        return PaddleOCRVLForConditionalGeneration.from_pretrained(local, dtype=dtype).eval()


def load_processor(folder: AnyPath = BASE_FOLDER) -> PaddleOCRVLProcessor:
    """Load the processor of a checkpoint folder: tokenizer, chat template and image processor.

    Raises:
        MissingInputError: the folder holds no checkpoint.
    """
    with local_folder(checked_folder(folder)) as local, quiet_transformers():
        return PaddleOCRVLProcessor.from_pretrained(local)
