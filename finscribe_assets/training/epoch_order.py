"""The order in which samples are trained: a function of samples, settings and seed alone.

What belongs here: which samples an epoch has, how they form batches, and how many steps a training takes. Every back
end follows this order, and a resumed training finds its place in it from the number of the step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.sample_encoding import EncodedSample
from finscribe_assets.training.training_samples import REAL_BATCH


class EpochOrder:
    """The batches of a training, by index and by optimiser step."""

    def __init__(self, samples: Sequence[EncodedSample], config: AdapterConfig) -> None:
        self._samples, self._config = samples, config
        self._synthetic_batches = [sample.sample.batch for sample in samples]
        self._batches_of_epoch = lru_cache(maxsize=1)(self._shuffled_batches)
        self._epoch_length = math.ceil(len(self._epoch_samples(0)) / config.batch_size)  # batches
        steps_of_epochs = math.ceil(config.epochs * self._epoch_length / config.gradient_accumulation)
        self.steps = min(steps_of_epochs, config.max_steps or steps_of_epochs)

    @property
    def newest_share(self) -> float:
        """Return the share of an epoch's samples that are from the newest synthetic batch."""
        samples, newest = self._epoch_samples(0), _newest(self._synthetic_batches)
        return sum(self._synthetic_batches[sample] == newest for sample in samples) / len(samples)

    @property
    def real_share(self) -> float:
        """Return the share of an epoch's samples that are of real documents."""
        samples = self._epoch_samples(0)
        return sum(self._synthetic_batches[sample] == REAL_BATCH for sample in samples) / len(samples)

    def batches_of_step(self, step: int) -> list[list[EncodedSample]]:
        """Return the batches whose gradients an optimiser step accumulates; steps count from 1."""
        first = (step - 1) * self._config.gradient_accumulation
        return [self.batch(index) for index in range(first, first + self._config.gradient_accumulation)]

    def batch(self, index: int) -> list[EncodedSample]:
        """Return a batch, counted from 0 over the whole training; after the last epoch further ones follow."""
        epoch, index_in_epoch = divmod(index, self._epoch_length)
        return [self._samples[sample] for sample in self._batches_of_epoch(epoch)[index_in_epoch]]

    def _epoch_samples(self, epoch: int) -> list[int]:
        config = self._config
        return samples_of_epoch(self._synthetic_batches, config.replay_share, config.seed, epoch, config.real_share)

    def _shuffled_batches(self, epoch: int) -> list[list[int]]:
        samples = self._epoch_samples(epoch)
        sizes = [self._samples[sample].size for sample in samples]
        batches = batches_of_epoch(sizes, self._config.batch_size, self._config.seed, epoch)
        return [[samples[index] for index in batch] for batch in batches]


def samples_of_epoch(
    batches: Sequence[str], replay_share: float | None, seed: int, epoch: int, real_share: float = 0.0
) -> list[int]:
    """Choose the samples of an epoch.

    Args:
        batches: key of the synthetic batch that each sample is from, or `REAL_BATCH`.
        replay_share: share of the epoch's synthetic samples that comes from batches before the newest; None takes all.
        seed: of the training.
        epoch: from 0; samples of earlier batches are drawn anew for each epoch.
        real_share: share of the epoch that is real. Real samples are few, so each is repeated as often as it takes,
            none more than once more than another.

    Returns:
        Indices of samples, ascending: all of the newest batch, as many of earlier ones as make their share of the
        synthetic ones, or all of those if they are fewer, and real ones, of which some occur several times.
    """
    synthetic = [index for index, batch in enumerate(batches) if batch != REAL_BATCH]
    if replay_share is not None:
        newest = _newest(batches)
        new = [index for index in synthetic if batches[index] == newest]
        earlier = [index for index in synthetic if batches[index] != newest]
        count = min(len(earlier), round(len(new) * replay_share / (1 - replay_share)))
        synthetic = new + Random(f"replay:{seed}:{epoch}").sample(earlier, count)
    real = [index for index, batch in enumerate(batches) if batch == REAL_BATCH]
    if real and real_share:
        times, rest = divmod(round(len(synthetic) * real_share / (1 - real_share)), len(real))
        real = real * times + Random(f"real:{seed}:{epoch}").sample(real, rest)
    return sorted(synthetic + (real if real_share else []))


def _newest(batches: Sequence[str]) -> str:
    """Return the key of the newest synthetic batch."""
    return max((batch for batch in batches if batch != REAL_BATCH), default=REAL_BATCH)


def batches_of_epoch(sizes: Sequence[tuple[int, int]], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Group samples into batches of about the same size, in random order.

    Samples are sorted by size, ties at random, and cut into batches; the batches are shuffled.

    Args:
        sizes: of each sample, as `EncodedSample.size`.
        batch_size: samples of a batch; the last of the sorted batches may have fewer.
        seed: of the training.
        epoch: from 0.

    Returns:
        The indices of each batch's samples.
    """
    random = Random(f"order:{seed}:{epoch}")
    indices = list(range(len(sizes)))
    random.shuffle(indices)
    indices.sort(key=lambda index: sizes[index])
    batches = [indices[start : start + batch_size] for start in range(0, len(indices), batch_size)]
    random.shuffle(batches)
    return batches
