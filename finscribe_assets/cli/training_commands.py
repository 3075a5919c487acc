"""Commands that train: pretrain-base, train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml

from finscribe_assets.cli.console_output import bar, console
from finscribe_assets.cli.synthesis_commands import WorkerCount, Workspace, plan_of
from finscribe_assets.errors import UserError
from finscribe_assets.profiles import workers_from_environment


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("pretrain-base")(pretrain_base)
    app.command()(train)


def _settings(given: list[str]) -> dict[str, object]:
    settings = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise UserError(f"--set: {item!r} is not of the form name=value, such as epochs=2")
        settings[name] = yaml.safe_load(value)
    return settings


def pretrain_base(
    out: Annotated[Path, typer.Option(help="Folder for the base: safetensors, tokenizer, processor, chat template.")],
    work: Annotated[
        Path, typer.Option(help="Folder for prepared lines and checkpoints; a killed run resumes from it.")
    ],
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting of PretrainConfig, as name=value, such as joint_steps=8000 or threads=2; repeatable.",
        ),
    ] = None,
    commit: Annotated[str, typer.Option(help="Commit of the code, for the model card.")] = "unknown",
    note: Annotated[str, typer.Option(help="A remark on how the base was made, for the model card.")] = "",
    workers: WorkerCount = None,
) -> None:
    """Train the embedded base from random weights: PaddleOCR-VL's architecture at 2M parameters.

    Three phases: glyphs from lines drawn directly, then spelling, then whole lines cut from rendered pages. The
    defaults take ten minutes on a large GPU (--set device=cuda --set loaders=14) and some hours on one core. With
    --set start_from=embedded (or a folder) the third phase alone goes on from a base.
    """
    from finscribe_assets.pretraining.model_card import describe_base
    from finscribe_assets.pretraining.pretrain import pretrain
    from finscribe_assets.pretraining.pretraining_config import load_pretrain_config

    config = load_pretrain_config(_settings(setting or []))
    done = 0
    with bar(sum(config.phases.values()), "steps") as advance:

        def report(record: dict[str, object]) -> None:
            nonlocal done
            step = int(str(record["step"]))
            advance(step - done)
            done = step
            console.print_json(data=record) if not console.is_terminal else None

        pretrain(config, work, out, workers=workers or workers_from_environment(), report=report)
    with console.status("scoring on documents that were not trained on"):
        describe_base(out, work, config, commit, note=note)
    console.print(f"Base in {out}, its scores in {out / 'README.md'}; use it with `finscribe train --set base={out}`")


def train(
    workspace: Workspace,
    out: Annotated[Path, typer.Option(help="Folder for the adapter: safetensors, metrics.jsonl, tensorboard/.")],
    preset: Annotated[
        str,
        typer.Option(
            help="embedded, mission, paddleformers-lora, paddleformers-full, full-lora-1gpu or full-size-small-memory."
        ),
    ] = "embedded",
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting that replaces the preset's, as name=value: base=folder, epochs=2, learning_rate=5e-5; "
            "repeatable.",
        ),
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--with", help="Workspace of an earlier batch, oldest first, as given to `finscribe split`."),
    ] = None,
    real: Annotated[
        list[Path] | None,
        typer.Option(
            help="Workspace of real documents that people corrected (`finscribe import --train`); `real_share` of each "
            "epoch comes from it; repeatable.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the adapter to start from, where `start_from` is previous.", exists=True, file_okay=False
        ),
    ] = None,
) -> None:
    """Train an adapter (LoRA, or all weights) on a workspace's train split.

    A killed run resumes from its last checkpoint.
    """
    from finscribe_assets.training import backends
    from finscribe_assets.training.adapter_config import load_preset
    from finscribe_assets.training.training_history import TrainingProgress
    from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders

    config = load_preset(preset, **_settings(setting or []))
    source = SampleSource(
        workspace / "splits",
        tuple(
            TrainingBatchFolders(plan_of(folder).key, folder / "pairs", folder / "images")
            for folder in [*(earlier or []), workspace]
        ),
        tuple(real or ()),
    )
    done = 0
    with bar(None, "training") as advance:

        def on_step(progress: TrainingProgress) -> None:
            nonlocal done
            advance(progress.step - done, of=progress.steps)
            done = progress.step
            if progress.validation_loss is not None:
                console.print(
                    f"step {progress.step} of {progress.steps}: loss {progress.loss:.4f}, "
                    f"validation {progress.validation_loss:.4f}"
                )

        summary = backends.train(config, source, out, out / "work", previous=previous, on_step=on_step)
    if summary.fallback_reason:
        console.print(f"trained with {summary.backend}: {summary.fallback_reason}")
    for reason, count in sorted(summary.left_out.items()):
        console.print(f"left out: {count} pairs, {reason}")
    if summary.real_share:
        console.print(f"{summary.real_samples} samples are of real documents: {summary.real_share:.0%} of each epoch")
    console.print(
        f"{summary.samples} samples, {summary.steps} steps: validation loss {summary.first_validation_loss} → "
        f"{summary.last_validation_loss}. Adapter in {out}"
    )
