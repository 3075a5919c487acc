"""Probe: the adapter in use after a batch, and the bare base beside it, are examined by designed experiments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finscribe_assets.device_lock import device_lock
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.report_opening import HarmfulEffect, RobustnessSection
from finscribe_assets.files import AnyPath, read_json, write_bytes, write_json
from finscribe_assets.inference.reader import Reader
from finscribe_assets.iteration.batch_documents import ADAPTER, BASE, batch_mapping
from finscribe_assets.iteration.batch_storage import BatchStorage, PlanFiles, Stage
from finscribe_assets.iteration.promoting import adapter_folder, adapter_in_use
from finscribe_assets.model.adapters import TRAINING_RECORD
from finscribe_assets.model.torch_runtime import gpu_name
from finscribe_assets.probing.factor_effects import EffectVerdict, FactorEffect
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.probing.robustness_map import EffectChange, compare_effects, robustness_map
from finscribe_assets.probing.sequential_probe import ProbeResult, ProbeSettings, probe_reader
from finscribe_assets.shards import ShardPool

READINGS_FOLDER = "readings"  # beside the batches' folders: readings of all readers, none of which is made twice
EFFECTS_FILE, INTERACTIONS_FILE, COMPARISON_FILE = "effects.json", "interactions.json", "comparison.json"
ROBUSTNESS_MAP_FILE = "robustness_map.png"


@dataclass(frozen=True)
class ReaderProbe:
    """What probes of a base, and of an adapter on it, found.

    Attributes:
        results: By reader, BASE first; ADAPTER where there is one.
        changes: What the adapter repaired, broke and left.
        picture: The robustness map, a PNG.
    """

    results: dict[str, ProbeResult]
    changes: tuple[EffectChange, ...]
    picture: bytes

    @property
    def examined(self) -> ProbeResult:
        """Return the result of the adapter, or of the base where there is none."""
        return self.results.get(ADAPTER, self.results[BASE])

    def write(self, folder: AnyPath) -> None:
        """Write effects, interactions, the comparison and the map; those of the base have names of their own."""
        for name, result in self.results.items():
            prefix = "base_" if name == BASE and ADAPTER in self.results else ""
            write_json(folder / f"{prefix}{EFFECTS_FILE}", [one.model_dump(mode="json") for one in result.effects])
            write_json(
                folder / f"{prefix}{INTERACTIONS_FILE}", [one.model_dump(mode="json") for one in result.interactions]
            )
        if ADAPTER in self.results:
            write_json(folder / COMPARISON_FILE, [one.model_dump(mode="json") for one in self.changes])
        write_bytes(folder / ROBUSTNESS_MAP_FILE, self.picture)


def probe_beside_base(probe: Callable[[str, tuple[str, ...]], ProbeResult], *, has_adapter: bool) -> ReaderProbe:
    """Probe a base, then its adapter on the same documents, watching what the base fails at.

    Args:
        probe: Probes the reader of a name (BASE or ADAPTER); it is given the factors to watch.
        has_adapter: Whether there is an adapter.
    """
    results = {BASE: probe(BASE, ())}
    if has_adapter:
        results[ADAPTER] = probe(ADAPTER, tuple(results[BASE].harmful))
    changes = compare_effects(results[BASE].effects, results[ADAPTER].effects) if has_adapter else ()
    return ReaderProbe(results, changes, robustness_map(results, changes))


def probe_adapter_in_use(
    storage: BatchStorage,
    plans: PlanFiles,
    key: str,
    settings: ProbeSettings,
    pool: ShardPool,
    *,
    dpi: int,
    progress: Callable[[int, str], Callable[[int], None]],
) -> ReaderProbe:
    """Probe the adapter in use after a batch, beside the bare base, and store what is found.

    Args:
        storage: Where the batch is, and the results go.
        plans: The first batch's plan has the recipe whose factors are probed.
        key: The batch.
        settings: Budget and seed; the same for all batches, so that effects compare.
        pool: Where documents are rendered.
        dpi: Resolution of the pages.
        progress: Called with a number of pages and a text for each reader; returns what is told of progress.
    """
    adapter = adapter_folder(storage, adapter_in_use(storage, key))
    config = read_json(storage.folder(Stage.TRAINED_ADAPTER, key) / TRAINING_RECORD)["config"]
    recipe, mapping = plans.deployment_recipe(), batch_mapping(storage, key)
    cache = storage.folder(Stage.READER_PROBE, key).parent / READINGS_FOLDER  # all batches share it

    def probe(name: str, watched: tuple[str, ...]) -> ProbeResult:
        reader = Reader(config["base"], adapter if name == ADAPTER else None, threads=config["threads"])
        return probe_reader(
            RenderedReader(reader, pool, dpi, mapping),
            recipe,
            settings,
            watched=watched,
            cache=cache,
            on_pages=progress(settings.budget, f"pages read by the {name}"),
        )

    with device_lock(gpu_name(), f"the probe of {key}"):
        found = probe_beside_base(probe, has_adapter=adapter is not None)
    found.write(storage.folder(Stage.READER_PROBE, key))
    return found


def stored_effects(storage: BatchStorage, key: str) -> list[FactorEffect]:
    """Return the effects that a batch's probe found of the adapter in use."""
    found = read_json(storage.folder(Stage.READER_PROBE, key) / EFFECTS_FILE)
    return [FactorEffect.model_validate(effect) for effect in found]


def stored_robustness(storage: BatchStorage, key: str, recipe: Recipe | None = None) -> RobustnessSection:
    """Return what a batch's probe found, for the report: the robustness map and its rows.

    Args:
        storage: Where the batch is.
        key: The batch.
        recipe: Whose factors were probed; with it the report can show pages that have them.
    """
    folder = storage.folder(Stage.READER_PROBE, key)
    effects = [one for one in stored_effects(storage, key) if one.verdict is EffectVerdict.HARMFUL]
    compared = (folder / COMPARISON_FILE).exists()
    rows = read_json(folder / COMPARISON_FILE) if compared else [one.model_dump(mode="json") for one in effects]
    harmful = tuple(HarmfulEffect(one.factor, one.element, one.effect, one.low, one.high, one.pairs) for one in effects)
    reader = "the adapter in use" if compared else "the base, since no adapter is in use"
    return RobustnessSection((folder / ROBUSTNESS_MAP_FILE).read_bytes(), rows, harmful, reader, recipe)
