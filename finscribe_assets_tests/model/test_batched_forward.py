"""The pass for equally wide lines against transformers' own: tokens, pixels, logits and text."""

import numpy as np
import pytest
import torch
from PIL import Image

from finscribe_assets.instructions.pair import OCR_PROMPT
from finscribe_assets.model.architecture import build_model, build_processor
from finscribe_assets.model.batched_forward import (
    IGNORED_LABEL,
    response_logits,
    response_loss,
    to_patches,
    tokenise,
    vision_forward,
)
from finscribe_assets.model.decoding import read_lines
from finscribe_assets.model.tokenizer import build_tokenizer

TOKENIZER = build_tokenizer()
PROCESSOR = build_processor(TOKENIZER)
ANSWERS = ["1.234,50 €", "INV-2024-007", "x", "Größe M, blau"]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return build_model(TOKENIZER).eval()


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, (len(ANSWERS), 28, 140), dtype=np.uint8)


def _chat(line: np.ndarray, answer: str | None):
    user = {
        "role": "user",
        "content": [
            {"type": "image", "image": Image.fromarray(line).convert("RGB")},
            {"type": "text", "text": OCR_PROMPT},
        ],
    }
    turns = [user] if answer is None else [user, {"role": "assistant", "content": [{"type": "text", "text": answer}]}]
    return PROCESSOR.apply_chat_template(
        [turns], tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=answer is None
    )


def test_tokens_and_labels_are_the_chat_templates(pixels):
    batch = tokenise(TOKENIZER, OCR_PROMPT, ANSWERS, 5)
    for row, answer in enumerate(ANSWERS):
        whole, prompt = _chat(pixels[row], answer)["input_ids"][0], _chat(pixels[row], None)["input_ids"][0]
        assert batch.ids[row, : len(whole)].tolist() == whole.tolist()
        assert (batch.ids[row, len(whole) :] == TOKENIZER.pad_token_id).all()
        assert batch.prompt_length == len(prompt)
        assert batch.labels[row, len(prompt) : len(whole)].tolist() == whole[len(prompt) :].tolist()
        assert (batch.labels[row, : len(prompt)] == IGNORED_LABEL).all()
        assert (batch.labels[row, len(whole) :] == IGNORED_LABEL).all()
        assert TOKENIZER.decode(whole[len(prompt) :]) == f"{answer}</s>"
    assert tokenise(TOKENIZER, OCR_PROMPT, None, 5, 1).ids[0].tolist() == prompt.tolist()


def test_patches_are_the_image_processors(pixels):
    patches, rows, columns = to_patches(pixels)
    theirs = _chat(pixels[0], None)
    assert theirs["image_grid_thw"].tolist() == [[1, rows, columns]]
    assert torch.allclose(patches[0], theirs["pixel_values"].flatten(1), atol=1e-5)


@pytest.mark.parametrize("width", [28, 140, 560])
def test_logits_are_the_models_own(model, width):
    pixels = np.random.default_rng(width).integers(0, 256, (len(ANSWERS), 28, width), dtype=np.uint8)
    with torch.no_grad():
        vision = vision_forward(model.model, pixels)
        batch = tokenise(TOKENIZER, OCR_PROMPT, ANSWERS, vision.embeddings.shape[1])
        logits, labels = response_logits(model, batch, vision)
        for row, answer in enumerate(ANSWERS):
            theirs = model(**_chat(pixels[row], answer)).logits[0, batch.prompt_length - 1 : -1]
            assert theirs.std() > 0.05, "logits that are all alike would agree by themselves"
            assert torch.allclose(logits[row, : len(theirs)], theirs, atol=2e-4)
    assert labels.shape == logits.shape[:2]


def test_the_loss_is_the_models_own(model, pixels):
    batch = tokenise(TOKENIZER, OCR_PROMPT, ANSWERS[:1], 5)
    chat = _chat(pixels[0], ANSWERS[0])
    with torch.no_grad():
        vision = vision_forward(model.model, pixels[:1])
        ours = response_loss(*response_logits(model, batch, vision))
        assert torch.isclose(ours, model(**chat, labels=batch.labels).loss, atol=1e-4)


def test_a_frozen_tower_gets_no_gradient_and_the_projector_does(model, pixels):
    vision = vision_forward(model.model, pixels, frozen=True)
    vision.embeddings.sum().backward()
    assert all(weight.grad is None for weight in model.model.visual.parameters())
    assert model.model.projector.linear_1.weight.grad is not None
    model.zero_grad(set_to_none=True)


def test_reading_keeps_the_order_over_widths_and_gives_a_probability_a_token(model):
    random = np.random.default_rng(5)
    lines = [random.integers(0, 256, (28, width), dtype=np.uint8) for width in (84, 28, 84, 56)]
    together = read_lines(model, TOKENIZER, lines)
    for reading, line in zip(together, lines, strict=True):
        alone = read_lines(model, TOKENIZER, [line])[0]
        assert reading.text == alone.text
        assert reading.probabilities == pytest.approx(alone.probabilities, abs=1e-4)
        assert all(0 < chance <= 1 for chance in reading.probabilities)
