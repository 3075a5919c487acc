"""Who trains: peft in this process, or a tool of Paddle's in an environment of its own; and what if that is missing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from finscribe_assets.files import AnyPath
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_training import OnStep, Run, TrainingSummary, train_adapter
from finscribe_assets.training.paddle import erniekit_backend, paddleformers_backend
from finscribe_assets.training.paddle.launching import Launch, launch_here
from finscribe_assets.training.paddle.paddle_environment import BackendMissingError, find_environment
from finscribe_assets.training.paddle.paddle_training import PaddleRun
from finscribe_assets.training.training_samples import SampleSource

TOOLS = {tool.name: tool for tool in (paddleformers_backend.TOOL, erniekit_backend.TOOL)}


@dataclass(frozen=True)
class Choice:
    """Who trains, and why not who was asked for, where it is another."""

    config: AdapterConfig  # with the back end that trains
    run: type[Run] | partial[PaddleRun]
    fallback_reason: str | None = None


def choose_backend(config: AdapterConfig, launch: Launch = launch_here) -> Choice:
    """Return the back end that settings ask for, or what they fall back on.

    Raises:
        BackendMissingError: it is not installed, and there is nothing to fall back on.
    """
    if config.backend == "peft":
        return Choice(config, Run)
    tool = TOOLS[config.backend]
    try:
        environment = find_environment()
        environment.check(tool.name, tool.least, tool.how)
    except BackendMissingError as missing:
        if config.fallback == "none":
            raise BackendMissingError(
                f"backend: {config.backend}: {missing}; or set backend: peft, or fallback: peft"
            ) from missing
        return Choice(config.model_copy(update={"backend": "peft"}), Run, str(missing))
    if not tool.run_here:
        warnings.warn(
            f"backend: {tool.name} was never run in this project's tests; look at what it writes", stacklevel=2
        )
    return Choice(config, partial(PaddleRun, tool=tool, environment=environment, launch=launch))


def train(
    config: AdapterConfig,
    source: SampleSource,
    output: AnyPath,
    work: Path,
    *,
    previous: AnyPath | None = None,
    on_step: OnStep | None = None,
    launch: Launch = launch_here,
) -> TrainingSummary:
    """Train an adapter as `train_adapter` does, with the back end that settings ask for.

    The summary says who trained, and why not who was asked for; the adapter is the same kind of folder either way.

    Raises:
        BackendMissingError: the back end is not installed, and there is nothing to fall back on.
        ConfigurationError: the back end cannot honour a setting.
        PaddleFailedError: a tool of Paddle's ended with an error.
    """
    choice = choose_backend(config, launch)
    summary = train_adapter(choice.config, source, output, work, previous=previous, on_step=on_step, run=choice.run)
    return replace(summary, fallback_reason=choice.fallback_reason)
