"""Every asset, a module a group."""

import dagster as dg

from finscribe_assets.orchestration.assets import dataset, evaluation, synthesis, training

all_assets = [
    training.base_model,
    synthesis.seed_plan,
    synthesis.synthetic_documents,
    synthesis.rendered_images,
    dataset.instruction_pairs,
    dataset.dataset_splits,
    training.trained_adapter,
    evaluation.predictions,
    evaluation.evaluation_report,
    evaluation.hard_sample_plan,
]

all_checks = [training.base_is_whole]

# What an iteration materialises: all that has a partition.
iteration_keys: list[dg.AssetKey] = [
    asset.key for asset in all_assets if isinstance(asset, dg.AssetsDefinition) and asset.partitions_def is not None
]
