"""Commands around models: pretrain-base, train, predict, extract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml

from finscribe_assets.cli.progress import bar, console
from finscribe_assets.cli.synthesising import WorkerCount, Workspace, plan_key
from finscribe_assets.profiles import workers_from_environment

Base = Annotated[
    str, typer.Option(help="embedded, a folder with a checkpoint, or a hub name such as PaddlePaddle/PaddleOCR-VL.")
]
Adapter = Annotated[
    Path | None,
    typer.Option(help="Folder of an adapter; without it, the bare base reads.", exists=True, file_okay=False),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("pretrain-base")(pretrain_base)
    for command in (train, predict, extract):
        app.command()(command)


def _settings(given: list[str]) -> dict[str, object]:
    settings = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"--set: {item!r} is not of the form name=value")
        settings[name] = yaml.safe_load(value)
    return settings


def pretrain_base(
    out: Annotated[Path, typer.Option(help="Folder for the base: safetensors, tokenizer, processor, chat template.")],
    work: Annotated[
        Path, typer.Option(help="Folder for prepared lines and checkpoints; a killed run goes on from it.")
    ],
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A setting of PretrainConfig, as name=value; often used: joint_steps=8000, threads=2."
        ),
    ] = None,
    commit: Annotated[str, typer.Option(help="Commit of the code, for the model card.")] = "unknown",
    workers: WorkerCount = None,
) -> None:
    """Train the embedded base from random weights: PaddleOCR-VL's architecture at 2M parameters, an hour on one core.

    It learns glyphs from lines drawn directly, then spelling, then whole lines cut from rendered pages.
    """
    from finscribe_assets.evaluation.base_card import describe_base
    from finscribe_assets.training.pretraining import PretrainConfig, pretrain

    config = PretrainConfig.model_validate(_settings(setting or []))
    total = config.vision_steps + config.language_steps + config.joint_steps
    done = 0
    with bar(total, "steps") as advance:

        def report(record: dict[str, object]) -> None:
            nonlocal done
            step = int(str(record["step"]))
            advance(step - done)
            done = step
            console.print_json(data=record) if not console.is_terminal else None

        pretrain(config, work, out, workers=workers or workers_from_environment(), report=report)
    with console.status("scoring on documents that were not trained on"):
        describe_base(out, work, config, commit)
    console.print(f"Base in {out}, its scores in {out / 'README.md'}; use it with `finscribe train --set base={out}`")


def train(
    workspace: Workspace,
    out: Annotated[Path, typer.Option(help="Folder for the adapter: safetensors, metrics.jsonl, tensorboard/.")],
    preset: Annotated[
        str, typer.Option(help="embedded, mission, paddleformers-lora or full-size-small-memory.")
    ] = "embedded",
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting that differs from the preset's, as name=value: base=folder, epochs=2, learning_rate=5e-5.",
        ),
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--with", help="Workspace of an earlier batch, oldest first, as given to `finscribe split`."),
    ] = None,
    previous: Adapter = None,
) -> None:
    """Train a LoRA adapter on a workspace's train split; a killed run goes on from its last checkpoint."""
    from finscribe_assets.training.adapter import Progress, train_adapter
    from finscribe_assets.training.configuration import load_preset
    from finscribe_assets.training.samples import BatchFolders, SampleSource

    config = load_preset(preset, **_settings(setting or []))
    source = SampleSource(
        workspace / "splits",
        tuple(
            BatchFolders(plan_key(folder), folder / "pairs", folder / "images")
            for folder in [*(earlier or []), workspace]
        ),
    )
    done = 0
    with bar(None, "training") as advance:

        def on_step(progress: Progress) -> None:
            nonlocal done
            advance(progress.step - done, of=progress.steps)
            done = progress.step
            if progress.validation_loss is not None:
                console.print(f"step {progress.step} of {progress.steps}: loss {progress.loss:.4f}, "
                              f"validation {progress.validation_loss:.4f}")  # fmt: skip

        summary = train_adapter(config, source, out, out / "work", previous=previous, on_step=on_step)
    for reason, count in sorted(summary.left_out.items()):
        console.print(f"left out: {count} pairs, {reason}")
    console.print(
        f"{summary.samples} samples, {summary.steps} steps: validation loss {summary.first_validation_loss} → "
        f"{summary.last_validation_loss}. Adapter in {out}"
    )


def predict(
    workspace: Workspace,
    adapter: Adapter = None,
    base: Base = "embedded",
    out: Annotated[
        Path | None, typer.Option(help="Folder for predictions.jsonl; WORKSPACE/predictions unless given.")
    ] = None,
    split: Annotated[list[str] | None, typer.Option(help="Splits to read; validation and test unless given.")] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of the processor; a confidence's last digits may depend on it.")
    ] = 1,
) -> None:
    """Read a workspace's documents with a model, and write predictions.jsonl for `evaluate` and `mine`.

    The embedded model reads lines at the places that the renderer knows; the report calls that an oracle, as it is.
    """
    from finscribe_assets.cli.synthesising import documents_of_split
    from finscribe_assets.inference.predict import PREDICTIONS_FILE, predict_batch

    splits = workspace / "splits"
    asked = {name for part in split or ["validation", "test"] for name in documents_of_split(splits, part)}
    folder = out or workspace / "predictions"
    with bar(len(asked), "documents read") as advance:
        summary = predict_batch(
            [workspace / "images"],
            asked,
            folder,
            base=base,
            adapter=adapter,
            threads=threads,
            on_documents=advance,
        )
    took = "read before" if summary.seconds_per_document is None else f"{summary.seconds_per_document:.2f} s a document"
    console.print(
        f"{summary.documents} documents in {folder / PREDICTIONS_FILE} ({took}; regions: {summary.layout or 'none'})"
    )


def extract(
    images: Annotated[
        list[Path],
        typer.Argument(
            help="Image files: a page for a real model, a single line for the "
            "embedded one, or a shard of rendered pages (part-00000.parquet)."
        ),
    ],
    adapter: Adapter = None,
    base: Base = "embedded",
    box: Annotated[
        str | None, typer.Option(help="Read only x0,y0,x1,y1 of each image, in pixels from the top left.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="Prompt, where the stock one is not wanted.")] = None,
    document: Annotated[str | None, typer.Option(help="Of a shard: read this document only.")] = None,
) -> None:
    """Read images and print what stands in them, one JSON object a line."""
    import json

    from finscribe_assets.inference.extract import extract_image, extract_rendered, parse_box
    from finscribe_assets.inference.reader import Reader

    place = parse_box(box) if box else None
    reader = Reader(base, adapter)
    for path in images:
        if path.suffix == ".parquet":
            for record in extract_rendered(reader, path, document):
                typer.echo(json.dumps(record, ensure_ascii=False))
            continue
        read = extract_image(reader, path, place, prompt)
        typer.echo(json.dumps({"image": str(path), "text": read.text, "confidence": read.confidence,
                               "truncated": read.truncated}, ensure_ascii=False))  # fmt: skip
