"""The real model's size, without its weights: what the preset adapts, what a step costs, and that it learns."""

import resource

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import PaddleOCRVLConfig, PaddleOCRVLForConditionalGeneration
from transformers.initialization import no_init_weights

from finscribe_assets.training.adapter_config import load_preset
from finscribe_assets.training.weighted_loss import summed_loss


def full_size() -> PaddleOCRVLForConditionalGeneration:
    """Return the architecture of the library's own defaults in bfloat16, with random weights.

    The weights are cut from one pool of random numbers: to draw 800 million one by one takes minutes.
    """
    torch.set_default_dtype(torch.bfloat16)
    try:
        with no_init_weights():
            model = PaddleOCRVLForConditionalGeneration(PaddleOCRVLConfig())
    finally:
        torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    pool = 0.02 * torch.randn(1_000_003)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                rolled = pool.roll(int(torch.randint(len(pool), ())))  # or rows of two matrices would be alike
                weight.copy_(rolled.repeat(weight.numel() // len(pool) + 1)[: weight.numel()].view_as(weight))
            else:
                weight.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return model


@pytest.fixture(scope="module")
def adapted():
    settings = load_preset("paddleformers-lora")
    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules=settings.target_modules)
    return get_peft_model(full_size(), lora), settings


@pytest.mark.slow
def test_the_adapter_lies_on_every_linear_layer_and_on_nothing_else(adapted):
    model, settings = adapted
    base = model.get_base_model()
    linear = {name for name, module in base.named_modules() if hasattr(module, "lora_A")}
    config = base.config
    language = 7 * config.text_config.num_hidden_layers  # q, k, v, o, gate, up, down
    vision = 6 * config.vision_config.num_hidden_layers  # q, k, v, out, fc1, fc2
    assert len(linear) == language + vision + 2  # and the projector's two
    assert not any("embed" in name or "lm_head" in name or "head." in name for name in linear)
    trained = {name: weight.numel() for name, weight in model.named_parameters() if weight.requires_grad}
    assert all("lora_" in name for name in trained)
    by_layer = sum(
        settings.rank * (module.in_features + module.out_features)
        for name, module in base.named_modules()
        if name in linear
    )
    assert sum(trained.values()) == by_layer
    assert 0.7e9 < sum(weight.numel() for weight in base.parameters()) < 1.1e9


@pytest.mark.slow
def test_two_steps_in_bf16_lower_the_loss_of_a_repeated_batch(adapted, record_property):
    model, settings = adapted
    config = model.get_base_model().config
    torch.manual_seed(1)
    rows, columns = 2, 8  # patches: a line of 28 × 112 pixels; without AVX-512 each row of bfloat16 takes seconds
    image = rows * columns // config.vision_config.spatial_merge_size**2
    answer = torch.randint(1000, 2000, (8,))
    head = torch.tensor([5, *[config.image_token_id] * image, 6, 7])
    ids = torch.cat([head, answer])[None]
    labels = torch.full_like(ids, -100)
    labels[0, -len(answer) :] = answer
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == config.image_token_id).int(),
        "pixel_values": torch.randn(rows * columns, 3, 14, 14).bfloat16(),
        "image_grid_thw": torch.tensor([[1, rows, columns]]),
    }
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=settings.learning_rate, betas=settings.adam_betas)

    def loss() -> torch.Tensor:
        return summed_loss(model, dict(inputs), labels, torch.autocast("cpu", torch.bfloat16)) / len(answer)

    losses = []
    for _ in range(2):
        before = loss()
        losses.append(float(before.detach()))
        before.backward()
        torch.nn.utils.clip_grad_norm_(weights, settings.gradient_clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    with torch.no_grad():
        losses.append(float(loss()))
    assert losses[0] > losses[1] > losses[2] > 0
    record_property("losses", losses)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    record_property("peak_memory_gib", round(peak, 2))

    assert peak < 12
