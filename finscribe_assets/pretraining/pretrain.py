"""Pretrain the embedded base: from random weights to a model that reads printed lines.

There are three phases:

- *vision*: the vision tower alone learns glyphs, from lines whose every character's position is known, so that no
  alignment has to be discovered.
- *language*: with the tower frozen, the language model learns to spell short lines.
- *joint*: everything learns lines of all lengths, most of them cut from rendered pages and many of them whole rows of
  tables, while the learning rate falls.

A pretraining that goes on from a base has the joint phase alone.

A step's batch is a function of seed, phase and step. A killed run resumes from its last checkpoint with the batches
that it would have had, and ends with the same weights.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import PaddleOCRVLForConditionalGeneration

from finscribe_assets.device_lock import device_lock
from finscribe_assets.errors import UserError
from finscribe_assets.files import make_readable, read_json, remove_folder, write_json, write_json_lines
from finscribe_assets.model.architecture import VISION_SETTINGS, build_model, build_processor
from finscribe_assets.model.bases import Base, load_model, processor_for
from finscribe_assets.model.batched_forward import response_logits, response_loss, vision_forward
from finscribe_assets.model.decoding import read_lines
from finscribe_assets.model.line_images import PrintedLine
from finscribe_assets.model.quiet_loading import quiet_transformers
from finscribe_assets.model.tokenizer import build_tokenizer
from finscribe_assets.model.torch_runtime import gpu_name, matmul_precision, seeded, torch_device, torch_threads
from finscribe_assets.pretraining.line_batches import (
    FRAMES_PER_PATCH,
    PATCH_ROWS,
    LineBatch,
    LineBatches,
    PretrainingLines,
)
from finscribe_assets.pretraining.muon import Muon
from finscribe_assets.pretraining.pretraining_config import PretrainConfig
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.training.trainer import TrainingDivergedError

_LOG_FILE, _LATEST_FILE = "log.jsonl", "latest.json"
_KEPT_CHECKPOINTS = 2
_WARMUP_STEPS = 100  # of each phase
_LAST_RATE = 0.02  # of the learning rate, at the end of the joint phase
_SCORED_BATCH_SIZE = 256

Report = Callable[[dict[str, Any]], None]


def pretrain(
    config: PretrainConfig,
    work: Path,
    out: Path,
    *,
    workers: int = 1,
    report: Report = lambda record: None,
) -> Path:
    """Pretrain the base, or go on from another one, and write it as bfloat16 safetensors with tokenizer and processor.

    A killed run, called again with the same settings, resumes from its last checkpoint.

    Args:
        config: settings.
        work: folder for prepared lines, checkpoints and log.jsonl.
        out: folder of the base.
        workers: processes that prepare lines.
        report: called with a record every ``config.report_every`` steps.

    Returns:
        ``out``.

    Raises:
        UserError: ``work`` holds a run with other settings, or the base to go on from is of another size or in ``out``.
        TrainingDivergedError: the loss became infinite or not a number.
    """
    if config.first_base and Path(str(config.first_base.folder)).resolve() == out.resolve():
        raise UserError(f"{out}: is the base to go on from, which would be overwritten; write to another folder")
    device = torch_device(config.device)
    precision: Any = "high" if device.type == "cuda" else "highest"  # TF32 on GPUs
    lock = device_lock(gpu_name(config.device), f"the pretraining of {out.name}")
    with lock, torch_threads(config.threads), matmul_precision(precision), seeded(config.seed):
        run = _PretrainingRun(config, work / "checkpoints", device)
        run.resume()
        lines = PretrainingLines(config, work, LocalShardPool(workers))
        _take_steps(run, lines, work, out, report)
    return out


def _take_steps(run: _PretrainingRun, lines: PretrainingLines, work: Path, out: Path, report: Report) -> None:
    """Take all steps that are left, with records, scores and checkpoints in between."""
    config = run.config
    run.model.train()
    records = [record for record in read_log(work) if record["step"] <= run.step]
    losses: dict[str, list[float]] = {}
    # On a CPU other work may run beside this, so CPU time counts. A GPU works while this process waits for it.
    clock = time.process_time if run.device.type == "cpu" else time.monotonic
    started = clock()

    def minutes() -> float:
        return round(run.minutes + (clock() - started) / 60, 2)

    batches: Iterator[LineBatch] | None = None
    while run.phase()[0] != "done":
        phase, step, _ = run.phase()
        if batches is None or step == 0:
            batches = run.batches(lines)
        for name, value in run.train(next(batches)).items():
            losses.setdefault(name, []).append(value)
        if run.step % config.report_every == 0:
            record = {
                "step": run.step,
                "phase": phase,
                "minutes": minutes(),
                "device": run.device_name,
                **{name: round(float(np.mean(values)), 4) for name, values in losses.items()},
            }
            if run.step % config.score_every == 0 and phase != "vision":
                record |= run.score(lines.scored)
            losses = {}
            records.append(record)
            write_json_lines(work / _LOG_FILE, records)
            report(record)
        if run.step % config.checkpoint_every == 0:
            run.save(minutes())
            export_base(run.model, out)
    run.save(minutes())
    export_base(run.model, out)


class _PretrainingRun:
    """The model in training, its optimisers, and everything else that a checkpoint holds."""

    def __init__(self, config: PretrainConfig, folder: Path, device: torch.device) -> None:
        self.config, self.folder, self.device = config, folder, device
        self.tokenizer = build_tokenizer()
        self.model = build_model(self.tokenizer)
        if base := config.first_base:
            _load_weights(self.model, base)
        self.model.to(device)
        # Predicts the glyphs in each column of patches; dropped after the pretraining.
        column_width = VISION_SETTINGS["hidden_size"] * PATCH_ROWS
        self.head = nn.Linear(column_width, FRAMES_PER_PATCH * len(self.tokenizer)).to(device)
        self.step = 0  # over all phases
        self.minutes = 0.0  # of training before this process
        self._new_optimisers(next(iter(config.phases)))

    @property
    def device_name(self) -> str:
        """The hardware that trains, for the model card."""
        return f"CPU, threads: {self.config.threads}" if self.device.type == "cpu" else torch.cuda.get_device_name()

    def phase(self) -> tuple[str, int, int]:
        """Return the name of the phase, the step within it from 0, and its number of steps; ``done`` after the last."""
        step = self.step
        for name, length in self.config.phases.items():
            if step < length:
                return name, step, length
            step -= length
        return "done", 0, 0

    def _trained(self, phase: str) -> list[tuple[str, nn.Parameter]]:
        """Return the parameters that a phase trains, by name."""
        named = list(self.model.named_parameters())
        if phase == "vision":
            named = [(name, weight) for name, weight in named if ".visual." in f".{name}"]
        if phase == "language":
            return [(name, weight) for name, weight in named if ".visual." not in f".{name}"]
        return named + [(f"head.{name}", weight) for name, weight in self.head.named_parameters()]

    def _new_optimisers(self, phase: str) -> None:
        """Use Muon for the matrices of hidden layers, and AdamW for embeddings, norms, biases and heads."""
        self.optimised_phase = phase
        named = self._trained(phase)
        hidden = [weight for name, weight in named if weight.ndim == 2 and "embed" not in name and "head" not in name]
        chosen = {id(weight) for weight in hidden}
        others = [weight for _, weight in named if id(weight) not in chosen]
        rate = self.config.learning_rate
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(hidden, lr=rate, weight_decay=0.02),
            torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def batches(self, lines: PretrainingLines) -> Iterator[LineBatch]:
        """Yield the batches that are left of the phase."""
        phase, step, length = self.phase()
        return iter(
            DataLoader(
                LineBatches(self.config, phase, lines, self.tokenizer),
                batch_size=None,
                sampler=range(step, length),
                collate_fn=_unchanged,
                num_workers=self.config.loaders,
            )
        )

    def _learning_rate(self, phase: str, step: int, length: int) -> float:
        """Return a step's rate: a linear warm-up in each phase; in the joint phase a linear fall after ``hold``."""
        factor = min(1.0, (step + 1) / _WARMUP_STEPS)
        if phase == "joint" and step > self.config.hold * length:
            factor = max(_LAST_RATE, (length - step) / (length * (1 - self.config.hold)))
        return self.config.learning_rate * factor

    def train(self, batch: LineBatch) -> dict[str, float]:
        """Take one step and return its losses in nats, by name."""
        phase, step, length = self.phase()
        if phase != self.optimised_phase:
            self._new_optimisers(phase)
        rate = self._learning_rate(phase, step, length)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
        losses = self._losses(batch, phase)
        weights = {"glyph": self.config.glyph_weight if phase == "joint" else 1.0}
        sum(loss * weights.get(name, 1.0) for name, loss in losses.items()).backward()  # type: ignore[union-attr]
        torch.nn.utils.clip_grad_norm_([weight for _, weight in self._trained(phase)], 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.model.zero_grad(set_to_none=True)
        self.head.zero_grad(set_to_none=True)
        self.step += 1
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        if not all(np.isfinite(value) for value in values.values()):
            raise TrainingDivergedError(
                f"step {self.step} ({phase}): the loss is {values}; lower learning_rate or change seed"
            )
        return values

    def _losses(self, batch: LineBatch, phase: str) -> dict[str, torch.Tensor]:
        """Return the loss of the response tokens, under the name of the lines' type, and of the glyphs."""
        losses = {}
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            vision = vision_forward(self.model.model, batch.pixels, frozen=phase == "language")
            if phase != "vision":
                logits, labels = response_logits(self.model, batch.text, vision)
                losses[str(batch.line_type)] = response_loss(logits, labels.to(logits.device))
            if batch.glyphs is not None:
                count, rows, columns = len(batch.pixels), vision.rows, vision.columns
                features = vision.features.view(count, rows, columns, -1)  # (lines, rows, columns, vision width)
                features = features.permute(0, 2, 1, 3).reshape(count, columns, -1)  # (lines, columns, rows · width)
                logits = self.head(features).float().view(-1, len(self.tokenizer))  # (lines · frames, vocabulary)
                losses["glyph"] = functional.cross_entropy(logits, batch.glyphs.to(logits.device).flatten())
        return losses

    def score(self, lines: list[PrintedLine]) -> dict[str, float]:
        """Return the share of lines of each type that the model reads exactly."""
        self.model.eval()
        scores = {}
        for line_type in sorted({line.line_type for line in lines}):
            of_type = [line for line in lines if line.line_type is line_type]
            decoded = read_lines(
                self.model,
                self.tokenizer,
                [line.pixels for line in of_type],
                line_type.prompt,
                batch_size=_SCORED_BATCH_SIZE,
            )
            exact = sum(text.text == line.text for text, line in zip(decoded, of_type, strict=True))
            scores[f"exact_match_{line_type}"] = round(exact / len(of_type), 4)
        self.model.train()
        return scores

    def save(self, minutes: float) -> None:
        """Write a checkpoint: weights, optimiser state and step. ``latest.json``, written last, makes it count."""
        name = f"step-{self.step:06d}"
        checkpoint = self.folder / name
        checkpoint.mkdir(parents=True, exist_ok=True)
        weights = {f"model.{key}": value for key, value in self.model.state_dict().items() if key != "lm_head.weight"}
        weights |= {f"head.{key}": value for key, value in self.head.state_dict().items()}
        save_file(
            {key: value.contiguous().clone() for key, value in weights.items()}, checkpoint / "weights.safetensors"
        )
        state: dict[str, torch.Tensor] = {}
        for number, optimiser in enumerate(self.optimisers):
            for index, slots in optimiser.state_dict()["state"].items():
                state |= {f"{number}.{index}.{slot}": torch.as_tensor(value).clone() for slot, value in slots.items()}
        save_file(state, checkpoint / "optimiser.safetensors")
        write_json(
            self.folder / _LATEST_FILE,
            {
                "checkpoint": name,
                "step": self.step,
                "phase": self.optimised_phase,
                "minutes": minutes,
                "config": self.config.weight_settings,
            },
        )
        for old in sorted(self.folder.glob("step-*"))[:-_KEPT_CHECKPOINTS]:
            remove_folder(old)

    def resume(self) -> None:
        """Load the latest checkpoint, if there is one.

        Raises:
            UserError: it was made with other settings, or lacks weights.
        """
        latest = self.folder / _LATEST_FILE
        if not latest.exists():
            return
        saved = read_json(latest)
        changed = [
            f"{name} ({saved['config'].get(name)} then, {value} now)"
            for name, value in self.config.weight_settings.items()
            if saved["config"].get(name) != value
        ]
        if changed:
            raise UserError(
                f"{latest}: the run that stopped here had other settings: {', '.join(changed)}; "
                "give the same settings, or another work folder"
            )
        checkpoint = self.folder / saved["checkpoint"]
        weights = load_file(checkpoint / "weights.safetensors")
        model = {key.removeprefix("model."): value for key, value in weights.items() if key.startswith("model.")}
        missing, unexpected = self.model.load_state_dict(model, strict=False)
        if unexpected or missing != ["lm_head.weight"]:  # tied to the embeddings, and so not saved
            raise UserError(
                f"{checkpoint}: lacks the weights {missing} or has unknown ones {unexpected}; remove {self.folder} to "
                "start again"
            )
        self.model.tie_weights()
        head = {key.removeprefix("head."): value for key, value in weights.items() if key.startswith("head.")}
        self.head.load_state_dict(head)
        self.step, self.minutes = saved["step"], saved["minutes"]
        self._new_optimisers(saved["phase"])
        state = load_file(checkpoint / "optimiser.safetensors")
        for number, optimiser in enumerate(self.optimisers):
            slots: dict[int, dict[str, Any]] = {}
            for key, value in state.items():
                owner, index, slot = key.split(".", 2)
                if int(owner) == number:
                    slots.setdefault(int(index), {})[slot] = value
            optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})


def _load_weights(model: PaddleOCRVLForConditionalGeneration, base: Base) -> None:
    """Give a model the weights of a base.

    Raises:
        UserError: the base has another architecture or tokenizer.
    """
    first, tokenizer = load_model(base), processor_for(base).tokenizer
    shapes, needed = ({name: weight.shape for name, weight in m.state_dict().items()} for m in (first, model))
    if shapes != needed or tokenizer.get_vocab() != build_tokenizer().get_vocab():
        raise UserError(
            f"start_from: {base.name} has another architecture or tokenizer than {build_model.__module__} builds; "
            "name a base that `finscribe pretrain-base` wrote"
        )
    model.load_state_dict(first.state_dict())


def _unchanged(batch: Any) -> Any:
    return batch


def read_log(work: Path) -> list[dict[str, Any]]:
    """Read the records that a pretraining has written to its work folder so far."""
    path = work / _LOG_FILE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def export_base(model: PaddleOCRVLForConditionalGeneration, out: Path) -> None:
    """Write a model as transformers loads it: bfloat16 weights, tokenizer, processor and chat template."""
    tokenizer = build_tokenizer()
    copy = build_model(tokenizer)
    copy.load_state_dict(model.state_dict())
    with quiet_transformers():
        copy.to(torch.bfloat16).save_pretrained(out)
        build_processor(tokenizer).save_pretrained(out)
    make_readable(out)
