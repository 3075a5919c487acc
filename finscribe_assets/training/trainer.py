"""What every back end has to do: take the steps of a prepared training."""

from __future__ import annotations

from typing import Protocol

from finscribe_assets.errors import UserError
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.prepared_training import PreparedTraining
from finscribe_assets.training.training_history import OnStep, TrainingHistory
from finscribe_assets.training.training_samples import TrainingSample


class TrainingDivergedError(UserError, FloatingPointError):
    """The loss became infinite or not a number; the message names the step and the setting to change."""


class AdapterTrainer(Protocol):
    """A back end: peft in this process, or a tool of Paddle's in a process of its own."""

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what trains besides torch, transformers and peft, by distribution."""
        ...

    def check_settings(self, config: AdapterConfig) -> None:
        """Refuse settings that this back end cannot honour, before any data is read.

        Raises:
            ConfigurationError: names each such setting.
        """
        ...

    def gpu_name(self, config: AdapterConfig) -> str | None:
        """Return a name for the GPU that it trains on, for its lock; None if it trains on the processor."""
        ...

    def reason_to_leave_out(self, sample: TrainingSample) -> str | None:
        """Return why this back end cannot learn a sample, or None if it can."""
        ...

    def train(self, training: PreparedTraining, on_step: OnStep | None) -> TrainingHistory:
        """Take all steps, or those that a killed training has left, and leave the trained weights in the model.

        Raises:
            TrainingDivergedError: a loss is not a finite number.
        """
        ...
