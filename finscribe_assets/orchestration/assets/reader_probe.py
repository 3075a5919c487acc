"""Asset `reader_probe`: which factors harm the adapter in use, by designed experiments."""

import dagster as dg
from upath import UPath

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import PlanStore, ProfileResource, Storage, Workers
from finscribe_assets.shards import kept_workers

EFFECTS_SHOWN = 40


@dg.asset(
    **declared("evaluation", "pytorch", "json"),
    code_version="1",
    pool="gpu",
    description="Which fonts, locales, layouts, document types and knobs harm the adapter in use, and the bare base "
    "beside it: documents are drawn for this alone, with every factor on in some of them and off in others.",
    check_specs=[
        batch_check(
            "every_factor_was_probed",
            asset="reader_probe",
            blocking=True,
            description="The probe has an effect of every reader.",
        ),
    ],
)
def reader_probe(
    context: dg.AssetExecutionContext,
    adapter_registry: UPath,
    storage: Storage,
    plans: PlanStore,
    profile: ProfileResource,
    workers: Workers,
) -> dg.MaterializeResult:
    """Probe the adapter in use after this batch, and the bare base."""
    from finscribe_assets.iteration.reader_probing import probe_adapter_in_use
    from finscribe_assets.probing.factor_effects import EffectVerdict
    from finscribe_assets.probing.sequential_probe import ProbeSettings

    with kept_workers(workers.workers) as pool:
        probed = probe_adapter_in_use(
            storage.batches,
            plans.files,
            context.partition_key,
            ProbeSettings(budget=profile.probe_budget),
            pool,
            dpi=profile.dpi,
            progress=lambda total, text: progress(context, total, text),
        )
    effects = probed.examined.effects
    verdicts = {verdict: sum(one.verdict is verdict for one in effects) for verdict in EffectVerdict}
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(result.documents for result in probed.results.values()),
            **{str(verdict): count for verdict, count in verdicts.items()},
            "harmful_factors": ", ".join(probed.examined.harmful) or "none",
            "robustness_map": picture(probed.picture, "robustness map: " + "; ".join(probed.examined.harmful)),
            "effects": table(one.model_dump(mode="json") for one in effects[:EFFECTS_SHOWN]),
            "changes": table(one.model_dump(mode="json") for one in probed.changes),
            "interactions": table(
                # With spaces, at which the UI wraps them.
                {**one.model_dump(mode="json"), "factors": ", ".join(one.factors).replace("_", " ")}
                for one in probed.examined.interactions
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="every_factor_was_probed",
                passed=all(result.effects for result in probed.results.values()),
                metadata={reader: len(result.effects) for reader, result in probed.results.items()},
            ),
        ],
    )
