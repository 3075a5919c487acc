"""PaddleOCR-VL's architecture at about 2 million parameters, with random weights, and its processor.

What belongs here: sizes, initialisation and the image processor's settings. The tokenizer is in `tokenizer`.
"""

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

from finscribe_assets.model.quiet_loading import quiet_transformers
from finscribe_assets.model.tokenizer import CHAT_TEMPLATE, IMAGE_END_TOKEN, IMAGE_START_TOKEN, IMAGE_TOKEN

PATCH_SIZE, MERGE_SIZE = 14, 2  # pixels of a patch's side; patches of a merged patch's side, which is one image token
VISION_SETTINGS = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 4}
LANGUAGE_SETTINGS = {
    "hidden_size": 160,
    "intermediate_size": 448,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}
MAX_POSITIONS = 1024  # tokens of a chat, image tokens included


def build_model(tokenizer: PreTrainedTokenizerFast) -> PaddleOCRVLForConditionalGeneration:
    """Build the model with fresh weights, drawn from torch's random generator."""
    half = LANGUAGE_SETTINGS["head_dim"] // 2
    side = 3 * half // 8  # rotary dimensions for height, and as many for width; the rest are for time
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [half - 2 * side, side, side]}
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    text: dict[str, Any] = dict(
        LANGUAGE_SETTINGS,
        vocab_size=len(tokenizer),
        max_position_embeddings=MAX_POSITIONS,
        rope_parameters=rope,
        tie_word_embeddings=True,
        **ids,
    )
    vision = dict(VISION_SETTINGS, patch_size=PATCH_SIZE, image_size=PATCH_SIZE * 16, spatial_merge_size=MERGE_SIZE)
    with quiet_transformers():
        config = PaddleOCRVLConfig(
            text_config=text,
            vision_config=vision,
            image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
            video_token_id=len(tokenizer) + 1,  # outside the vocabulary: this model takes no videos
            vision_start_token_id=tokenizer.convert_tokens_to_ids(IMAGE_START_TOKEN),
            vision_end_token_id=tokenizer.convert_tokens_to_ids(IMAGE_END_TOKEN),
            tie_word_embeddings=True,
        )
        model = PaddleOCRVLForConditionalGeneration(config)
    model.generation_config.update(**ids)
    _initialise(model)
    return model


def _initialise(model: nn.Module) -> None:
    """Draw weights scaled by fan-in: the library's standard deviation of 0.02 is far too small at a width of 128."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name != "lm_head":
            # Layers that write into the residual stream start at half the scale.
            writes = name.endswith(("o_proj", "out_proj", "down_proj", "fc2"))
            nn.init.normal_(module.weight, std=module.in_features**-0.5 * (0.5 if writes else 1.0))
        elif isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=(module.in_channels * module.kernel_size[0] ** 2) ** -0.5)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.05)


def build_processor(tokenizer: PreTrainedTokenizerFast, max_pixels: int = 28 * 28 * 256) -> PaddleOCRVLProcessor:
    """Build the processor, with the image processor that needs no torchvision.

    Args:
        tokenizer: from `build_tokenizer`.
        max_pixels: larger images are scaled down to this number of pixels; the smallest accepted image is 28 × 28.
    """
    image_processor = PaddleOCRVLImageProcessorPil(
        patch_size=PATCH_SIZE,
        merge_size=MERGE_SIZE,
        temporal_patch_size=1,
        size={"shortest_edge": (PATCH_SIZE * MERGE_SIZE) ** 2, "longest_edge": max_pixels},
    )
    return PaddleOCRVLProcessor(image_processor=image_processor, tokenizer=tokenizer, chat_template=CHAT_TEMPLATE)
