"""A plugin that runs inside PaddleFormers' own process, which loads it by ``custom_register_path``.

It makes PaddleFormers train exactly what was encoded for it: our tokens, unchanged images, and token weights in the
loss. It reports every step through Dagster Pipes. By itself PaddleFormers turns every tenth image by a right angle
without changing the response, and drops samples that it cannot read; with this plugin such a sample ends the run.

Nothing of FinScribe can be imported here: it is not installed in Paddle's environment.
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
    """Replace PaddleFormers' reading of samples and its loss, and hook into its log."""
    BaseSFTDataset._process_sft_sequence = _sequence
    collate = workflow.mm_collate_fn
    workflow.mm_collate_fn = lambda batch, **settings: _with_weights(collate(batch, **settings), batch)
    forward, mean_loss = PaddleOCRVLForConditionalGeneration.forward, sft_loss.sft_postprocess_loss

    def weighted_forward(self: Any, *args: Any, loss_weights: Any = None, **inputs: Any) -> Any:
        object.__setattr__(self.criterion, "loss_weights", loss_weights)
        return forward(self, *args, **inputs)

    def weighted_mean(self: Any, losses: Any, labels: Any, mask: Any, **settings: Any) -> Any:
        weights = getattr(self, "loss_weights", None)  # the mask of a masked mean may hold any weights
        return mean_loss(self, losses, labels, mask if weights is None else weights, **settings)

    PaddleOCRVLForConditionalGeneration.forward = weighted_forward
    sft_loss.sft_postprocess_loss = weighted_mean
    add_lora = workflow.create_peft_model  # called with the loaded model, for full fine-tuning as well
    workflow.create_peft_model = lambda *settings: add_lora(*settings[:-1], _tied(settings[-1]))
    if os.environ.get("PADDLE_TRAINER_ID", "0") == "0":
        _report_to(open_dagster_pipes())


def _tied(model: Any) -> Any:
    """Make head and embeddings one parameter if they are one in the base; Paddle's own tie transposes the head."""
    if model.config.finscribe_tied:
        model.lm_head.weight = model.model.embed_tokens.weight
    return model


def _sequence(self: Any, example: dict[str, Any], _count: int) -> Sequence:
    """Convert a record of data.jsonl to PaddleFormers' sample; a token's label and weight are those of the next one."""
    try:
        images = self.template.mm_plugin
        if hasattr(images, "image_augmentation"):
            del images.image_augmentation
        image_inputs = images.get_mm_inputs(
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
        image_lengths = [int(np.prod(np.asarray(grid))) // merged for grid in image_inputs["image_grid_thw"]]
        image = self.tokenizer.convert_tokens_to_ids(images.image_token)
        prompt: list[int] = []
        for token in example["prompt_tokens"]:
            prompt += [image] * image_lengths.pop(0) if token == image else [token]
        tokens, answer = prompt + example["answer_tokens"], example["answer_tokens"]
        if len(tokens) != example["length"] or image_lengths:
            raise ValueError(
                f"{len(tokens)} tokens instead of {example['length']}: Paddle resized an image differently"
            )
    except Exception as error:  # noqa: BLE001 - PaddleFormers would drop the sample and go on
        _exit(f"{example.get('id')}: {error!r}")
    sequence = Sequence(
        token_ids=tokens,
        position_ids=list(range(len(tokens))),
        num_examples=1,
        labels=[_IGNORED_LABEL] * (len(prompt) - 1) + answer + [_IGNORED_LABEL],
        images=example["images"],
        mm_inputs=image_inputs,
    )
    weights = example["weights"] or [1.0] * len(answer)
    sequence.loss_weights = [0.0] * (len(prompt) - 1) + weights + [0.0]
    return sequence


def _exit(problem: str) -> NoReturn:
    print(f"finscribe: {problem}", flush=True)  # noqa: T201
    os._exit(1)


def _with_weights(inputs: dict[str, Any], batch: list[list[Sequence]]) -> dict[str, Any]:
    """Add a batch's token weights (samples, tokens), padded on the right like its labels."""
    weights = np.zeros(inputs["labels"].shape, "float32")
    for row, group in enumerate(batch):
        joined = [weight for sequence in group for weight in sequence.loss_weights]
        weights[row, : len(joined)] = joined
    return {**inputs, "loss_weights": paddle.to_tensor(weights)}


def _report_to(pipes: PipesContext) -> None:
    """Report every step that PaddleFormers logs."""
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
