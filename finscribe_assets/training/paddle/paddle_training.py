"""A training of which Paddle takes the steps; all before and after is the peft back end's own.

Samples, their order, the adapter's files and the validation loss come from `adapter.Run`. The loss before the first
step and after the last is measured here, in transformers, with the weights that came back: it shows with every training
that what inference will load has learnt.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from torch.utils.tensorboard import SummaryWriter

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, local_folder, read_json, remove_folder, write_text
from finscribe_assets.model.bases import Base
from finscribe_assets.model.embedded_checkpoint import WEIGHTS
from finscribe_assets.model.weights import set_weights
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.training.adapter_config import AdapterConfig, ConfigurationError
from finscribe_assets.training.adapter_training import (
    TENSORBOARD_FOLDER,
    OnStep,
    Run,
    TrainingDivergedError,
    TrainingProgress,
)
from finscribe_assets.training.checkpoints import Position
from finscribe_assets.training.paddle.epoch_samples import write_showings
from finscribe_assets.training.paddle.launching import Command, Launch, command_of, launch_here
from finscribe_assets.training.paddle.paddle_checkpoint import (
    HEAD,
    check_export,
    check_trained,
    lora_of_paddle,
    weights_of_paddle,
    write_base,
)
from finscribe_assets.training.paddle.paddle_environment import PaddleEnvironment
from finscribe_assets.training.paddle.tool_settings import (
    BASE_FOLDER,
    DATA_PATH,
    OUTPUT_FOLDER,
    Facts,
    Tool,
    check_settings,
)
from finscribe_assets.training.sample_encoding import EncodedSample, Vary
from finscribe_assets.training.training_samples import LeftOut, SampleSource

EXPORT_FOLDER = f"{OUTPUT_FOLDER}/export"
SEVERAL_IMAGES = "several pages, of which Paddle knows the positions of one"


class PaddleRun(Run):
    """A training by one of Paddle's tools. A killed one starts anew."""

    def __init__(
        self,
        config: AdapterConfig,
        base: Base,
        source: SampleSource,
        work: Path,
        fingerprint: str,
        *,
        start: AnyPath | None,
        tool: Tool,
        environment: PaddleEnvironment,
        launch: Launch,
    ) -> None:
        check_settings(tool.name, config)
        self.full = config.fine_tuning == "full"
        self.tool, self.environment, self.launch = tool, environment, launch
        super().__init__(config, base, source, work, fingerprint, start=start)
        self.facts = Facts(self.steps, environment.on_gpu and config.device != "cpu")
        self.settings = tool.train(config, self.facts)
        self.versions = environment.versions
        self.tied = self.full and HEAD not in self.trained
        if self.tied and not tool.form.encoded:
            raise ConfigurationError(
                f"fine_tuning: {tool.name} trains head and embeddings apart, which are one in "
                f"{base.name}; take lora, or another back end"
            )

    def _samples(self, source: SampleSource, split: Split, left_out: LeftOut) -> list[EncodedSample]:
        fitting = []
        for one in super()._samples(source, split, left_out):
            if len(one.sample.images) > 1:
                left_out.add(SEVERAL_IMAGES, one.sample.id)
            else:
                fitting.append(one)
        return fitting

    def train(self, on_step: OnStep | None) -> None:
        """Let the tool take all steps, and take its weights."""
        folder = self.work / "paddle"
        remove_folder(folder)
        self._record(0, validation_loss=self._validate())
        self.model.cpu()  # Paddle needs the GPU's memory
        gc.collect()
        torch.cuda.empty_cache()
        with local_folder(self.base.folder) as local:
            write_base(local, folder / BASE_FOLDER, self.encoder.processor.image_processor, tied=self.tied)
            self._take_steps(folder, on_step)
            weights = self._all_weights(folder) if self.full else self._lora(folder)
        set_weights(self.trained, weights)
        self.model.to(self.device)
        self._record(self.steps, validation_loss=self._validate())

    def _take_steps(self, folder: Path, on_step: OnStep | None) -> None:
        config = self.config
        write_showings(
            self.tool.form,
            self._showings(),
            (folder / DATA_PATH).parent,
            self.encoder.processor.image_token_id,
            self.steps * config.gradient_accumulation * config.batch_size,
        )
        live = self.work / TENSORBOARD_FOLDER
        remove_folder(live)
        with SummaryWriter(str(live)) as writer:
            for told in self.launch(self._command("train", self.settings, folder)):
                step, loss = told["step"], told["loss"]
                if not torch.isfinite(torch.tensor(loss)):
                    raise TrainingDivergedError(
                        f"step {step}: loss {loss}; lower learning_rate (it is {config.learning_rate})"
                    )
                self.position = Position(step, self.position.metrics)
                if step == self.steps or step % config.log_every == 0 or step == 1:
                    self._record(step, loss=loss, learning_rate=told["learning_rate"])
                progress = TrainingProgress(step, self.steps, loss, None)
                self._show(writer, progress)
                if on_step:
                    on_step(progress)
        if not self.tool.form.encoded:  # no plugin of ours there, so nobody told of steps
            self.position = Position(self.steps, self.position.metrics)
        if self.position.step != self.steps:
            raise UserError(f"{self.tool.name} reported {self.position.step} steps of {self.steps}; see {folder}")

    def _export(self, folder: Path) -> None:
        """Let the tool merge its adapter into the base: a checkpoint that `find_base` takes, for serving elsewhere."""
        if self.tool.export is None:
            return
        for _ in launch_here(self._command("export", self.tool.export(self.facts), folder)):
            pass  # it reports nothing
        parts = sorted((folder / EXPORT_FOLDER).glob("model-*.safetensors"))
        if len(parts) == 1:
            parts[0].rename(folder / EXPORT_FOLDER / WEIGHTS)
            (folder / EXPORT_FOLDER / "model.safetensors.index.json").unlink()
            check_export(
                folder / BASE_FOLDER / WEIGHTS,
                folder / OUTPUT_FOLDER,
                folder / EXPORT_FOLDER / WEIGHTS,
                self.config.alpha / self.config.rank,
            )

    def _showings(self) -> Iterator[tuple[list[EncodedSample], Vary | None]]:
        """Yield the batches without end, each with what varies its lines."""
        number = 0
        while True:
            step = number // self.config.gradient_accumulation + 1
            yield self._batch(number), self._vary(step) if self.config.augmentation else None
            number += 1

    def _command(self, what: str, settings: dict[str, Any], folder: Path) -> Command:
        write_text(folder / f"{what}.yaml", yaml.safe_dump(settings, sort_keys=False))
        return command_of(self.environment, self.tool.command, (what, f"{what}.yaml"), folder)

    def _all_weights(self, folder: Path) -> dict[str, torch.Tensor]:
        weights = weights_of_paddle(folder / OUTPUT_FOLDER, tied=self.tied)
        self._check_layers(weights)
        check_trained({name: weight.detach().cpu() for name, weight in self.trained.items()}, weights)
        return weights

    def _lora(self, folder: Path) -> dict[str, torch.Tensor]:
        """Return the tool's LoRA once it is seen to be as strong as was meant, and exported."""
        weights = lora_of_paddle(folder / OUTPUT_FOLDER)
        self._export(folder)
        self._check_layers(weights)
        written = read_json(folder / OUTPUT_FOLDER / "lora_config.json")
        if (written["r"], written["lora_alpha"]) != (self.config.rank, self.config.alpha):
            raise UserError(
                f"{self.tool.name} trained rank {written['r']} and alpha {written['lora_alpha']}, not "
                f"{self.config.rank} and {self.config.alpha}"
            )
        return weights

    def _check_layers(self, weights: dict[str, torch.Tensor]) -> None:
        if other := weights.keys() ^ self.trained.keys():
            raise UserError(f"{self.tool.name} trained other layers than were meant: {', '.join(sorted(other)[:3])}")
