"""How fast an adapter is trained, beside Hugging Face's Trainer on the same base, samples, batch size and LoRA layers.

The Trainer is used as its documentation has it for vision-language models: a data set of chats, and a collator that has
the processor write and pad a batch. Both take turns, a few steps each, on one thread; CPU seconds, the first steps left
out, as are reading pairs and loading the model.

    python benchmarks/training.py
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import Trainer, TrainerCallback, TrainingArguments

from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.instructions.pair import Task
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import LINE_RECIPE
from finscribe_assets.model.bases import find_base, load_model, processor_for
from finscribe_assets.model.batched_forward import IGNORED_LABEL
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.training.adapter_config import load_preset
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets.training.sample_encoding import user_turn
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders, read_samples

WARM = 5  # steps before the clock starts


class Clock:
    """CPU seconds of the steps after the first ones."""

    def __init__(self) -> None:
        self.steps = 0
        self.started = self.now = 0.0

    def step(self) -> None:
        """Count a step."""
        self.steps += 1
        self.now = time.process_time()
        if self.steps == WARM:
            self.started = self.now

    def samples_a_second(self, batch_size: int) -> float:
        """Return samples a CPU second."""
        return batch_size * (self.steps - WARM) / (self.now - self.started)


def data(folder: Path, documents: int) -> SampleSource:
    """Make a small data set of the embedded base's recipe."""
    plan, pool = seed_plan("batch-000", documents, 1, EMBEDDED_RECIPE), LocalShardPool(1)
    synthesize(plan, folder / "documents", pool, shard_size=20)
    render_batch(folder / "documents", folder / "images", pool)
    build_pair_batch(folder / "documents", folder / "images", folder / "pairs", pool, LINE_RECIPE)
    build_data_set([BatchInputs.of_workspace(plan, folder)], plan.key, folder / "splits", hold_out=False)
    return SampleSource(folder / "splits", (TrainingBatchFolders(plan.key, folder / "pairs", folder / "images"),))


def ours(source: SampleSource, steps: int, folder: Path) -> float:
    """Return samples a CPU second of our loop."""
    clock = Clock()
    settings = load_preset("embedded", max_steps=steps, augmentation=0.0, validation_samples=0)
    train_adapter(settings, source, folder / "out", folder / "work", on_step=lambda progress: clock.step())
    return clock.samples_a_second(settings.batch_size)


def trainers(source: SampleSource, steps: int, folder: Path) -> float:
    """Return samples a CPU second of the Trainer."""
    settings, clock = load_preset("embedded"), Clock()
    base = find_base(settings.base)
    processor = processor_for(base)
    samples, _ = read_samples(source, Split.TRAIN, (Task.OCR_LINE,), single_lines=True, page_folder=folder)
    unknown = processor.tokenizer.unk_token_id
    samples = [one for one in samples if one.response and unknown not in processor.tokenizer(one.response).input_ids]
    chats = [
        [
            {
                **user_turn(one.prompt, 1),
                "content": [
                    {"type": "image", "image": one.images[0].open().convert("RGB")},
                    {"type": "text", "text": one.prompt},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": one.response}]},
        ]
        for one in samples
    ]

    def collate(batch: list[Any]) -> dict[str, torch.Tensor]:
        written = processor.apply_chat_template(
            batch, tokenize=True, return_dict=True, return_tensors="pt", processor_kwargs={"padding": True}
        )
        labels = written["input_ids"].clone()
        labels[(written["attention_mask"] == 0) | (labels == processor.image_token_id)] = IGNORED_LABEL
        return {**written, "labels": labels}

    class Watch(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            clock.step()

    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules=settings.target_modules)
    arguments = TrainingArguments(
        str(folder / "trainer"),
        max_steps=steps,
        per_device_train_batch_size=settings.batch_size,
        use_cpu=True,
        learning_rate=settings.learning_rate,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        remove_unused_columns=False,
        disable_tqdm=True,
    )
    Trainer(
        get_peft_model(load_model(base), lora),
        arguments,
        train_dataset=chats,
        data_collator=collate,
        callbacks=[Watch()],
    ).train()
    return clock.samples_a_second(settings.batch_size)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    speeds: dict[str, list[float]] = {"ours": [], "transformers.Trainer": []}
    with tempfile.TemporaryDirectory() as name:
        source = data(Path(name), given.documents)
        for number in range(given.rounds):
            speeds["ours"].append(ours(source, given.steps, Path(name) / f"ours-{number}"))
            speeds["transformers.Trainer"].append(trainers(source, given.steps, Path(name) / f"theirs-{number}"))
    means = {way: sum(found) / len(found) for way, found in speeds.items()}
    json.dump(
        {
            "samples a CPU second": {way: round(mean, 1) for way, mean in means.items()},
            "rounds": {way: [round(one, 1) for one in found] for way, found in speeds.items()},
            "ratio": round(means["ours"] / means["transformers.Trainer"], 2),
        },
        sys.stdout,
        indent=2,
    )
    print()


if __name__ == "__main__":
    main()
