"""The model's own forward pass for a batch of lines of one size, without its per-image loop.

transformers runs the vision tower's attention image by image, and finds positions token by token; a batch of equally
wide lines needs neither. The weights and the arithmetic are the model's; a test holds both passes against each other.
Used where the base is pretrained, because every per cent of speed there is minutes, and where lines are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLModel, PreTrainedTokenizerFast

from finscribe_assets.model.architecture import MERGE, PATCH
from finscribe_assets.model.tokenizer import BEGIN, IMAGE, IMAGE_END, IMAGE_START

# The image processor's normalisation (OpenAI CLIP's statistics), which PaddleOCR-VL keeps.
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IGNORED = -100


@dataclass(frozen=True)
class TokenBatch:
    """Right-padded rows of ``prompt + answer``, or the prompt alone; every row has the same prompt."""

    ids: Tensor  # rows × tokens
    labels: Tensor  # the same; IGNORED on prompt and padding
    prompt: int  # tokens of the prompt
    image_start: int  # place of the first image token
    image_tokens: int


def tokenise(
    tokenizer: PreTrainedTokenizerFast,
    prompt: str,
    answers: list[str] | None,
    image_tokens: int,
    rows: int | None = None,
) -> TokenBatch:
    """Write a batch of single-turn chats about one image each, as the chat template does.

    Without answers the batch is ``rows`` times the prompt, up to where the model is to answer.
    """
    before = tokenizer(f"{BEGIN}User: {IMAGE_START}", add_special_tokens=False).input_ids
    after = tokenizer(f"{IMAGE_END}{prompt}\nAssistant:\n", add_special_tokens=False).input_ids
    head = [*before, *[tokenizer.convert_tokens_to_ids(IMAGE)] * image_tokens, *after]
    if answers is None:
        tails: list[list[int]] = [[]] * (rows or 1)
    else:
        tails = [[*tokenizer(answer, add_special_tokens=False).input_ids, tokenizer.eos_token_id] for answer in answers]
    length = len(head) + max(map(len, tails))
    ids = torch.full((len(tails), length), tokenizer.pad_token_id)
    labels = torch.full_like(ids, IGNORED)
    for row, tail in enumerate(tails):
        end = len(head) + len(tail)
        ids[row, :end] = torch.tensor(head + tail)
        labels[row, len(head) : end] = torch.tensor(tail, dtype=torch.long)
    return TokenBatch(ids, labels, len(head), len(before), image_tokens)


def to_patches(pixels: np.ndarray) -> tuple[Tensor, int, int]:
    """Cut grey images (n × height × width, uint8) into normalised patches (n × patches × 3·14·14).

    Returns the patches and the grid's rows and columns.
    """
    count, height, width = pixels.shape
    grey = torch.from_numpy(pixels).float().div_(255)
    colour = torch.stack([(grey - mean) / std for mean, std in zip(MEAN, STD, strict=True)], dim=1)
    rows, columns = height // PATCH, width // PATCH
    patches = colour.view(count, 3, rows, PATCH, columns, PATCH).permute(0, 2, 4, 1, 3, 5)
    return patches.reshape(count, rows * columns, 3 * PATCH * PATCH), rows, columns


def see(core: PaddleOCRVLModel, pixels: np.ndarray, *, frozen: bool = False) -> tuple[Tensor, Tensor, int, int]:
    """Run the vision tower and the projector.

    Returns the tower's features (n × patches × width), the image tokens (n × merged patches × language width), and the
    patch grid's rows and columns.
    """
    tower, projector = core.visual.vision_model, core.projector
    patches, rows, columns = to_patches(pixels)
    count, tokens, _ = patches.shape
    with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
        embeddings = tower.embeddings
        convolution = embeddings.patch_embedding
        patches = patches.to(convolution.weight)
        size = torch.tensor([[1, rows, columns]], device=patches.device)
        blank = torch.zeros(1, tokens, 3, PATCH, PATCH, device=patches.device)
        # What the embedding of a blank image adds to the convolution's bias is its interpolated position embedding.
        positions = embeddings(blank, grid_thw=size) - convolution.bias
        hidden = functional.linear(patches, convolution.weight.flatten(1), convolution.bias) + positions
        grid = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).to(patches.device)
        cos, sin = tower.encoder.rotary_pos_emb(hidden, grid)
        for layer in tower.encoder.layers:
            hidden = _vision_layer(layer, hidden, cos[None, None], sin[None, None])
        features = tower.post_layernorm(hidden)
    merged = projector.pre_norm(features).view(count, rows // MERGE, MERGE, columns // MERGE, MERGE, -1)
    merged = merged.transpose(2, 3).reshape(count, tokens // MERGE**2, -1)
    return features, projector.linear_2(projector.act(projector.linear_1(merged))), rows, columns


def _vision_layer(layer: Any, hidden: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    attention = layer.self_attn
    count, tokens, _ = hidden.shape
    normed = layer.layer_norm1(hidden)

    def heads(projection: Callable[[Tensor], Tensor]) -> Tensor:
        return projection(normed).view(count, tokens, -1, attention.head_dim).transpose(1, 2)

    def rotated(states: Tensor) -> Tensor:
        first, second = states.chunk(2, dim=-1)
        return states * cos + torch.cat([-second, first], dim=-1) * sin

    mixed = functional.scaled_dot_product_attention(
        rotated(heads(attention.q_proj)), rotated(heads(attention.k_proj)), heads(attention.v_proj)
    )
    hidden = hidden + attention.out_proj(mixed.transpose(1, 2).reshape(count, tokens, -1))
    return hidden + layer.mlp(layer.layer_norm2(hidden))


def _positions(batch: TokenBatch, rows: int, columns: int) -> Tensor:
    """Return M-RoPE positions (3 × rows of the batch × tokens): text counts on, an image spans its merged grid."""
    count, length = batch.ids.shape
    start, end = batch.image_start, batch.image_start + batch.image_tokens
    positions = torch.zeros(3, length, dtype=torch.long)
    positions[:, :start] = torch.arange(start)
    positions[0, start:end] = start
    positions[1, start:end] = start + torch.arange(rows).repeat_interleave(columns)
    positions[2, start:end] = start + torch.arange(columns).repeat(rows)
    positions[:, end:] = start + max(rows, columns) + torch.arange(length - end)
    return positions[:, None].expand(3, count, length)


def embed_prompt(
    model: PaddleOCRVLForConditionalGeneration, batch: TokenBatch, image_tokens: Tensor, rows: int, columns: int
) -> tuple[Tensor, Tensor]:
    """Return a batch's embeddings (rows × tokens × width) with the image's in their place, and its M-RoPE positions."""
    embedded = model.model.language_model.embed_tokens(batch.ids.to(image_tokens.device))
    start, end = batch.image_start, batch.image_start + batch.image_tokens
    embedded = torch.cat([embedded[:, :start], image_tokens.to(embedded.dtype), embedded[:, end:]], dim=1)
    return embedded, _positions(batch, rows // MERGE, columns // MERGE).to(embedded.device)


def answer_logits(
    model: PaddleOCRVLForConditionalGeneration, batch: TokenBatch, image_tokens: Tensor, rows: int, columns: int
) -> tuple[Tensor, Tensor]:
    """Run the language model; return logits (rows × answer tokens × vocabulary) and the labels they are for.

    Rows are padded on the right, where a causal model's padding changes nothing before it, so no mask is needed.
    """
    embedded, positions = embed_prompt(model, batch, image_tokens, rows, columns)
    language = model.model.language_model
    hidden = language(inputs_embeds=embedded, position_ids=positions, use_cache=False).last_hidden_state
    return model.lm_head(hidden[:, batch.prompt - 1 : -1]), batch.labels[:, batch.prompt :]


def answer_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy over the answers' tokens."""
    return functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED)
