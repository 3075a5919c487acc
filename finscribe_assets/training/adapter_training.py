"""Train one adapter, from settings and a data set to its folder.

What belongs here: the order of a training, and when one is already done. Its parts are in the modules that it imports.
"""

from __future__ import annotations

from pathlib import Path

from finscribe_assets.device_lock import device_lock
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, sha256_of
from finscribe_assets.model.adapters import adapter_hash
from finscribe_assets.model.bases import Base, find_base
from finscribe_assets.model.torch_runtime import seeded, torch_threads
from finscribe_assets.stage_versions import TRAINER_VERSION
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_folder import TrainingSummary, finished_adapter, publish_adapter
from finscribe_assets.training.peft_trainer import PeftTrainer
from finscribe_assets.training.prepared_training import prepare_training
from finscribe_assets.training.trainer import AdapterTrainer
from finscribe_assets.training.training_history import OnStep
from finscribe_assets.training.training_samples import SampleSource

# Settings that change how a training runs or is watched, but not its weights.
_WEIGHTLESS_SETTINGS = {"log_every", "checkpoint_every", "device", "fallback"}


def train_adapter(
    config: AdapterConfig,
    source: SampleSource,
    output: AnyPath,
    work: Path,
    *,
    previous: AnyPath | None = None,
    on_step: OnStep | None = None,
    trainer: AdapterTrainer | None = None,
) -> TrainingSummary:
    """Train an adapter and write it to a folder.

    A killed training, called again, goes on from its last checkpoint. A finished one is left alone.

    Args:
        config: settings.
        source: the data set.
        output: folder of the adapter. It gets the weights (for LoRA with the configuration that peft loads),
            metrics.jsonl, tensorboard/ and, last, training.json, whose presence marks a finished adapter.
        work: local folder for checkpoints, TensorBoard logs and page images while the training runs.
        previous: adapter in use; needed if ``config.start_from`` is ``previous``, except for the first batch.
        on_step: called after each step.
        trainer: takes the steps; peft unless given.

    Raises:
        NothingToLearnError: no sample is left; the message counts the reasons.
        TrainingDivergedError: a loss is not a finite number.
        MissingInputError: base, data or the previous adapter are not there.
        UserError: base, tasks, batches or the previous adapter do not fit together.
    """
    trainer = trainer or PeftTrainer()
    base = find_base(config.base)
    start = previous if config.start_from == "previous" else None
    if config.start_from == "previous" and start is None and len(source.batches) > 1:
        raise UserError(
            "start_from: previous, but no earlier adapter was given; train and promote one first, or set "
            "start_from: base"
        )
    _check_real(config, source)
    fingerprint = _fingerprint(config, base, source, start)
    if finished := finished_adapter(output, fingerprint):
        return finished
    trainer.check_settings(config)
    lock = device_lock(trainer.gpu_name(config), f"the training of {output.name}")
    with lock, torch_threads(config.threads), seeded(config.seed):
        training = prepare_training(
            config,
            base,
            source,
            work,
            fingerprint,
            reason_to_leave_out=trainer.reason_to_leave_out,
            previous=start,
        )
        history = trainer.train(training, on_step)
        return publish_adapter(training, history, output, trainer.versions)


def _check_real(config: AdapterConfig, source: SampleSource) -> None:
    """Refuse real documents without a share, and a share without real documents."""
    if config.real_share and not source.real:
        raise UserError(
            f"real_share is {config.real_share}, but no real documents were given; import corrected ones with "
            "`finscribe import --train`, and name the workspace (--real)"
        )
    if source.real and not config.real_share:
        raise UserError("real documents were given, but real_share is 0; set it to their share, such as 0.3")


def _fingerprint(config: AdapterConfig, base: Base, source: SampleSource, previous: AnyPath | None) -> str:
    """Return a hash of everything that the trained weights depend on."""
    # Adapters that were trained before there was this setting stay as they are.
    unused = set() if config.real_share else {"real_share"}
    settings = config.model_dump_json(exclude=_WEIGHTLESS_SETTINGS | {"base"} | unused)
    first_weights = adapter_hash(previous) if previous is not None else ""
    return sha256_of(f"{TRAINER_VERSION}:{settings}:{base.content}:{source.data_version()}:{first_weights}")
