"""A checkpoint of the real model's kind, as small as the embedded base: it is shown pages of any size, not lines."""

from pathlib import Path

import torch

from finscribe_assets.model.architecture import build_model, build_processor
from finscribe_assets.model.tokenizer import build_tokenizer

SMALLEST, LARGEST = 28 * 28 * 16, 28 * 28 * 96


def write_page_base(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = build_tokenizer()
    build_model(tokenizer).save_pretrained(folder)
    processor = build_processor(tokenizer, max_pixels=LARGEST)
    size = processor.image_processor.size
    processor.image_processor.size = type(size)(shortest_edge=SMALLEST, longest_edge=LARGEST)
    processor.save_pretrained(folder)
    return folder
