"""Choose the back end that trains: peft in this process, or a tool of Paddle's; and fall back if it is missing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from finscribe_assets.files import AnyPath
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_folder import TrainingSummary
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets.training.paddle.erniekit_backend import ERNIEKIT
from finscribe_assets.training.paddle.launching import Launch, launch_subprocess
from finscribe_assets.training.paddle.paddle_environment import BackendMissingError, find_environment
from finscribe_assets.training.paddle.paddle_trainer import PaddleTrainer
from finscribe_assets.training.paddle.paddleformers_backend import PADDLEFORMERS
from finscribe_assets.training.peft_trainer import PeftTrainer
from finscribe_assets.training.trainer import AdapterTrainer
from finscribe_assets.training.training_history import OnStep
from finscribe_assets.training.training_samples import SampleSource

PADDLE_TOOLS = {tool.name: tool for tool in (PADDLEFORMERS, ERNIEKIT)}


@dataclass(frozen=True)
class BackendChoice:
    """The back end that trains, and why it is not the one that the settings name."""

    config: AdapterConfig  # with the back end that trains
    trainer: AdapterTrainer
    fallback_reason: str | None = None


def choose_backend(config: AdapterConfig, launch: Launch = launch_subprocess) -> BackendChoice:
    """Return the back end that the settings name, or the one that they fall back to.

    Args:
        config: names the back end and the fallback.
        launch: runs a command of Paddle's.

    Raises:
        BackendMissingError: the back end is not installed, and there is no fallback.
    """
    if config.backend == "peft":
        return BackendChoice(config, PeftTrainer())
    tool = PADDLE_TOOLS[config.backend]
    try:
        environment = find_environment()
        environment.check(tool)
    except BackendMissingError as missing:
        if config.fallback == "none":
            raise BackendMissingError(
                f"backend: {config.backend}: {missing}; or set backend: peft, or fallback: peft"
            ) from missing
        return BackendChoice(config.model_copy(update={"backend": "peft"}), PeftTrainer(), str(missing))
    if not tool.tested:
        warnings.warn(
            f"backend: {tool.name} was never run in this project's tests; check the adapter that it writes",
            stacklevel=2,
        )
    return BackendChoice(config, PaddleTrainer(tool, environment, launch))


def train(
    config: AdapterConfig,
    source: SampleSource,
    output: AnyPath,
    work: Path,
    *,
    previous: AnyPath | None = None,
    on_step: OnStep | None = None,
    launch: Launch = launch_subprocess,
) -> TrainingSummary:
    """Train an adapter as `adapter_training.train_adapter` does, with the back end that the settings name.

    Every back end writes the same kind of folder. The summary states which one trained, and why it is not the one that
    was asked for.

    Args:
        config: settings; name the back end and the fallback.
        source: the data set.
        output: folder of the adapter.
        work: local folder for what the training writes on its way.
        previous: adapter of the batch before.
        on_step: called after each step.
        launch: runs a command of Paddle's.

    Raises:
        BackendMissingError: the back end is not installed, and there is no fallback.
        ConfigurationError: the back end cannot honour a setting.
        PaddleFailedError: a tool of Paddle's ended with an error.
    """
    choice = choose_backend(config, launch)
    summary = train_adapter(
        choice.config, source, output, work, previous=previous, on_step=on_step, trainer=choice.trainer
    )
    return replace(summary, fallback_reason=choice.fallback_reason)
