"""Runs inside PaddleFormers' own process, loaded there by ``custom_register_path``; imported nowhere else.

It makes PaddleFormers learn exactly what was encoded for it: our tokens, images as they are, and weights in the loss;
and it reports every step through Dagster Pipes. PaddleFormers left to itself turns every tenth image by a right angle
without turning the answer, and drops a sample that it cannot read; here such a sample ends the run.
"""

from __future__ import annotations

import atexit
import os
from typing import Any, NoReturn

import numpy as np
import paddle
from dagster_pipes import PipesContext, open_dagster_pipes
from paddleformers.cli.train.sft import workflow
from paddleformers.datasets.SFTDataset import BaseSFTDataset, Sequence
from paddleformers.nn.criterion import sft_loss
from paddleformers.transformers.paddleocr_vl.modeling import PaddleOCRVLForConditionalGeneration

_IGNORED_LABEL = -100
_REPORTED = {"loss": "loss", "learning_rate": "learning_rate", "grad_norm": "gradient_norm"}  # PaddleFormers' names


def install() -> None:
    """Put our reading, weighing and reporting in the places of PaddleFormers' own."""
    BaseSFTDataset._process_sft_sequence = _sequence
    collate = workflow.mm_collate_fn
    workflow.mm_collate_fn = lambda batch, **settings: _with_weights(collate(batch, **settings), batch)
    forward, weigh = PaddleOCRVLForConditionalGeneration.forward, sft_loss.sft_postprocess_loss

    def weighted_forward(self: Any, *args: Any, loss_weights: Any = None, **inputs: Any) -> Any:
        object.__setattr__(self.criterion, "loss_weights", loss_weights)
        return forward(self, *args, **inputs)

    def weighted_mean(self: Any, losses: Any, labels: Any, mask: Any, **settings: Any) -> Any:
        weights = getattr(self, "loss_weights", None)  # the mask that a mean is taken over may hold any weights
        return weigh(self, losses, labels, mask if weights is None else weights, **settings)

    PaddleOCRVLForConditionalGeneration.forward = weighted_forward
    sft_loss.sft_postprocess_loss = weighted_mean
    add_lora = workflow.create_peft_model  # what is called with the loaded model, LoRA or not
    workflow.create_peft_model = lambda *settings: add_lora(*settings[:-1], _tied(settings[-1]))
    if os.environ.get("PADDLE_TRAINER_ID", "0") == "0":
        _report_to(open_dagster_pipes())


def _tied(model: Any) -> Any:
    """Make head and embeddings one parameter where they are one in the base; Paddle's own tie transposes the head."""
    if model.config.finscribe_tied:
        model.lm_head.weight = model.model.embed_tokens.weight
    return model


def _sequence(self: Any, example: dict[str, Any], _count: int) -> Sequence:
    """Return a line of our JSON as PaddleFormers holds a sample; labels and weights are those of the next token."""
    try:
        images = self.template.mm_plugin
        if hasattr(images, "image_augmentation"):
            del images.image_augmentation
        shown = images.get_mm_inputs(
            example["images"],
            [],
            [],
            self.processor,
            imglens=[len(example["images"])],
            vidlens=[0],
            audlens=[0],
            batch_ids=None,
            messages=example["messages"],
            dtype=self.dtype,
        )
        merged = self.processor.image_processor.merge_size**2
        places = [int(np.prod(np.asarray(grid))) // merged for grid in shown["image_grid_thw"]]
        image = self.tokenizer.convert_tokens_to_ids(images.image_token)
        prompt: list[int] = []
        for token in example["prompt_tokens"]:
            prompt += [image] * places.pop(0) if token == image else [token]
        tokens, answer = prompt + example["answer_tokens"], example["answer_tokens"]
        if len(tokens) != example["length"] or places:
            raise ValueError(f"{len(tokens)} tokens where {example['length']} were meant: images were sized otherwise")
    except Exception as error:  # noqa: BLE001 - what called this would go on without the sample, and say so in a log at most
        _end(f"{example.get('id')}: {error!r}")
    sequence = Sequence(
        token_ids=tokens,
        position_ids=list(range(len(tokens))),
        num_examples=1,
        labels=[_IGNORED_LABEL] * (len(prompt) - 1) + answer + [_IGNORED_LABEL],
        images=example["images"],
        mm_inputs=shown,
    )
    weights = example["weights"] or [1.0] * len(answer)
    sequence.loss_weights = [0.0] * (len(prompt) - 1) + weights + [0.0]
    return sequence


def _end(problem: str) -> NoReturn:
    print(f"finscribe: {problem}", flush=True)  # noqa: T201
    os._exit(1)


def _with_weights(inputs: dict[str, Any], batch: list[list[Sequence]]) -> dict[str, Any]:
    """Add the weights of a batch's tokens, padded on the right as its labels are."""
    weights = np.zeros(inputs["labels"].shape, "float32")
    for row, group in enumerate(batch):
        joined = [weight for sequence in group for weight in sequence.loss_weights]
        weights[row, : len(joined)] = joined
    return {**inputs, "loss_weights": paddle.to_tensor(weights)}


def _report_to(pipes: PipesContext) -> None:
    atexit.register(pipes.close)
    log = workflow.SFTTrainer.log

    def report(self: Any, logs: dict[str, float], **settings: Any) -> None:
        if "loss" in logs:
            step = {ours: float(logs[theirs]) for theirs, ours in _REPORTED.items() if theirs in logs}
            number, steps = int(self.state.global_step), int(self.state.max_steps)
            pipes.report_custom_message({"step": number, "steps": steps, **step})
            pipes.log.info(f"step {number} of {steps}: loss {step['loss']:.4f}")
        log(self, logs, **settings)

    workflow.SFTTrainer.log = report


install()
