"""Asset `base_model`: the checkpoint that adapters are trained on, observed with its content's hash."""

import warnings

import dagster as dg

from finscribe_assets.model.bases import find_base, load_model
from finscribe_assets.orchestration.assets.groups import declared
from finscribe_assets.orchestration.resources import ProfileResource

BASE_MODEL = dg.AssetSpec(
    "base_model",
    **declared("training", "pytorch", "safetensors", partitioned=False),
    description="The checkpoint that adapters are trained on: the one embedded in this package, or the one that the "
    "profile's preset names. Its data version is its content's hash.",
)


with warnings.catch_warnings():
    # A plain observable asset takes no owners. The decorator that does is in beta, which the pinned version settles.
    warnings.simplefilter("ignore", dg.BetaWarning)

    @dg.multi_observable_source_asset(specs=[BASE_MODEL])
    def base_model(profile: ProfileResource) -> dg.ObserveResult:
        """Observe the base's content."""
        base = find_base(profile.training_config().base)
        return dg.ObserveResult(
            data_version=dg.DataVersion(base.content),
            metadata={"base": base.name, "sha256": base.content, "folder": dg.MetadataValue.path(str(base.folder))},
        )


@dg.asset_check(asset="base_model", blocking=True)
def base_is_whole(profile: ProfileResource) -> dg.AssetCheckResult:
    """Load the checkpoint and look for weights that are not finite."""
    model = load_model(find_base(profile.training_config().base))
    broken = [name for name, weight in model.named_parameters() if not bool(weight.isfinite().all())]
    return dg.AssetCheckResult(
        passed=not broken,
        metadata={"parameters": model.num_parameters(), "not_finite": dg.MetadataValue.json(broken[:20])},
    )
