"""Every asset, in a module of its own name."""

import dagster as dg

from finscribe_assets.orchestration.assets.adapter_registry import adapter_registry
from finscribe_assets.orchestration.assets.base_model import base_model
from finscribe_assets.orchestration.assets.dataset_splits import dataset_splits
from finscribe_assets.orchestration.assets.evaluation_report import evaluation_report
from finscribe_assets.orchestration.assets.exam import exam
from finscribe_assets.orchestration.assets.fitted_recipe import fitted_recipe
from finscribe_assets.orchestration.assets.hard_sample_plan import hard_sample_plan
from finscribe_assets.orchestration.assets.instruction_pairs import instruction_pairs
from finscribe_assets.orchestration.assets.iterations import iterations
from finscribe_assets.orchestration.assets.predictions import predictions
from finscribe_assets.orchestration.assets.reader_probe import reader_probe
from finscribe_assets.orchestration.assets.real_documents import real_documents
from finscribe_assets.orchestration.assets.real_predictions import real_predictions
from finscribe_assets.orchestration.assets.real_report import real_report
from finscribe_assets.orchestration.assets.rendered_images import rendered_images
from finscribe_assets.orchestration.assets.review_queue import review_queue
from finscribe_assets.orchestration.assets.seed_plan import seed_plan
from finscribe_assets.orchestration.assets.service_drift import service_drift
from finscribe_assets.orchestration.assets.synthetic_documents import synthetic_documents
from finscribe_assets.orchestration.assets.trained_adapter import trained_adapter
from finscribe_assets.orchestration.partitions import synthesis

all_assets = [
    base_model,
    seed_plan,
    synthetic_documents,
    rendered_images,
    instruction_pairs,
    dataset_splits,
    trained_adapter,
    exam,
    adapter_registry,
    reader_probe,
    predictions,
    evaluation_report,
    hard_sample_plan,
    iterations,
    real_documents,
    real_predictions,
    real_report,
    review_queue,
    fitted_recipe,
    service_drift,
]

# What an iteration materialises, each after what it depends on: all that has a partition of the loop.
iteration_assets: list[dg.AssetsDefinition] = [
    asset for asset in all_assets if isinstance(asset, dg.AssetsDefinition) and asset.partitions_def == synthesis
]
iteration_keys: list[dg.AssetKey] = [asset.key for asset in iteration_assets]

# What a batch of the inbox goes through, each after what it depends on.
inbox_assets: list[dg.AssetsDefinition] = [real_documents, real_predictions, real_report, review_queue]
