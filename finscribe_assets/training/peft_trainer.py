"""The training loop in this process, with transformers and peft: one for the embedded base and for PaddleOCR-VL.

The final weights depend on data and settings alone. A killed training resumes from its last checkpoint and ends with
the same weights: bit for bit on a CPU.
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from finscribe_assets.files import remove_folder
from finscribe_assets.model.torch_runtime import gpu_name
from finscribe_assets.model.weights import set_weights, storable
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_folder import TENSORBOARD_FOLDER
from finscribe_assets.training.checkpoints import load_checkpoint, save_checkpoint
from finscribe_assets.training.optimisation import build_optimiser, learning_rate
from finscribe_assets.training.prepared_training import PreparedTraining
from finscribe_assets.training.trainer import TrainingDivergedError
from finscribe_assets.training.training_history import OnStep, TrainingHistory, TrainingProgress, log_step
from finscribe_assets.training.training_samples import TrainingSample


class PeftTrainer:
    """Trains with transformers and peft in this process; honours every setting and learns every sample."""

    @property
    def versions(self) -> dict[str, str]:
        """Nothing besides torch, transformers and peft trains."""
        return {}

    def check_settings(self, config: AdapterConfig) -> None:
        """Accept all settings."""

    def gpu_name(self, config: AdapterConfig) -> str | None:
        """Return the name of torch's GPU, if the settings lead there."""
        return gpu_name(config.device)

    def reason_to_leave_out(self, sample: TrainingSample) -> str | None:
        """Leave out no sample."""
        return None

    def train(self, training: PreparedTraining, on_step: OnStep | None) -> TrainingHistory:
        """Take all steps that are left, and leave the last weights in the model, or the best with early stopping.

        Raises:
            TrainingDivergedError: a loss or a gradient is not a finite number.
        """
        return _TrainingLoop(training).run(on_step)


class _TrainingLoop:
    """The state of a training: optimiser, history, and the best weights so far."""

    def __init__(self, training: PreparedTraining) -> None:
        self.training, self.config = training, training.config
        self.optimiser = build_optimiser(training.trained.values(), training.config)
        self.history = TrainingHistory()
        self.best: dict[str, Tensor] | None = None  # kept for early stopping only

    def run(self, on_step: OnStep | None) -> TrainingHistory:
        training, steps = self.training, self.training.order.steps
        self._resume()
        logs = training.work / TENSORBOARD_FOLDER
        if self.history.step == 0:
            remove_folder(logs)
            self._record(0, validation_loss=training.validation_loss())
        with SummaryWriter(str(logs), purge_step=self.history.step + 1) as writer:
            while self.history.step < steps and not self._patience_is_over():
                progress = self._step()
                log_step(writer, progress, learning_rate(self.config, progress.step, steps))
                if progress.step % self.config.checkpoint_every == 0 or progress.step == steps:
                    save_checkpoint(
                        training.work,
                        training.fingerprint,
                        self.history,
                        training.trained,
                        self.optimiser,
                        best=self.best,
                    )
                if on_step:
                    on_step(progress)
        if self.best is not None:
            set_weights(training.trained, self.best)
        return self.history

    def _resume(self) -> None:
        training = self.training
        checkpoint = load_checkpoint(training.work, training.fingerprint, training.trained, self.optimiser)
        if checkpoint:
            self.history, self.best = checkpoint

    def _step(self) -> TrainingProgress:
        """Take one optimiser step over the accumulated gradients of its batches."""
        config, training, step = self.config, self.training, self.history.step + 1
        batches = training.order.batches_of_step(step)
        augmentation = training.augmentation(step)
        # The loss is a mean over the step's token weights, so accumulation weighs every token alike.
        total_weight = sum(sample.total_weight for batch in batches for sample in batch)
        rate = learning_rate(config, step, training.order.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        training.model.train()
        loss = 0.0
        for batch in batches:
            part = training.summed_loss(batch, augmentation, weighted=True) / total_weight
            part.backward()
            loss += float(part.detach())
        norm = float(nn.utils.clip_grad_norm_(training.trained.values(), config.gradient_clip))
        if not math.isfinite(loss) or not math.isfinite(norm):
            names = [sample.id for batch in batches for sample in batch]
            raise TrainingDivergedError(
                f"step {step}: loss {loss}, gradient norm {norm}; lower learning_rate (it is "
                f"{config.learning_rate}) or look at these samples: {', '.join(names)}"
            )
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.history.step = step
        last = step == training.order.steps
        validation = training.validation_loss() if last or step % config.validate_every == 0 else None
        if last or validation is not None or step % config.log_every == 0 or step == 1:
            self._record(step, loss=loss, learning_rate=rate, gradient_norm=norm, validation_loss=validation)
        return TrainingProgress(step, training.order.steps, loss, validation)

    def _record(self, step: int, **values: float | None) -> None:
        """Record metrics, and keep the weights of the lowest validation loss if early stopping may need them."""
        is_lowest = self.history.record(step, **values)
        if is_lowest and self.config.early_stopping_patience:
            self.history.best_step, self.best = step, storable(dict(self.training.trained))

    def _patience_is_over(self) -> bool:
        patience = self.config.early_stopping_patience
        return patience is not None and self.history.validations_since_best() >= patience
