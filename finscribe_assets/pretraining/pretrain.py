"""The embedded base's own pretraining: from random weights to a model that reads printed lines.

Three phases. *vision*: the vision tower alone learns glyphs from lines whose every character's place is known, so that
nothing has to discover an alignment. *language*: with the tower frozen, the language model learns to spell short lines.
*joint*: everything learns from lines of all lengths, most of them cut from rendered pages and many of them whole rows
of tables, while the learning rate falls. A step's batch is a function of seed, phase and step, so a killed run goes on
from its last checkpoint with the data that it would have seen, and ends with the weights that it would have had.
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

from finscribe_assets.errors import UserError
from finscribe_assets.files import read_json, remove_folder, write_json, write_json_lines
from finscribe_assets.model.architecture import VISION_SETTINGS, build_model, build_processor
from finscribe_assets.model.batched_forward import response_logits, response_loss, vision_forward
from finscribe_assets.model.decoding import read_lines
from finscribe_assets.model.line_images import PrintedLine
from finscribe_assets.model.tokenizer import build_tokenizer
from finscribe_assets.model.torch_runtime import torch_device
from finscribe_assets.pretraining.line_batches import FRAMES_A_PATCH, GRID_ROWS, LineBatch, LineBatches, LinesByKind
from finscribe_assets.pretraining.muon import Muon
from finscribe_assets.pretraining.pretraining_config import PretrainConfig
from finscribe_assets.shards import LocalShardPool

LOG = "log.jsonl"


SCORED_AT_ONCE = 256


class _Run:
    """The model under training and all that a checkpoint holds."""

    def __init__(self, config: PretrainConfig, folder: Path) -> None:
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config, self.folder = config, folder
        self.device = torch_device(config.device)
        torch.set_float32_matmul_precision("high" if self.device.type == "cuda" else "highest")  # TF32 on GPUs
        self.tokenizer = build_tokenizer()
        self.model = build_model(self.tokenizer).to(self.device)
        # Glyph labels are read from each column of patches; this head is thrown away after the pretraining.
        columns_width = VISION_SETTINGS["hidden_size"] * GRID_ROWS
        self.head = nn.Linear(columns_width, FRAMES_A_PATCH * len(self.tokenizer)).to(self.device)
        self.step = 0  # over all phases
        self.minutes = 0.0  # spent on training before this process
        self._new_optimisers("vision")

    @property
    def device_name(self) -> str:
        """Return what trains, for the card."""
        return f"CPU, threads: {self.config.threads}" if self.device.type == "cpu" else torch.cuda.get_device_name()

    def phase(self) -> tuple[str, int, int]:
        """Return the phase's name, the step within it and its length."""
        step = self.step
        for name in ("vision", "language", "joint"):
            length = int(getattr(self.config, f"{name}_steps"))
            if step < length:
                return name, step, length
            step -= length
        return "done", 0, 0

    def _trained(self, phase: str) -> list[tuple[str, nn.Parameter]]:
        named = list(self.model.named_parameters())
        if phase == "vision":
            named = [(name, weight) for name, weight in named if ".visual." in f".{name}"]
        if phase == "language":
            return [(name, weight) for name, weight in named if ".visual." not in f".{name}"]
        return named + [(f"head.{name}", weight) for name, weight in self.head.named_parameters()]

    def _new_optimisers(self, phase: str) -> None:
        self.optimised_phase = phase
        named = self._trained(phase)
        # Muon for the matrices inside, AdamW for embeddings, norms, biases and heads.
        inner = [weight for name, weight in named if weight.ndim == 2 and "embed" not in name and "head" not in name]
        chosen = {id(weight) for weight in inner}
        outer = [weight for _, weight in named if id(weight) not in chosen]
        rate = self.config.learning_rate
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(inner, lr=rate, weight_decay=0.02),
            torch.optim.AdamW(outer, lr=rate, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def batches(self, lines: LinesByKind) -> Iterator[LineBatch]:
        """Yield the batches of what is left of the phase."""
        phase, step, length = self.phase()
        return iter(
            DataLoader(
                LineBatches(self.config, phase, lines, self.tokenizer),
                batch_size=None,
                sampler=range(step, length),
                collate_fn=_as_it_is,
                num_workers=self.config.loaders,
            )
        )

    def train(self, batch: LineBatch) -> dict[str, float]:
        """Take one step; return its losses."""
        phase, step, length = self.phase()
        if phase != self.optimised_phase:
            self._new_optimisers(phase)
        config = self.config
        factor = min(1.0, (step + 1) / 100)
        if phase == "joint" and step > config.hold * length:
            factor = max(0.02, (length - step) / (length * (1 - config.hold)))
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * factor
        losses = self._losses(batch, phase)
        weights = {"glyph": config.glyph_weight if phase == "joint" else 1.0}
        sum(loss * weights.get(name, 1.0) for name, loss in losses.items()).backward()  # type: ignore[union-attr]
        torch.nn.utils.clip_grad_norm_([weight for _, weight in self._trained(phase)], 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.model.zero_grad(set_to_none=True)
        self.head.zero_grad(set_to_none=True)
        self.step += 1
        found = {name: float(value.detach()) for name, value in losses.items()}
        if not all(np.isfinite(value) for value in found.values()):
            raise FloatingPointError(f"step {self.step} ({phase}): loss is {found}; lower learning_rate or change seed")
        return found

    def _losses(self, batch: LineBatch, phase: str) -> dict[str, torch.Tensor]:
        losses = {}
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            vision = vision_forward(self.model.model, batch.pixels, frozen=phase == "language")
            if phase != "vision":
                logits, labels = response_logits(self.model, batch.text, vision)
                losses[str(batch.kind)] = response_loss(logits, labels.to(logits.device))
            if batch.glyphs is not None:
                count = len(batch.pixels)
                features = vision.features.view(count, vision.rows, vision.columns, -1)
                columnwise = features.permute(0, 2, 1, 3).reshape(count, vision.columns, -1)
                logits = self.head(columnwise).float().view(-1, len(self.tokenizer))
                losses["glyph"] = functional.cross_entropy(logits, batch.glyphs.to(logits.device).flatten())
        return losses

    def score(self, lines: list[PrintedLine]) -> dict[str, float]:
        """Return the share of lines of each kind that the model, as it is now, reads exactly."""
        self.model.eval()
        scores = {}
        for kind in sorted({line.line_type for line in lines}):
            of_kind = [line for line in lines if line.line_type is kind]
            readings = read_lines(
                self.model, self.tokenizer, [line.pixels for line in of_kind], kind.prompt, batch_size=SCORED_AT_ONCE
            )
            right = sum(reading.text == line.text for reading, line in zip(readings, of_kind, strict=True))
            scores[f"exact_match_{kind}"] = round(right / len(of_kind), 4)
        self.model.train()
        return scores

    def save(self, minutes: float) -> None:
        """Write a checkpoint: weights, optimiser state, step. ``latest.json`` is written last, and makes it count."""
        name = f"step-{self.step:06d}"
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        weights = {f"model.{key}": value for key, value in self.model.state_dict().items() if key != "lm_head.weight"}
        weights |= {f"head.{key}": value for key, value in self.head.state_dict().items()}
        save_file({key: value.contiguous().clone() for key, value in weights.items()}, place / "weights.safetensors")
        state: dict[str, torch.Tensor] = {}
        for number, optimiser in enumerate(self.optimisers):
            for index, slots in optimiser.state_dict()["state"].items():
                state |= {f"{number}.{index}.{slot}": torch.as_tensor(value).clone() for slot, value in slots.items()}
        save_file(state, place / "optimiser.safetensors")
        write_json(
            self.folder / "latest.json",
            {
                "checkpoint": name,
                "step": self.step,
                "phase": self.optimised_phase,
                "minutes": minutes,
                "config": self.config.weighty,
            },
        )
        for old in sorted(self.folder.glob("step-*"))[:-2]:
            remove_folder(old)

    def resume(self) -> None:
        """Load the latest checkpoint, if there is one.

        Raises:
            UserError: it was made with other settings.
        """
        latest = self.folder / "latest.json"
        if not latest.exists():
            return
        saved = read_json(latest)
        now = self.config.weighty
        changed = [
            f"{name} ({saved['config'].get(name)} then, {value} now)"
            for name, value in now.items()
            if saved["config"].get(name) != value
        ]
        if changed:
            raise UserError(
                f"{latest}: the run that stopped here had other settings: {', '.join(changed)}; "
                "give it those, or another work folder"
            )
        place = self.folder / saved["checkpoint"]
        weights = load_file(place / "weights.safetensors")
        model = {key.removeprefix("model."): value for key, value in weights.items() if key.startswith("model.")}
        missing, unexpected = self.model.load_state_dict(model, strict=False)
        if unexpected or missing != ["lm_head.weight"]:  # tied to the embeddings, and so not saved
            raise UserError(f"{place}: lacks {missing} or has too much {unexpected}; remove {self.folder}")
        self.model.tie_weights()
        head = {key.removeprefix("head."): value for key, value in weights.items() if key.startswith("head.")}
        self.head.load_state_dict(head)
        self.step, self.minutes = saved["step"], saved["minutes"]
        self._new_optimisers(saved["phase"])
        state = load_file(place / "optimiser.safetensors")
        for number, optimiser in enumerate(self.optimisers):
            slots: dict[int, dict[str, Any]] = {}
            for key, value in state.items():
                owner, index, slot = key.split(".", 2)
                if int(owner) == number:
                    slots.setdefault(int(index), {})[slot] = value
            optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})


def _as_it_is(batch: Any) -> Any:
    return batch


def pretrain(
    config: PretrainConfig,
    work: Path,
    out: Path,
    *,
    workers: int = 1,
    report: Callable[[dict[str, Any]], None] = lambda record: None,
) -> Path:
    """Pretrain the base and write it to ``out`` as bf16 safetensors with tokenizer and processor.

    ``work`` keeps prepared lines and checkpoints; called again with the same settings, it goes on where it was.
    ``report`` is given a record every ``report_every`` steps; the records stand in ``work/log.jsonl`` as well.

    Raises:
        UserError: ``work`` holds a run with other settings.
        FloatingPointError: the loss is no longer finite.
    """
    run = _Run(config, work / "checkpoints")
    run.resume()
    lines = LinesByKind(config, work, LocalShardPool(workers))
    run.model.train()
    records = [record for record in read_log(work) if record["step"] <= run.step]
    sums: dict[str, list[float]] = {}
    # On a processor what counts is its own time, beside other work; a GPU works while this process waits for it.
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
            sums.setdefault(name, []).append(value)
        if run.step % config.report_every == 0:
            record = {
                "step": run.step,
                "phase": phase,
                "minutes": minutes(),
                "device": run.device_name,
                **{name: round(float(np.mean(values)), 4) for name, values in sums.items()},
            }
            if run.step % config.score_every == 0 and phase != "vision":
                record |= run.score(lines.scored)
            sums = {}
            records.append(record)
            write_json_lines(work / LOG, records)
            report(record)
        if run.step % config.checkpoint_every == 0:
            run.save(minutes())
            export(run.model, out)
    run.save(minutes())
    export(run.model, out)
    return out


def read_log(work: Path) -> list[dict[str, Any]]:
    """Return the records that a pretraining has written to its work folder so far."""
    path = work / LOG
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def export(model: PaddleOCRVLForConditionalGeneration, out: Path) -> None:
    """Write the model as transformers loads it, weights in bf16, with tokenizer, processor and chat template."""
    tokenizer = build_tokenizer()
    copy = build_model(tokenizer)
    copy.load_state_dict(model.state_dict())
    copy.to(torch.bfloat16).save_pretrained(out)
    build_processor(tokenizer).save_pretrained(out)
