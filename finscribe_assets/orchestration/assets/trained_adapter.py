"""Asset `trained_adapter`: an adapter trained on all batches up to its own."""

import json
import shutil
from statistics import fmean

import dagster as dg
import yaml
from pydantic import Field
from upath import UPath

from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.orchestration.assets.base_model import base_model
from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.pipes import launch_through
from finscribe_assets.orchestration.resources import ProfileResource, Storage
from finscribe_assets.stage_versions import TRAINER_VERSION


class TrainingConfig(dg.Config):
    """Training settings that differ from the profile's, by their names in `AdapterConfig`."""

    overrides: dict[str, str] = Field(default={})


@dg.asset(
    **declared("training", "pytorch", "safetensors"),
    deps=[base_model],
    code_version=str(TRAINER_VERSION),
    pool="gpu",
    description="An adapter (LoRA, or all weights), trained on all batches that the manifest lists.",
    check_specs=[
        # Warnings only: a base that knows nearly all of its samples has losses that hardly fall, and the evaluation
        # report says whether the adapter is better. A loss that is not finite ends the training.
        batch_check(
            "loss_fell",
            asset="trained_adapter",
            description="The mean training loss of the last quarter is below that of the first quarter.",
        ),
        batch_check(
            "validation_loss_fell",
            asset="trained_adapter",
            description="The validation loss after the last step is below the one before the first.",
        ),
    ],
)
def trained_adapter(
    context: dg.AssetExecutionContext,
    config: TrainingConfig,
    dataset_splits: UPath,
    storage: Storage,
    profile: ProfileResource,
    pipes: dg.PipesSubprocessClient,
) -> dg.MaterializeResult:
    """Train the batch's adapter; a killed run resumes from its last checkpoint."""
    from finscribe_assets.importing.inbox import InboxBatches
    from finscribe_assets.iteration.promoting import adapter_folder, adapter_in_use_before
    from finscribe_assets.iteration.real_batches import real_workspaces
    from finscribe_assets.model.adapters import adapter_hash
    from finscribe_assets.training.backends import train
    from finscribe_assets.training.loss_curves import loss_curve
    from finscribe_assets.training.training_history import TrainingProgress
    from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders

    key, folder = context.partition_key, storage.folder_of(context)
    # Dagster's command line passes text; parsed as YAML it has the types of numbers and lists.
    overrides = {name: yaml.safe_load(text) for name, text in config.overrides.items()}
    batches = storage.batches
    keys = batches.keys_until(Stage.DATASET_SPLITS, key)
    in_use = adapter_in_use_before(batches, key)
    is_later = len(keys) > 1
    settings = profile.training_config(overrides, later=is_later)
    if is_later and settings.start_from == "previous" and in_use is None:
        # Nothing was better than the bare base so far, so there is no adapter to go on from.
        usual_rate = profile.training_config().learning_rate
        from_base = {"learning_rate": usual_rate, **overrides, "start_from": "base"}
        settings = profile.training_config(from_base, later=True)
        context.log.warning("no adapter is in use yet, so this one is trained from the bare base")
    started_from = in_use.key if in_use and settings.start_from == "previous" else "bare base"
    source = SampleSource(
        dataset_splits,
        tuple(
            TrainingBatchFolders(
                batch,
                batches.folder(Stage.INSTRUCTION_PAIRS, batch),
                batches.folder(Stage.RENDERED_IMAGES, batch),
            )
            for batch in keys
        ),
        # Nobody's documents are trained on unless the settings ask for a share of them.
        real_workspaces(batches, InboxBatches(storage.root).stored()) if settings.real_share else (),
    )

    def on_step(progress: TrainingProgress) -> None:
        if progress.step % max(1, progress.steps // 20) == 0 or progress.step == progress.steps:
            measured = "" if progress.validation_loss is None else f", validation {progress.validation_loss:.4f}"
            context.log.info(f"{progress.step} of {progress.steps} training steps: loss {progress.loss:.4f}{measured}")

    work = storage.work_folder("trained_adapter", key)
    summary = train(
        settings,
        source,
        folder,
        work,
        previous=adapter_folder(batches, in_use),
        on_step=on_step,
        launch=launch_through(context, pipes),
    )
    shutil.rmtree(work)  # its checkpoints serve a killed training only
    first, last = summary.first_validation_loss, summary.last_validation_loss
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    losses = [record["loss"] for record in metrics if "loss" in record]
    quarter = max(1, len(losses) // 4)
    early, late = fmean(losses[:quarter]), fmean(losses[-quarter:])
    return dg.MaterializeResult(
        data_version=dg.DataVersion(adapter_hash(folder)),
        metadata={
            "base": summary.base,
            "started_from": started_from,
            "newest_share": summary.newest_share,
            "real_share": summary.real_share,
            "real_samples": summary.real_samples,
            "backend": summary.backend,
            "fallback_reason": summary.fallback_reason or "none: the requested back end trained",
            "steps": summary.steps,
            "samples": summary.samples,
            "trainable_parameters": summary.trainable_parameters,
            "first_validation_loss": first if first is not None else "not measured",
            "last_validation_loss": last if last is not None else "not measured",
            "left_out": table({"reason": reason, "pairs": count} for reason, count in summary.left_out.items()),
            "loss": picture(loss_curve(metrics), f"training loss, validation from {first} to {last}"),
            "settings": dg.MetadataValue.json(json.loads(settings.model_dump_json())),
            "already_there": summary.already_there,
            "tensorboard": storage.tensorboard_link(key),
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
