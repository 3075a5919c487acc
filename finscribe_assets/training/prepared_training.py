"""Everything that a training needs before its first step: samples, model, order of samples, folders.

What belongs here: from settings and a data set to a `PreparedTraining`, and what all back ends compute on one: losses
and augmentation. How steps are taken is in `peft_trainer` and `paddle.paddle_trainer`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, sha256_of
from finscribe_assets.model.bases import Base, processor_for, reads_lines
from finscribe_assets.model.torch_runtime import torch_device
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.epoch_order import EpochOrder
from finscribe_assets.training.line_augmentation import augmentation_of_step
from finscribe_assets.training.sample_encoding import Augmentation, EncodedSample, Encoder
from finscribe_assets.training.trainable_model import trainable_model
from finscribe_assets.training.training_samples import LeftOut, SampleSource, TrainingSample, read_samples
from finscribe_assets.training.weighted_loss import summed_line_loss, summed_loss

PAGES_FOLDER = "pages"  # of the work folder: page images that samples are opened from

ReasonToLeaveOut = Callable[[TrainingSample], str | None]


class NothingToLearnError(UserError):
    """No sample of the training split is left; the message counts why pairs were left out."""


@dataclass(frozen=True)
class TrainingData:
    """The encoded samples of a training."""

    encoder: Encoder
    single_lines: bool  # whether every image is one fitted line
    training: list[EncodedSample]
    validation: list[EncodedSample]  # sorted by size
    left_out: LeftOut  # pairs of the training split that are not learnt
    version: str  # hash of what the samples were made from


@dataclass(frozen=True)
class PreparedTraining:
    """A training before its first step. Trainers change the model's weights and nothing else."""

    config: AdapterConfig
    base: Base
    data: TrainingData
    model: Any
    trained: dict[str, nn.Parameter]  # the model's trained parameters by name
    order: EpochOrder
    device: torch.device
    work: Path  # folder for checkpoints, TensorBoard logs and page images
    fingerprint: str  # of settings and data: what the trained weights depend on

    def augmentation(self, step: int) -> Augmentation | None:
        """Return how a step's lines are varied; None if they are not."""
        return augmentation_of_step(self.config.augmentation, self.config.seed, step)

    def summed_loss(
        self, batch: Sequence[EncodedSample], augmentation: Augmentation | None = None, *, weighted: bool
    ) -> Tensor:
        """Return the loss of a batch, summed over its response tokens, in nats.

        Args:
            batch: samples of one forward pass.
            augmentation: varies their images.
            weighted: multiply each token's loss by its weight, where the settings weigh tokens.
        """
        encoder = self.data.encoder
        if self.data.single_lines:
            return summed_line_loss(self.model, encoder, batch, self._autocast(), augmentation, weighted=weighted)
        inputs = {name: tensor.to(self.device) for name, tensor in encoder.collate(batch, augmentation).items()}
        labels, weights = inputs.pop("labels"), inputs.pop("weights", None)
        return summed_loss(self.model, inputs, labels, self._autocast(), weights if weighted else None)

    @torch.no_grad()
    def validation_loss(self) -> float | None:
        """Return the mean loss of a validation token in nats, unweighted, so that trainings of any weights compare.

        None without validation samples.
        """
        samples, size = self.data.validation, self.config.batch_size
        if not samples:
            return None
        self.model.eval()
        total = 0.0
        for start in range(0, len(samples), size):
            total += float(self.summed_loss(samples[start : start + size], weighted=False))
        return total / sum(len(sample.response_tokens) for sample in samples)

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.config.bf16_autocast else nullcontext()


def prepare_training(
    config: AdapterConfig,
    base: Base,
    source: SampleSource,
    work: Path,
    fingerprint: str,
    *,
    reason_to_leave_out: ReasonToLeaveOut = lambda sample: None,
    previous: AnyPath | None = None,
) -> PreparedTraining:
    """Read and encode the samples, and load the model.

    Args:
        config: settings of the training.
        base: what the adapter is trained on.
        source: the data set.
        work: folder for what the training writes on its way.
        fingerprint: of settings and data.
        reason_to_leave_out: says why the back end cannot learn a sample.
        previous: adapter to go on from.

    Raises:
        NothingToLearnError: no sample is left.
        UserError: base, tasks, augmentation, device, batches or the previous adapter do not fit together.
    """
    device = torch_device(config.device)
    data = prepare_data(config, base, source, work, reason_to_leave_out)
    model = trainable_model(config, base, previous).to(device)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    order = EpochOrder(data.training, config)
    return PreparedTraining(config, base, data, model, trained, order, device, work, fingerprint)


def prepare_data(
    config: AdapterConfig,
    base: Base,
    source: SampleSource,
    work: Path,
    reason_to_leave_out: ReasonToLeaveOut = lambda sample: None,
) -> TrainingData:
    """Read and encode the samples of the training and the validation split.

    Args:
        config: settings of the training.
        base: its processor encodes the samples.
        source: the data set.
        work: page images are written below it.
        reason_to_leave_out: says why the back end cannot learn a sample.

    Raises:
        NothingToLearnError: no sample of the training split is left.
        UserError: base, tasks, augmentation or batches do not fit together.
    """
    version = source.data_version()
    processor = processor_for(base, config.max_pixels)
    encoder, single_lines = Encoder(processor, config.loss_weights), reads_lines(processor)
    if config.augmentation and not single_lines:
        raise UserError(f"augmentation: varies single lines, but {base.name} reads pages and regions; set it to 0")

    def encoded(split: Split, left_out: LeftOut) -> list[EncodedSample]:
        samples, skipped = read_samples(
            source,
            split,
            config.tasks,
            single_lines=single_lines,
            page_folder=work / PAGES_FOLDER / str(split),
            max_lines=config.lines_of_region,
        )
        left_out.merge(skipped)
        learnable = []
        for sample in encoder.encode_all(samples, config.max_tokens, left_out):
            if reason := reason_to_leave_out(sample.sample):
                left_out.add(reason, sample.id)
            else:
                learnable.append(sample)
        return learnable

    left_out = LeftOut()
    training = encoded(Split.TRAIN, left_out)
    if not training:
        raise NothingToLearnError(
            f"no sample to learn from; left out of the training split, by reason: {dict(left_out.counts)}"
        )
    validation = encoded(Split.VALIDATION, LeftOut()) if config.validation_samples else []
    validation.sort(key=lambda sample: sha256_of(sample.id))
    validation = sorted(validation[: config.validation_samples], key=lambda sample: sample.size)
    return TrainingData(encoder, single_lines, training, validation, left_out, version)
