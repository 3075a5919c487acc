"""Asset `base_model`: the checkpoint that adapters are trained on, recorded with its content's hash."""

import dagster as dg

from finscribe_assets.orchestration.assets.groups import declared
from finscribe_assets.orchestration.resources import ProfileResource


@dg.asset(
    **declared("training", "pytorch", "safetensors", partitioned=False),
    code_version="1",
    description="The checkpoint that adapters are trained on: the one embedded in this package, or the one that the "
    "profile's preset names. Nothing is written: each iteration looks at it, and its data version is its content's "
    "hash.",
    check_specs=[
        dg.AssetCheckSpec(
            "base_is_whole", asset="base_model", blocking=True, description="It loads, and its weights are finite."
        )
    ],
)
def base_model(profile: ProfileResource) -> dg.MaterializeResult:
    """Load the checkpoint and record its content's hash."""
    from finscribe_assets.model.bases import find_base, load_model

    base = find_base(profile.training_config().base)
    model = load_model(base)
    broken = [name for name, weight in model.named_parameters() if not bool(weight.isfinite().all())]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(base.content),
        metadata={
            "base": base.name,
            "sha256": base.content,
            "folder": dg.MetadataValue.path(str(base.folder)),
            "parameters": model.num_parameters(),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="base_is_whole",
                passed=not broken,
                metadata={"not_finite": dg.MetadataValue.json(broken[:20])},
            )
        ],
    )
