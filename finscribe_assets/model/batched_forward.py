"""A forward pass for batches of equally wide line images, without transformers' loop over images.

transformers runs the vision tower's attention image by image and computes positions token by token. A batch of images
of one size needs neither: pretraining and reading are several times faster here, with the model's own weights and
arithmetic. A test compares both passes.

What belongs here: tokens, patches, the vision tower, logits and loss of such a batch. Not here: images of mixed sizes
(`training.sample_encoding` and the model's own forward pass) and decoding (`decoding`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLModel, PreTrainedTokenizerFast

from finscribe_assets.model.architecture import MERGE_SIZE, PATCH_SIZE
from finscribe_assets.model.tokenizer import BEGIN_TOKEN, IMAGE_END_TOKEN, IMAGE_START_TOKEN, IMAGE_TOKEN

# Normalisation of PaddleOCR-VL's image processor: the statistics of OpenAI's CLIP.
IMAGE_MEAN, IMAGE_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IGNORED_LABEL = -100  # label of tokens without a loss: torch's default `ignore_index`


@dataclass(frozen=True)
class TokenBatch:
    """Chats of one prompt and one image each, padded on the right; all have the same number of prompt tokens."""

    ids: Tensor  # (batch, tokens)
    labels: Tensor  # (batch, tokens); IGNORED_LABEL on the prompt and on padding
    prompt_length: int  # tokens before the response
    image_start: int  # index of the first image token
    image_token_count: int


class VisionOutput(NamedTuple):
    """What the vision tower and the projector compute for a batch of images of one size."""

    features: Tensor  # (images, patches, vision width), of the tower's last layer
    embeddings: Tensor  # (images, patches / MERGE_SIZE², language width), the image tokens of the language model
    rows: int  # of the patch grid
    columns: int


def tokenise(
    tokenizer: PreTrainedTokenizerFast,
    prompt: str,
    responses: list[str] | None,
    image_token_count: int,
    batch_size: int | None = None,
) -> TokenBatch:
    """Tokenise single-turn chats about one image each, as the chat template writes them.

    Args:
        tokenizer: the embedded base's tokenizer.
        prompt: text of the user's turn, the same for the whole batch.
        responses: text of each assistant's turn. None leaves the assistant's turns empty, for generation.
        image_token_count: tokens of each image.
        batch_size: number of chats; for generation only.
    """
    before = tokenizer(f"{BEGIN_TOKEN}User: {IMAGE_START_TOKEN}", add_special_tokens=False).input_ids
    after = tokenizer(f"{IMAGE_END_TOKEN}{prompt}\nAssistant:\n", add_special_tokens=False).input_ids
    head = [*before, *[tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)] * image_token_count, *after]
    if responses is None:
        tails: list[list[int]] = [[]] * (batch_size or 1)
    else:
        tails = [[*tokenizer(text, add_special_tokens=False).input_ids, tokenizer.eos_token_id] for text in responses]
    length = len(head) + max(map(len, tails))
    ids = torch.full((len(tails), length), tokenizer.pad_token_id)  # (batch, tokens)
    labels = torch.full_like(ids, IGNORED_LABEL)
    for row, tail in enumerate(tails):
        end = len(head) + len(tail)
        ids[row, :end] = torch.tensor(head + tail)
        labels[row, len(head) : end] = torch.tensor(tail, dtype=torch.long)
    return TokenBatch(ids, labels, len(head), len(before), image_token_count)


def to_patches(pixels: np.ndarray) -> tuple[Tensor, int, int]:
    """Cut grey images into normalised patches.

    Args:
        pixels: (images, height, width), uint8; height and width are multiples of PATCH_SIZE.

    Returns:
        Patches (images, rows · columns, 3 · PATCH_SIZE²), and the patch grid's rows and columns.
    """
    count, height, width = pixels.shape
    grey = torch.from_numpy(pixels).float().div_(255)
    # (images, 3, height, width)
    colour = torch.stack([(grey - mean) / std for mean, std in zip(IMAGE_MEAN, IMAGE_STD, strict=True)], dim=1)
    rows, columns = height // PATCH_SIZE, width // PATCH_SIZE
    patches = colour.view(count, 3, rows, PATCH_SIZE, columns, PATCH_SIZE).permute(0, 2, 4, 1, 3, 5)
    return patches.reshape(count, rows * columns, 3 * PATCH_SIZE * PATCH_SIZE), rows, columns


def vision_forward(core: PaddleOCRVLModel, pixels: np.ndarray, *, frozen: bool = False) -> VisionOutput:
    """Run the vision tower and the projector.

    Args:
        core: the model below its language modelling head.
        pixels: (images, height, width), uint8.
        frozen: compute no gradients for the tower; the projector still gets its own.
    """
    tower, projector = core.visual.vision_model, core.projector
    patches, rows, columns = to_patches(pixels)  # (images, patches, 3 · PATCH_SIZE²)
    count, length, _ = patches.shape
    with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
        embeddings = tower.embeddings
        convolution = embeddings.patch_embedding
        patches = patches.to(convolution.weight)
        grid_size = torch.tensor([[1, rows, columns]], device=patches.device)
        blank = torch.zeros(1, length, 3, PATCH_SIZE, PATCH_SIZE, device=patches.device)
        # The embedding of a blank image is the convolution's bias plus the interpolated position embedding.
        positions = embeddings(blank, grid_thw=grid_size) - convolution.bias  # (1, patches, vision width)
        hidden = functional.linear(patches, convolution.weight.flatten(1), convolution.bias) + positions
        grid = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).to(patches.device)  # (patches, 2)
        cos, sin = tower.encoder.rotary_pos_emb(hidden, grid)
        for layer in tower.encoder.layers:
            hidden = _vision_layer(layer, hidden, cos[None, None], sin[None, None])
        features = tower.post_layernorm(hidden)  # (images, patches, vision width)
    size = MERGE_SIZE
    merged = projector.pre_norm(features).view(count, rows // size, size, columns // size, size, -1)
    merged = merged.transpose(2, 3).reshape(count, length // size**2, -1)  # (images, merged patches, size² · width)
    projected = projector.linear_2(projector.act(projector.linear_1(merged)))
    return VisionOutput(features, projected, rows, columns)


def _vision_layer(layer: Any, hidden: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Run one layer of the vision tower on (images, patches, vision width)."""
    attention = layer.self_attn
    count, length, _ = hidden.shape
    normed = layer.layer_norm1(hidden)

    def heads(projection: Callable[[Tensor], Tensor]) -> Tensor:
        return projection(normed).view(count, length, -1, attention.head_dim).transpose(1, 2)

    def rotated(states: Tensor) -> Tensor:
        first, second = states.chunk(2, dim=-1)
        return states * cos + torch.cat([-second, first], dim=-1) * sin

    mixed = functional.scaled_dot_product_attention(  # (images, heads, patches, head width)
        rotated(heads(attention.q_proj)), rotated(heads(attention.k_proj)), heads(attention.v_proj)
    )
    hidden = hidden + attention.out_proj(mixed.transpose(1, 2).reshape(count, length, -1))
    return hidden + layer.mlp(layer.layer_norm2(hidden))


def _mrope_positions(batch: TokenBatch, rows: int, columns: int) -> Tensor:
    """Return M-RoPE positions (3, batch, tokens) for time, height and width.

    Text advances all three by one for each token. An image spans its merged grid (rows × columns), and the text after
    it goes on from the grid's longer side.
    """
    count, length = batch.ids.shape
    start, end = batch.image_start, batch.image_start + batch.image_token_count
    positions = torch.zeros(3, length, dtype=torch.long)
    positions[:, :start] = torch.arange(start)
    positions[0, start:end] = start
    positions[1, start:end] = start + torch.arange(rows).repeat_interleave(columns)
    positions[2, start:end] = start + torch.arange(columns).repeat(rows)
    positions[:, end:] = start + max(rows, columns) + torch.arange(length - end)
    return positions[:, None].expand(3, count, length)


def embed_tokens(
    model: PaddleOCRVLForConditionalGeneration, batch: TokenBatch, vision: VisionOutput
) -> tuple[Tensor, Tensor]:
    """Embed a batch's tokens, with the image embeddings in place of the image tokens.

    Returns:
        Embeddings (batch, tokens, language width) and M-RoPE positions (3, batch, tokens).
    """
    embedded = model.model.language_model.embed_tokens(batch.ids.to(vision.embeddings.device))
    start, end = batch.image_start, batch.image_start + batch.image_token_count
    embedded = torch.cat([embedded[:, :start], vision.embeddings.to(embedded.dtype), embedded[:, end:]], dim=1)
    positions = _mrope_positions(batch, vision.rows // MERGE_SIZE, vision.columns // MERGE_SIZE)
    return embedded, positions.to(embedded.device)


def response_logits(
    model: PaddleOCRVLForConditionalGeneration, batch: TokenBatch, vision: VisionOutput
) -> tuple[Tensor, Tensor]:
    """Run the language model on a batch of chats.

    Rows are padded on the right. A causal model's padding changes nothing before it, so no mask is needed.

    Returns:
        Logits (batch, response tokens, vocabulary) and their labels (batch, response tokens).
    """
    embedded, positions = embed_tokens(model, batch, vision)
    language = model.model.language_model
    hidden = language(inputs_embeds=embedded, position_ids=positions, use_cache=False).last_hidden_state
    return model.lm_head(hidden[:, batch.prompt_length - 1 : -1]), batch.labels[:, batch.prompt_length :]


def response_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy over the response tokens, in nats."""
    return functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED_LABEL)
