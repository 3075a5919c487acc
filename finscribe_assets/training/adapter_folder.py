"""A finished adapter's folder: weights, metrics, TensorBoard logs, and the training record that is written last."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import peft
import torch
import transformers

from finscribe_assets.files import AnyPath, copy_folder, remove_folder, write_json, write_json_lines
from finscribe_assets.model.adapters import (
    TRAINING_RECORD,
    adapter_hash,
    adapter_record,
    adapter_weights_file,
    save_adapter,
)
from finscribe_assets.training.prepared_training import PAGES_FOLDER, PreparedTraining
from finscribe_assets.training.training_history import TrainingHistory
from finscribe_assets.training.training_samples import REAL_BATCH

METRICS_FILE, TENSORBOARD_FOLDER = "metrics.jsonl", "tensorboard"


@dataclass(frozen=True)
class TrainingSummary:
    """The result of a training. Losses are means over response tokens in nats; training losses are weighted."""

    steps: int
    samples: int  # of the training split, each counted once
    validation_samples: int
    left_out: dict[str, int]  # pairs of the training split that were not learnt, by reason
    first_loss: float | None  # mean of the first tenth of the recorded training losses
    last_loss: float | None
    first_validation_loss: float | None  # before the first step
    last_validation_loss: float | None  # with the weights that were kept
    stopped_early: bool
    base: str
    trainable_parameters: int
    newest_share: float = 1.0  # of the samples seen, those from the newest batch; the others are replay
    real_share: float = 0.0  # of the samples seen, those from real documents
    real_samples: int = 0  # of real documents, each counted once
    already_there: bool = False  # a finished adapter of the same settings and data was there
    backend: str = "peft"  # the back end that trained
    fallback_reason: str | None = None  # why it is not the back end that the settings name

    @property
    def loss_fell(self) -> bool:
        """Whether the validation loss ended lower than it began; without validation samples, the training loss."""
        pair = (self.first_validation_loss, self.last_validation_loss)
        before, after = (self.first_loss, self.last_loss) if None in pair else pair
        return before is not None and after is not None and after < before


def finished_adapter(folder: AnyPath, fingerprint: str) -> TrainingSummary | None:
    """Return the summary of a folder's adapter if it is whole and of this fingerprint; else None."""
    if not (folder / TRAINING_RECORD).exists():
        return None
    record = adapter_record(folder)
    whole = adapter_weights_file(folder).exists() and adapter_hash(folder) == record["weights"]
    if record["fingerprint"] != fingerprint or not whole:
        return None
    return TrainingSummary(**record["summary"] | {"already_there": True})


def publish_adapter(
    training: PreparedTraining, history: TrainingHistory, folder: AnyPath, versions: dict[str, str]
) -> TrainingSummary:
    """Write a finished training to its adapter's folder.

    Args:
        training: with the trained weights in its model.
        history: of the training.
        folder: of the adapter.
        versions: of what trained besides torch, transformers and peft.
    """
    summary = _summary(training, history)
    remove_folder(folder / TENSORBOARD_FOLDER)
    copy_folder(training.work / TENSORBOARD_FOLDER, folder / TENSORBOARD_FOLDER)
    write_json_lines(folder / METRICS_FILE, history.metrics)
    weights = save_adapter(training.model, folder, training.base)
    libraries = {library.__name__: str(library.__version__) for library in (torch, transformers, peft)}
    write_json(
        folder / TRAINING_RECORD,
        {
            "fingerprint": training.fingerprint,
            "weights": weights,
            "config": training.config.model_dump(mode="json"),
            "base": {"name": training.base.name, "content": training.base.content},
            "data_version": training.data.version,
            "device": training.device.type,
            "left_out_examples": training.data.left_out.examples,
            "versions": libraries | versions,
            "summary": asdict(summary),
        },
    )
    remove_folder(training.work / PAGES_FOLDER)
    return summary


def _summary(training: PreparedTraining, history: TrainingHistory) -> TrainingSummary:
    losses, validation = history.values("loss"), history.values("validation_loss")
    tenth = max(1, len(losses) // 10)
    kept = None
    if validation:
        kept = validation[-1] if history.best_step is None else min(validation)
    return TrainingSummary(
        steps=history.step,
        samples=len(training.data.training),
        validation_samples=len(training.data.validation),
        left_out=dict(sorted(training.data.left_out.counts.items())),
        first_loss=sum(losses[:tenth]) / tenth if losses else None,
        last_loss=sum(losses[-tenth:]) / tenth if losses else None,
        first_validation_loss=validation[0] if validation else None,
        last_validation_loss=kept,
        stopped_early=history.step < training.order.steps,
        base=training.base.identity,
        trainable_parameters=sum(parameter.numel() for parameter in training.trained.values()),
        newest_share=round(training.order.newest_share, 4),
        real_share=round(training.order.real_share, 4),
        real_samples=sum(sample.sample.batch == REAL_BATCH for sample in training.data.training),
        backend=training.config.backend,
    )
