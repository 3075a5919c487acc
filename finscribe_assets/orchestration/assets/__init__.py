"""Every asset, a module a group."""

import dagster as dg

from finscribe_assets.orchestration.assets import dataset_assets, evaluation_assets, synthesis_assets, training_assets

all_assets = [
    training_assets.base_model,
    synthesis_assets.seed_plan,
    synthesis_assets.synthetic_documents,
    synthesis_assets.rendered_images,
    dataset_assets.instruction_pairs,
    dataset_assets.dataset_splits,
    training_assets.trained_adapter,
    evaluation_assets.predictions,
    evaluation_assets.evaluation_report,
    evaluation_assets.hard_sample_plan,
]

all_checks = [training_assets.base_is_whole]

# What an iteration materialises: all that has a partition.
iteration_keys: list[dg.AssetKey] = [
    asset.key for asset in all_assets if isinstance(asset, dg.AssetsDefinition) and asset.partitions_def is not None
]
