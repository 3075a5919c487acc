"""Jobs: the whole iteration, its two halves, what a batch of the inbox goes through, the fit to it, and the service.

https://docs.dagster.io/guides/build/jobs
"""

from __future__ import annotations

import dagster as dg

from finscribe_assets.orchestration.assets import iteration_keys
from finscribe_assets.orchestration.assets.base_model import base_model
from finscribe_assets.orchestration.assets.groups import REAL
from finscribe_assets.orchestration.assets.iterations import iterations

iterate = dg.define_asset_job(
    "iterate",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups(REAL),
    description="One whole iteration: documents, pages, pairs, splits, adapter, exam, probe, report and plan.",
)

next_iteration = dg.define_asset_job(
    "next_iteration",
    selection=dg.AssetSelection.assets(base_model, *iteration_keys, iterations),
    description="One whole iteration of a later batch, from the plan that the iteration before has stored.",
)

synthesize = dg.define_asset_job(
    "synthesize",
    selection=dg.AssetSelection.groups("synthesis", "dataset"),
    description="Documents, pages, pairs and splits of a batch, without training.",
)

train_and_evaluate = dg.define_asset_job(
    "train_and_evaluate",
    selection=dg.AssetSelection.groups("training", "evaluation"),
    description="Adapter, exam, probe, predictions, report and plan from existing splits.",
)

read_inbox = dg.define_asset_job(
    "read_inbox",
    # A recipe is fitted when a person asks for it: it draws hundreds of documents, and a batch may have three.
    selection=dg.AssetSelection.groups(REAL) - dg.AssetSelection.assets("fitted_recipe", "service_drift"),
    description="Real documents of an inbox batch: import, predictions, report, and the queue for correction.",
)

fit_to_inbox = dg.define_asset_job(
    "fit_to_inbox",
    selection=dg.AssetSelection.assets("fitted_recipe"),
    description="A recipe that is fitted to the real documents of an inbox batch and of those before it.",
)

watch_service = dg.define_asset_job(
    "watch_service",
    selection=dg.AssetSelection.assets("service_drift"),
    description="The latest documents of the HTTP service against earlier ones.",
)

jobs = [iterate, next_iteration, synthesize, train_and_evaluate, read_inbox, fit_to_inbox, watch_service]
