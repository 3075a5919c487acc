"""PaddleOCR-VL's own architecture at about 2M parameters, randomly initialised."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import (
    PaddleOCRVLConfig,
    PaddleOCRVLForConditionalGeneration,
    PaddleOCRVLProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.paddleocr_vl.image_processing_pil_paddleocr_vl import PaddleOCRVLImageProcessorPil

from finscribe_assets.model.tokenizer import CHAT_TEMPLATE, IMAGE, IMAGE_END, IMAGE_START

PATCH, MERGE = 14, 2
VISION = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 4}
LANGUAGE = {
    "hidden_size": 160,
    "intermediate_size": 448,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}
MAX_TOKENS = 1024


def build_model(tokenizer: PreTrainedTokenizerFast) -> PaddleOCRVLForConditionalGeneration:
    """Return the model with fresh weights, drawn from torch's generator."""
    half = LANGUAGE["head_dim"] // 2
    side = 3 * half // 8  # of the rotary halves, the share for height and for width; the rest is for time
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [half - 2 * side, side, side]}
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    text: dict[str, Any] = dict(
        LANGUAGE,
        vocab_size=len(tokenizer),
        max_position_embeddings=MAX_TOKENS,
        rope_parameters=rope,
        tie_word_embeddings=True,
        **ids,
    )
    config = PaddleOCRVLConfig(
        text_config=text,
        vision_config=dict(VISION, patch_size=PATCH, image_size=PATCH * 16, spatial_merge_size=MERGE),
        image_token_id=tokenizer.convert_tokens_to_ids(IMAGE),
        video_token_id=len(tokenizer) + 1,  # this model is never shown a video
        vision_start_token_id=tokenizer.convert_tokens_to_ids(IMAGE_START),
        vision_end_token_id=tokenizer.convert_tokens_to_ids(IMAGE_END),
        tie_word_embeddings=True,
    )
    model = PaddleOCRVLForConditionalGeneration(config)
    model.generation_config.update(**ids)
    _initialise(model)
    return model


def _initialise(model: nn.Module) -> None:
    """Draw weights by fan-in: the library's standard deviation of 0.02 is far too small at a width of 128."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name != "lm_head":
            # Layers that write into the residual stream start smaller.
            writes = name.endswith(("o_proj", "out_proj", "down_proj", "fc2"))
            nn.init.normal_(module.weight, std=module.in_features**-0.5 * (0.5 if writes else 1.0))
        elif isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=(module.in_channels * module.kernel_size[0] ** 2) ** -0.5)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.05)


def build_processor(tokenizer: PreTrainedTokenizerFast, max_pixels: int = 28 * 28 * 256) -> PaddleOCRVLProcessor:
    """Return the processor with the image processor that needs no torchvision; images from 28 × 28 pixels are taken."""
    unit = (PATCH * MERGE) ** 2
    images = PaddleOCRVLImageProcessorPil(
        patch_size=PATCH,
        merge_size=MERGE,
        temporal_patch_size=1,
        size={"shortest_edge": unit, "longest_edge": max_pixels},
    )
    return PaddleOCRVLProcessor(image_processor=images, tokenizer=tokenizer, chat_template=CHAT_TEMPLATE)
