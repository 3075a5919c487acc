"""Group training: the base that adapters are trained on, and a batch's adapter."""

import json
from statistics import fmean

import dagster as dg
import yaml
from pydantic import Field
from upath import UPath

from finscribe_assets.model.adapters import adapter_hash
from finscribe_assets.model.bases import find_base, load_model
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.partitions import batches_until, synthesis
from finscribe_assets.orchestration.pipes import launch_through
from finscribe_assets.orchestration.resources import Sizes, Storage
from finscribe_assets.training.adapter_training import TRAINER_VERSION, TrainingProgress
from finscribe_assets.training.backends import train
from finscribe_assets.training.loss_curves import loss_curve
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders

GROUP = "training"
OWNERS = ["team:document-ai"]


BASE_MODEL = dg.AssetSpec(
    "base_model",
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "safetensors"},
    description="The checkpoint that adapters are trained on, embedded in this package or named by the profile's "
    "preset. Its data version is its content's hash.",
)


@dg.multi_observable_source_asset(specs=[BASE_MODEL])
def base_model(sizes: Sizes) -> dg.ObserveResult:
    """Observe the base's content; its spec is BASE_MODEL, as a plain observable asset has no owners."""
    name = sizes.get().training_config().base
    base = find_base(name)
    return dg.ObserveResult(
        data_version=dg.DataVersion(base.content),
        metadata={"base": base.name, "sha256": base.content, "folder": dg.MetadataValue.path(str(base.folder))},
    )


@dg.asset_check(asset="base_model", blocking=True)
def base_is_whole(sizes: Sizes) -> dg.AssetCheckResult:
    """Load the checkpoint and look for weights that are no finite number."""
    base = find_base(sizes.get().training_config().base)
    model = load_model(base)
    broken = [name for name, weight in model.named_parameters() if not bool(weight.isfinite().all())]
    return dg.AssetCheckResult(
        passed=not broken,
        metadata={"parameters": model.num_parameters(), "not_finite": dg.MetadataValue.json(broken[:20])},
    )


class TrainingConfig(dg.Config):
    """Settings of the adapter's training that differ from the profile's, by their names in AdapterConfig."""

    overrides: dict[str, str] = Field(default={})


@dg.asset(
    partitions_def=synthesis,
    deps=[BASE_MODEL],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "safetensors"},
    code_version=str(TRAINER_VERSION),
    pool="gpu",
    description="An adapter, LoRA or full, trained on all batches up to this one, as the manifest lists them.",
    check_specs=[
        # Where a base knows nearly all that it is shown, losses hardly fall; whether the adapter is better, the report
        # says. A loss that is not finite ends the training.
        dg.AssetCheckSpec(
            "loss_fell",
            asset="trained_adapter",
            description="The last quarter's training loss is on average below the first quarter's.",
        ),
        dg.AssetCheckSpec(
            "validation_loss_fell",
            asset="trained_adapter",
            description="The validation loss at the end is below the one before the first step.",
        ),
    ],
)
def trained_adapter(
    context: dg.AssetExecutionContext,
    config: TrainingConfig,
    dataset_splits: UPath,
    storage: Storage,
    sizes: Sizes,
    pipes: dg.PipesSubprocessClient,
) -> dg.MaterializeResult:
    """Train the batch's adapter; a killed run goes on from its last checkpoint."""
    key, folder = context.partition_key, storage.folder_of(context)
    # The command line gives text; YAML's reading of it gives numbers and lists their types.
    settings = sizes.get().training_config({name: yaml.safe_load(text) for name, text in config.overrides.items()})
    keys = batches_until(dataset_splits)
    source = SampleSource(
        dataset_splits,
        tuple(
            TrainingBatchFolders(
                batch, storage.folder("instruction_pairs", batch), storage.folder("rendered_images", batch)
            )
            for batch in keys
        ),
    )
    before = storage.folder("trained_adapter", keys[-2]) if len(keys) > 1 else None

    def on_step(progress: TrainingProgress) -> None:
        if progress.step % max(1, progress.steps // 20) == 0 or progress.step == progress.steps:
            measured = "" if progress.validation_loss is None else f", validation {progress.validation_loss:.4f}"
            context.log.info(f"step {progress.step} of {progress.steps}: loss {progress.loss:.4f}{measured}")

    summary = train(
        settings,
        source,
        folder,
        storage.work_folder("trained_adapter", key),
        previous=before,
        on_step=on_step,
        launch=launch_through(context, pipes),
    )
    first, last = summary.first_validation_loss, summary.last_validation_loss
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    losses = [record["loss"] for record in metrics if "loss" in record]
    quarter = max(1, len(losses) // 4)
    early, late = fmean(losses[:quarter]), fmean(losses[-quarter:])
    return dg.MaterializeResult(
        data_version=dg.DataVersion(adapter_hash(folder)),
        metadata={
            "base": summary.base,
            "backend": summary.backend,
            "fallback_reason": summary.fallback_reason or "none: the back end that was asked for trained",
            "steps": summary.steps,
            "samples": summary.samples,
            "trainable_parameters": summary.trainable_parameters,
            "first_validation_loss": first if first is not None else "not measured",
            "last_validation_loss": last if last is not None else "not measured",
            "left_out": table({"reason": reason, "pairs": count} for reason, count in summary.left_out.items()),
            "loss": picture(loss_curve(metrics), f"training loss, validation from {first} to {last}"),
            "settings": dg.MetadataValue.json(json.loads(settings.model_dump_json())),
            "already_there": summary.already_there,
            "tensorboard": dg.MetadataValue.path(str(folder / "tensorboard")),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="loss_fell",
                severity=dg.AssetCheckSeverity.WARN,
                passed=late < early,
                metadata={"first_quarter": early, "last_quarter": late},
            ),
            dg.AssetCheckResult(
                check_name="validation_loss_fell",
                severity=dg.AssetCheckSeverity.WARN,
                passed=first is not None and last is not None and last < first,
                metadata={"first": first or 0.0, "last": last or 0.0},
            ),
        ],
    )
