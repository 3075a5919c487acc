"""The training of an adapter, LoRA or full: one plain loop, the same for the embedded base and for the real model.

What belongs here: from settings and samples to an adapter's folder. Final weights depend on data and settings alone; a
killed run goes on from its checkpoint to the same weights, bit by bit on a processor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import peft
import torch
import transformers
from peft import LoraConfig
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from finscribe_assets.errors import UserError
from finscribe_assets.files import (
    AnyPath,
    copy_folder,
    remove_folder,
    sha256_of,
    write_json,
    write_json_lines,
)
from finscribe_assets.model.adapters import (
    TRAINING_RECORD,
    adapter_hash,
    adapter_record,
    adapter_weights_file,
    add_adapter,
    add_lora,
    save_adapter,
)
from finscribe_assets.model.bases import Base, find_base, load_model, processor_for, reads_lines
from finscribe_assets.model.torch_runtime import torch_device, torch_threads
from finscribe_assets.model.weights import set_weights, storable
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.checkpoints import Position, load_checkpoint, save_checkpoint
from finscribe_assets.training.line_augmentation import vary_line
from finscribe_assets.training.sample_encoding import (
    EncodedSample,
    Encoder,
    Vary,
    batches_of_epoch,
    chosen_for_epoch,
    order_of_epoch,
)
from finscribe_assets.training.training_samples import LeftOut, SampleSource, read_samples
from finscribe_assets.training.weighted_loss import summed_loss, summed_loss_of_lines

TRAINER_VERSION = 4  # raise it with every change that changes weights
METRICS_FILE, TENSORBOARD_FOLDER = "metrics.jsonl", "tensorboard"
# Settings that change how a training is watched or run, but none of its weights.
_NO_MATTER = {"log_every", "checkpoint_every", "device", "fallback"}


class TrainingDivergedError(FloatingPointError):
    """The loss became infinite or not a number; the message names the step and its samples."""


class NothingToLearnError(UserError):
    """No sample of the training split is left; the message says where they went."""


@dataclass(frozen=True)
class TrainingSummary:
    """What a training did. Losses are means over answer tokens, in nats; the training's are weighted, where it is."""

    steps: int
    samples: int  # of the training split, before epochs
    validation_samples: int
    left_out: dict[str, int]  # pairs of the training split that were not learnt, by reason
    first_loss: float | None  # mean over the first tenth of the recorded training losses
    last_loss: float | None
    first_validation_loss: float | None  # before the first step
    last_validation_loss: float | None  # of the weights that were kept
    stopped_early: bool
    base: str
    trainable_parameters: int
    already_there: bool = False  # a finished adapter of the same settings and data was found
    backend: str = "peft"  # who took the steps
    fallback_reason: str | None = None  # why it was not the back end that was asked for

    @property
    def loss_fell(self) -> bool:
        """Tell whether the adapter explains validation answers better than what it started from.

        Where there is no validation sample, the training loss decides.
        """
        pair = (self.first_validation_loss, self.last_validation_loss)
        before, after = (self.first_loss, self.last_loss) if None in pair else pair
        return before is not None and after is not None and after < before


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training is, for a progress bar."""

    step: int
    steps: int
    loss: float
    validation_loss: float | None  # where it was measured at this step


OnStep = Callable[[TrainingProgress], None]


def train_adapter(
    config: AdapterConfig,
    source: SampleSource,
    output: AnyPath,
    work: Path,
    *,
    previous: AnyPath | None = None,
    on_step: OnStep | None = None,
    run: Callable[..., Run] | None = None,
) -> TrainingSummary:
    """Train an adapter and write it to ``output``.

    ``output`` gets the weights (LoRA's with the configuration that peft loads), training.json (settings, base, counts,
    losses; written last, so that it marks a finished adapter), metrics.jsonl and tensorboard/. ``work`` keeps
    checkpoints, live TensorBoard logs and page files; called again, a killed training goes on from there, and a
    finished one is left alone. ``previous`` is the adapter of the batch before; it is used where ``config.start_from``
    says so, and of the first batch there is none. ``run`` makes the training where another back end takes its steps.

    Raises:
        NothingToLearnError: no sample is left; the message counts the reasons.
        TrainingDivergedError: a loss is no finite number.
        UserError: base, tasks, batches or the previous adapter do not fit together.
        FileNotFoundError: base, data or the previous adapter are not there.
    """
    base = find_base(config.base)
    start = previous if config.start_from == "previous" else None
    if config.start_from == "previous" and start is None and len(source.batches) > 1:
        raise UserError(
            "start_from: previous, but no adapter of the batch before was given; train that one first, "
            "or set start_from: base"
        )
    fingerprint = _fingerprint(config, base, source, start)
    finished = _finished(output, fingerprint)
    if finished:
        return finished
    with torch_threads(config.threads), torch.random.fork_rng():
        torch.manual_seed(config.seed)
        under_way = (run or Run)(config, base, source, work, fingerprint, start=start)
        under_way.train(on_step)
        return under_way.publish(output)


def _fingerprint(config: AdapterConfig, base: Base, source: SampleSource, start: AnyPath | None) -> str:
    settings = config.model_dump_json(exclude=_NO_MATTER | {"base"})
    first_weights = adapter_hash(start) if start is not None else ""
    return sha256_of(f"{TRAINER_VERSION}:{settings}:{base.content}:{source.data_version()}:{first_weights}")


def _finished(output: AnyPath, fingerprint: str) -> TrainingSummary | None:
    if not (output / TRAINING_RECORD).exists():
        return None
    record = adapter_record(output)
    whole = adapter_weights_file(output).exists() and adapter_hash(output) == record["weights"]
    if record["fingerprint"] != fingerprint or not whole:
        return None
    return TrainingSummary(**record["summary"] | {"already_there": True})


class Run:
    """A training under way; a back end that takes the steps otherwise overrides `train`."""

    def __init__(
        self,
        config: AdapterConfig,
        base: Base,
        source: SampleSource,
        work: Path,
        fingerprint: str,
        *,
        start: AnyPath | None,
    ) -> None:
        self.config, self.base, self.work, self.fingerprint = config, base, work, fingerprint
        self.device = torch_device(config.device)
        self.data_version = source.data_version()
        processor = processor_for(base, config.max_pixels)
        self.encoder = Encoder(processor, config.loss_weights)
        self.lines = reads_lines(processor)
        if config.augmentation and not self.lines:
            raise UserError(f"augmentation: it varies single lines, but {base.name} is shown pages and regions; set 0")
        self.left_out = LeftOut()
        self.training = self._samples(source, Split.TRAIN, self.left_out)
        if not self.training:
            raise NothingToLearnError(
                f"no sample to learn from; left out of the training split, by reason: {dict(self.left_out.counts)}"
            )
        validation = self._samples(source, Split.VALIDATION, LeftOut()) if config.validation_samples else []
        validation.sort(key=lambda one: sha256_of(one.sample.id))
        self.validation = sorted(validation[: config.validation_samples], key=lambda one: one.size)
        self.model = self._adapted(start).to(self.device)
        self.trained = {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}
        self.optimiser = torch.optim.AdamW(
            _decay_groups(self.trained.values(), config.weight_decay), lr=config.learning_rate, betas=config.adam_betas
        )
        self.epoch_samples = len(self._epoch_places(0))
        self.epoch_batches = batches_of_epoch(self.epoch_samples, config.batch_size)
        by_epochs = math.ceil(config.epochs * self.epoch_batches / config.gradient_accumulation)
        self.steps = min(by_epochs, config.max_steps or by_epochs)
        self.position = Position(0, [])
        self.best: dict[str, Tensor] | None = None
        self.versions: dict[str, str] = {}  # of what a back end trains with, besides the libraries of this process
        self._ordered: tuple[int, list[list[int]]] | None = None

    def _samples(self, source: SampleSource, split: Split, left_out: LeftOut) -> list[EncodedSample]:
        samples, unread = read_samples(
            source,
            split,
            self.config.tasks,
            lines=self.lines,
            spool=self.work / "pages" / str(split),
            most_lines=self.config.lines_of_region,
        )
        left_out.merge(unread)
        return self.encoder.encode_all(samples, self.config.max_tokens, left_out)

    def _adapted(self, start: AnyPath | None) -> Any:
        config = self.config
        model = load_model(self.base, torch.bfloat16 if config.dtype == "bfloat16" else torch.float32)
        if config.gradient_checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
            model.enable_input_require_grads()
        if start is None and config.fine_tuning == "full":
            return model
        targets = config.target_modules if isinstance(config.target_modules, str) else list(config.target_modules)
        if start is None:
            return add_lora(
                model,
                LoraConfig(
                    r=config.rank,
                    lora_alpha=config.alpha,
                    lora_dropout=config.dropout,
                    target_modules=targets,
                    modules_to_save=list(config.modules_to_save) or None,
                ),
            )
        before = adapter_record(start)["config"]
        for setting in ("fine_tuning", "rank", "alpha", "dropout", "target_modules", "modules_to_save"):
            if before[setting] != config.model_dump(mode="json")[setting]:
                raise UserError(
                    f"{setting}: {getattr(config, setting)!r}, but the adapter to go on from ({start}) "
                    f"has {before[setting]!r}; keep the setting, or set start_from: base"
                )
        return add_adapter(model, start, self.base, trainable=True)

    def _epoch_places(self, epoch: int) -> list[int]:
        batches = [one.sample.batch for one in self.training]
        return chosen_for_epoch(batches, self.config.replay_share, self.config.seed, epoch)

    def _batch(self, number: int) -> list[EncodedSample]:
        """Return a forward pass's samples, counted from the training's beginning."""
        epoch, place = divmod(number, self.epoch_batches)
        if self._ordered is None or self._ordered[0] != epoch:
            places = self._epoch_places(epoch)
            lengths = [self.training[place].size for place in places]
            order = order_of_epoch(lengths, self.config.batch_size, self.config.seed, epoch)
            self._ordered = epoch, [[places[index] for index in batch] for batch in order]
        return [self.training[index] for index in self._ordered[1][place]]

    def _rate(self, step: int) -> float:
        """Return the learning rate of a step: a linear rise, then half a cosine (Loshchilov & Hutter 2016)."""
        config = self.config
        warmup = math.ceil(config.warmup * self.steps)
        if step < warmup:
            return config.learning_rate * (step + 1) / warmup
        way = (step - warmup) / max(1, self.steps - warmup)
        return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) * (
            0.5 + 0.5 * math.cos(math.pi * way)
        )

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.config.bf16_autocast else nullcontext()

    def _summed_loss(self, batch: Sequence[EncodedSample], vary: Vary | None = None, *, weighted: bool) -> Tensor:
        if self.lines:
            return summed_loss_of_lines(self.model, self.encoder, batch, self._autocast(), vary, weighted=weighted)
        inputs = {name: tensor.to(self.device) for name, tensor in self.encoder.collate(batch, vary).items()}
        labels, weights = inputs.pop("labels"), inputs.pop("weights", None)
        return summed_loss(self.model, inputs, labels, self._autocast(), weights if weighted else None)

    def train(self, on_step: OnStep | None) -> None:
        """Take all steps that are left."""
        self._resume()
        live = self.work / TENSORBOARD_FOLDER
        if self.position.step == 0:
            remove_folder(live)
            self._record(0, validation_loss=self._validate())
        with SummaryWriter(str(live), purge_step=self.position.step + 1) as writer:
            while self.position.step < self.steps and not self._patience_is_over():
                progress = self._step()
                self._show(writer, progress)
                if progress.step % self.config.checkpoint_every == 0 or progress.step == self.steps:
                    save_checkpoint(
                        self.work, self.fingerprint, self.position, self.trained, self.optimiser, best=self.best
                    )
                if on_step:
                    on_step(progress)

    def _resume(self) -> None:
        found = load_checkpoint(self.work, self.fingerprint, self.trained, self.optimiser)
        if found:
            self.position, self.best = found

    def _step(self) -> TrainingProgress:
        config, step = self.config, self.position.step + 1
        first = (step - 1) * config.gradient_accumulation
        batches = [self._batch(number) for number in range(first, first + config.gradient_accumulation)]
        vary = self._vary(step) if config.augmentation else None
        answered = sum(sum(one.weights) if one.weights else len(one.answer) for batch in batches for one in batch)
        rate = self._rate(step - 1)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train()
        loss = 0.0
        for batch in batches:
            part = self._summed_loss(batch, vary, weighted=True) / answered
            part.backward()
            loss += float(part.detach())
        norm = float(nn.utils.clip_grad_norm_(self.trained.values(), config.gradient_clip))
        if not math.isfinite(loss) or not math.isfinite(norm):
            names = [one.sample.id for batch in batches for one in batch]
            raise TrainingDivergedError(
                f"step {step}: loss {loss}, gradient norm {norm}; lower learning_rate (it is "
                f"{config.learning_rate}) or look at these samples: {', '.join(names)}"
            )
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        last = step == self.steps
        self.position = Position(step, self.position.metrics, self.position.best_step)
        validation = self._validate() if last or step % config.validate_every == 0 else None
        if last or validation is not None or step % config.log_every == 0 or step == 1:
            self._record(step, loss=loss, learning_rate=rate, gradient_norm=norm, validation_loss=validation)
        return TrainingProgress(step, self.steps, loss, validation)

    def _vary(self, step: int) -> Vary:
        """Return what varies a step's lines: a function of seed, step and sample, as all else about a step is."""
        config = self.config
        return lambda image, name: vary_line(image, Random(f"vary:{config.seed}:{step}:{name}"), config.augmentation)

    def _record(self, step: int, **values: float | None) -> None:
        # Keys in order, as a checkpoint gives them back, so that a resumed run writes the same bytes.
        known = {
            name: round(value, 6 if name != "learning_rate" else 10)
            for name, value in sorted({"step": step, **values}.items())
            if value is not None
        }
        position = self.position
        best_step = position.best_step
        if "validation_loss" in known and self.config.early_stopping_patience:
            lowest = min(
                (record["validation_loss"] for record in position.metrics if "validation_loss" in record),
                default=math.inf,
            )
            if known["validation_loss"] < lowest:
                best_step, self.best = step, storable(dict(self.trained))
        self.position = Position(position.step, [*position.metrics, known], best_step)

    @torch.no_grad()
    def _validate(self) -> float | None:
        if not self.validation:
            return None
        self.model.eval()
        total = 0.0
        for start in range(0, len(self.validation), self.config.batch_size):
            batch = self.validation[start : start + self.config.batch_size]
            total += float(self._summed_loss(batch, weighted=False))  # so that runs of other weights compare
        return total / sum(len(one.answer) for one in self.validation)

    def _patience_is_over(self) -> bool:
        patience, best = self.config.early_stopping_patience, self.position.best_step
        if not patience or best is None:
            return False
        measured = [record["step"] for record in self.position.metrics if "validation_loss" in record]
        return sum(step > best for step in measured) >= patience

    def _show(self, writer: SummaryWriter, progress: TrainingProgress) -> None:
        writer.add_scalar("loss/train", progress.loss, progress.step)
        writer.add_scalar("learning_rate", self._rate(progress.step - 1), progress.step)
        if progress.validation_loss is not None:
            writer.add_scalar("loss/validation", progress.validation_loss, progress.step)

    def publish(self, output: AnyPath) -> TrainingSummary:
        """Write the finished adapter; training.json comes last."""
        if self.best is not None:
            set_weights(self.trained, self.best)
        summary = self._summary()
        remove_folder(output / TENSORBOARD_FOLDER)
        copy_folder(self.work / TENSORBOARD_FOLDER, output / TENSORBOARD_FOLDER)
        write_json_lines(output / METRICS_FILE, self.position.metrics)
        weights = save_adapter(self.model, output, self.base)
        write_json(
            output / TRAINING_RECORD,
            {
                "fingerprint": self.fingerprint,
                "weights": weights,
                "config": self.config.model_dump(mode="json"),
                "base": {"name": self.base.name, "content": self.base.content},
                "data_version": self.data_version,
                "device": self.device.type,
                "left_out_examples": self.left_out.examples,
                "versions": {library.__name__: str(library.__version__) for library in (torch, transformers, peft)}
                | self.versions,
                "summary": asdict(summary),
            },
        )
        remove_folder(self.work / "pages")
        return summary

    def _summary(self) -> TrainingSummary:
        losses = [record["loss"] for record in self.position.metrics if "loss" in record]
        validation = [record["validation_loss"] for record in self.position.metrics if "validation_loss" in record]
        tenth = max(1, len(losses) // 10)
        kept = min(validation) if validation and self.best is not None else validation[-1] if validation else None
        return TrainingSummary(
            steps=self.position.step,
            samples=len(self.training),
            validation_samples=len(self.validation),
            left_out=dict(sorted(self.left_out.counts.items())),
            first_loss=sum(losses[:tenth]) / tenth if losses else None,
            last_loss=sum(losses[-tenth:]) / tenth if losses else None,
            first_validation_loss=validation[0] if validation else None,
            last_validation_loss=kept,
            stopped_early=self.position.step < self.steps,
            base=self.base.identity,
            trainable_parameters=sum(weight.numel() for weight in self.trained.values()),
            backend=self.config.backend,
        )


def _decay_groups(weights: Iterable[nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Return AdamW's groups: matrices decay, biases and norms do not."""
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for weight in weights:
        groups[weight.ndim > 1].append(weight)
    return [{"params": groups[True], "weight_decay": decay}, {"params": groups[False], "weight_decay": 0.0}]
