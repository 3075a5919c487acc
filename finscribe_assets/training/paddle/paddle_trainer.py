"""Train with a tool of Paddle's: it takes all steps in its own process, and its weights come back into the model.

The validation loss before the first step and after the last is computed here, in transformers, with the weights that
came back. So every training shows that what inference will load has learnt.
"""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from finscribe_assets.errors import UserError
from finscribe_assets.files import local_folder, read_json, remove_folder, write_text
from finscribe_assets.model.embedded_checkpoint import WEIGHTS
from finscribe_assets.model.torch_runtime import gpu_name
from finscribe_assets.model.weights import set_weights
from finscribe_assets.training.adapter_config import AdapterConfig, ConfigurationError
from finscribe_assets.training.adapter_folder import TENSORBOARD_FOLDER
from finscribe_assets.training.optimisation import learning_rate
from finscribe_assets.training.paddle.epoch_samples import write_epoch_samples
from finscribe_assets.training.paddle.launching import Command, Launch, launch_subprocess, tool_command
from finscribe_assets.training.paddle.paddle_checkpoint import (
    LM_HEAD,
    check_directions,
    check_export,
    read_paddle_lora,
    read_paddle_weights,
    write_paddle_base,
)
from finscribe_assets.training.paddle.paddle_environment import PaddleEnvironment
from finscribe_assets.training.paddle.tool_settings import (
    PADDLE_BASE_FOLDER,
    PADDLE_OUTPUT_FOLDER,
    SAMPLES_PATH,
    PaddleTool,
    RunFacts,
    check_tool_settings,
)
from finscribe_assets.training.prepared_training import PreparedTraining
from finscribe_assets.training.trainer import TrainingDivergedError
from finscribe_assets.training.training_history import OnStep, TrainingHistory, TrainingProgress, log_step
from finscribe_assets.training.training_samples import TrainingSample

PADDLE_FOLDER = "paddle"  # of the work folder: everything that the tool reads and writes
EXPORT_FOLDER = f"{PADDLE_OUTPUT_FOLDER}/export"
SEVERAL_PAGES = "several pages (Paddle computes positions of one image only)"


@dataclass(frozen=True)
class PaddleTrainer:
    """Trains with one of Paddle's tools. A killed training starts again from the first step."""

    tool: PaddleTool
    environment: PaddleEnvironment
    launch: Launch

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Paddle's distributions."""
        return self.environment.versions

    def check_settings(self, config: AdapterConfig) -> None:
        """Refuse settings that Paddle's tools would ignore in silence.

        Raises:
            ConfigurationError: names every such setting.
        """
        check_tool_settings(self.tool.name, config)

    def gpu_name(self, config: AdapterConfig) -> str | None:
        """Return the name of the GPU: torch's, or one for all of Paddle's where only Paddle was built for GPUs."""
        paddle = "gpu-of-paddle" if self.environment.on_gpu and config.device != "cpu" else None
        return gpu_name(config.device) or paddle

    def reason_to_leave_out(self, sample: TrainingSample) -> str | None:
        """Leave out samples of several images."""
        return SEVERAL_PAGES if len(sample.images) > 1 else None

    def train(self, training: PreparedTraining, on_step: OnStep | None) -> TrainingHistory:
        """Let the tool take all steps, and set the model to its weights.

        Raises:
            ConfigurationError: the tool cannot honour a setting.
            PaddleFailedError: the tool ended with an error.
            TrainingDivergedError: a loss is not a finite number.
            UserError: the tool trained other layers, fewer steps or another rank than it was asked for.
        """
        config, steps = training.config, training.order.steps
        full = config.fine_tuning == "full"
        facts = RunFacts(steps, self.environment.on_gpu and config.device != "cpu")
        settings = self.tool.train_settings(config, facts)
        tied = full and LM_HEAD not in training.trained
        if tied and not self.tool.sample_format.encoded:
            raise ConfigurationError(
                f"fine_tuning: {self.tool.name} trains head and embeddings as two matrices, which are one in "
                f"{training.base.name}; set fine_tuning: lora, or another back end"
            )
        folder = training.work / PADDLE_FOLDER
        remove_folder(folder)
        history = TrainingHistory()
        history.record(0, validation_loss=training.validation_loss())
        training.model.cpu()  # Paddle needs the GPU's memory
        gc.collect()
        torch.cuda.empty_cache()
        with local_folder(training.base.folder) as local:
            image_processor = training.data.encoder.processor.image_processor
            write_paddle_base(local, folder / PADDLE_BASE_FOLDER, image_processor, tied=tied)
            write_epoch_samples(self.tool.sample_format, training, (folder / SAMPLES_PATH).parent)
            self._take_steps(training, settings, history, on_step)
            if full:
                weights = read_paddle_weights(folder / PADDLE_OUTPUT_FOLDER, tied=tied)
            else:
                weights = read_paddle_lora(folder / PADDLE_OUTPUT_FOLDER)
                self._export(config, facts, folder)
        self._check_weights(training, weights)
        set_weights(training.trained, weights)
        training.model.to(training.device)
        history.record(steps, validation_loss=training.validation_loss())
        return history

    def _take_steps(
        self, training: PreparedTraining, settings: dict[str, Any], history: TrainingHistory, on_step: OnStep | None
    ) -> None:
        """Run the tool, and record the steps that it reports."""
        config, steps, folder = training.config, training.order.steps, training.work / PADDLE_FOLDER
        logs = training.work / TENSORBOARD_FOLDER
        remove_folder(logs)
        with SummaryWriter(str(logs)) as writer:
            for report in self.launch(self._command("train", settings, folder)):
                step, loss = report["step"], report["loss"]
                if not math.isfinite(loss):
                    raise TrainingDivergedError(
                        f"step {step}: loss {loss}; lower learning_rate (it is {config.learning_rate})"
                    )
                history.step = step
                if step == steps or step % config.log_every == 0 or step == 1:
                    history.record(step, loss=loss, learning_rate=report["learning_rate"])
                progress = TrainingProgress(step, steps, loss, None)
                log_step(writer, progress, learning_rate(config, step, steps))
                if on_step:
                    on_step(progress)
        if not self.tool.sample_format.encoded:  # without our plugin, a tool reports no steps
            history.step = steps
        if history.step != steps:
            raise UserError(
                f"{self.tool.name} reported {history.step} of {steps} steps; look at its output in {folder}"
            )

    def _export(self, config: AdapterConfig, facts: RunFacts, folder: Path) -> None:
        """Let the tool merge its LoRA into the base: a checkpoint that `bases.find_base` takes, for other servers."""
        if self.tool.export_settings is None:
            return
        for _ in launch_subprocess(self._command("export", self.tool.export_settings(facts), folder)):
            pass  # it reports nothing
        parts = sorted((folder / EXPORT_FOLDER).glob("model-*.safetensors"))
        if len(parts) == 1:
            exported = folder / EXPORT_FOLDER / WEIGHTS
            parts[0].rename(exported)
            (folder / EXPORT_FOLDER / "model.safetensors.index.json").unlink()
            base, lora = folder / PADDLE_BASE_FOLDER / WEIGHTS, folder / PADDLE_OUTPUT_FOLDER
            check_export(base, lora, exported, config.alpha / config.rank)

    def _command(self, action: str, settings: dict[str, Any], folder: Path) -> Command:
        write_text(folder / f"{action}.yaml", yaml.safe_dump(settings, sort_keys=False))
        return tool_command(self.environment, self.tool.command, (action, f"{action}.yaml"), folder)

    def _check_weights(self, training: PreparedTraining, weights: dict[str, Tensor]) -> None:
        """Check that the tool trained the layers, and the rank or the directions, that it was asked for."""
        config = training.config
        if different := weights.keys() ^ training.trained.keys():
            raise UserError(
                f"{self.tool.name} trained other layers than it was asked for: {', '.join(sorted(different)[:3])}"
            )
        if config.fine_tuning == "full":
            check_directions({name: weight.detach().cpu() for name, weight in training.trained.items()}, weights)
            return
        lora = read_json(training.work / PADDLE_FOLDER / PADDLE_OUTPUT_FOLDER / "lora_config.json")
        if (lora["r"], lora["lora_alpha"]) != (config.rank, config.alpha):
            raise UserError(
                f"{self.tool.name} trained with rank {lora['r']} and alpha {lora['lora_alpha']}, not {config.rank} and "
                f"{config.alpha}"
            )
