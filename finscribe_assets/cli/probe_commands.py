"""Commands that examine a reader by designed experiments, and plan from what they find: probe, plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.cli.mining_commands import Frequencies
from finscribe_assets.cli.reader_options import Adapter, Base
from finscribe_assets.cli.synthesis_commands import WorkerCount
from finscribe_assets.profiles import workers_from_environment

if TYPE_CHECKING:
    from finscribe_assets.documents.recipe import Recipe
    from finscribe_assets.probing.robustness_map import EffectChange
    from finscribe_assets.probing.sequential_probe import ProbeResult, ProbeSettings

ROWS_SHOWN = 20
DeploymentRecipe = Annotated[
    Path | None,
    typer.Option(
        help="YAML or JSON recipe that the reader is deployed on: what it can draw is probed or examined.",
        exists=True,
        dir_okay=False,
        show_default="of the embedded base what it can be taught, else all",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(probe)
    app.command("plan")(plan_batch)


def probe(
    out: Annotated[Path, typer.Option(help="Folder to write: effects.json, interactions.json, robustness_map.png.")],
    base: Base = "embedded",
    adapter: Adapter = None,
    budget: Annotated[int, typer.Option(min=100, help="Number of pages to read, about; of each reader.")] = 600,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Seed of the documents. Effects of different adapters compare only where it is the same.",
            show_default="the same always",
        ),
    ] = None,
    recipe: DeploymentRecipe = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of readings made before, which are not made again.", show_default="OUT/readings"),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Number of CPU threads that read.")] = 1,
    workers: WorkerCount = None,
) -> None:
    """Find out which fonts, locales, layouts, document types and knobs a model fails at, by experiment.

    Documents are drawn and read for this alone, with every factor on in some of them and off in others. `effects.json`
    lists the effect of every factor on every element, with its 95 % interval and a verdict: harmful, harmless or
    undecided. With `--adapter` the bare base is probed too, and `comparison.json` lists what the adapter repaired, what
    it broke, and what is left.
    """
    from finscribe_assets.iteration.batch_documents import ADAPTER
    from finscribe_assets.iteration.reader_probing import ROBUSTNESS_MAP_FILE, probe_beside_base
    from finscribe_assets.probing.sequential_probe import PROBE_SEED, ProbeSettings

    settings = ProbeSettings(budget=budget, seed=PROBE_SEED if seed is None else seed)
    chosen, readings = chosen_recipe(recipe, base), cache or out / "readings"

    def run(name: str, watched: tuple[str, ...]) -> ProbeResult:
        return _probe(base, adapter if name == ADAPTER else None, chosen, settings, readings, threads, workers, watched)

    probed = probe_beside_base(run, has_adapter=adapter is not None)
    probed.write(out)
    _report(probed.results, probed.changes)
    console.print(f"Effects: {out / 'effects.json'}; look at {out / ROBUSTNESS_MAP_FILE}")


def chosen_recipe(given: Path | None, base: str) -> Recipe:
    """Return the recipe of a file, or else the one that suits a base."""
    from finscribe_assets.documents.recipe import Recipe
    from finscribe_assets.documents.recipe_files import load_recipe
    from finscribe_assets.model.base_names import EMBEDDED
    from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE

    if given:
        return load_recipe(given)
    return EMBEDDED_RECIPE if base == EMBEDDED else Recipe()


def _probe(
    base: str,
    adapter: Path | None,
    recipe: Recipe,
    settings: ProbeSettings,
    cache: Path,
    threads: int,
    workers: int | None,
    watched: tuple[str, ...] = (),
) -> ProbeResult:
    from finscribe_assets.device_lock import device_lock
    from finscribe_assets.inference.reader import Reader
    from finscribe_assets.model.torch_runtime import gpu_name
    from finscribe_assets.probing.rendered_reading import RenderedReader
    from finscribe_assets.probing.sequential_probe import probe_reader
    from finscribe_assets.rendering.system_packages import require_system
    from finscribe_assets.shards import kept_workers

    require_system()
    name = "pages read by the adapter" if adapter else "pages read by the base"
    pool_of_workers, lock = kept_workers(workers or workers_from_environment()), device_lock(gpu_name(), "a probe")
    with lock, pool_of_workers as pool, bar(settings.budget, name) as advance:
        reader = RenderedReader(Reader(base, adapter, threads=threads), pool)
        return probe_reader(reader, recipe, settings, watched=watched, cache=cache, on_pages=advance)


def _report(probed: dict[str, ProbeResult], changes: tuple[EffectChange, ...]) -> None:
    for name, result in probed.items():
        harmful = [one for one in result.effects if one.verdict == "harmful"]
        show(
            f"{name}: what it fails at, {result.documents} documents read", [_row(one) for one in harmful[:ROWS_SHOWN]]
        )
        counts = {verdict: sum(one.verdict == verdict for one in result.effects) for verdict in _verdicts()}
        console.print(
            f"{name}: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}, of factors × elements"
        )
        together = [one for one in result.interactions if one.verdict == "harmful"]
        show(f"{name}: worse together", [_row(one) for one in together[:ROWS_SHOWN]])
    show(
        "what the adapter changed",
        [
            {
                "factor": one.factor,
                "element": one.element,
                "base": f"{one.base:+.2f}",
                "adapter": f"{one.adapter:+.2f}",
                "change": f"{one.change:+.2f} ({one.low:+.2f} to {one.high:+.2f})",
                "": str(one.status),
            }
            for one in changes[:ROWS_SHOWN]
        ],
    )


def _verdicts() -> list[str]:
    from finscribe_assets.probing.factor_effects import EffectVerdict

    return [str(verdict) for verdict in EffectVerdict]


def _row(effect: Any) -> dict[str, Any]:
    factors = effect.factor if hasattr(effect, "factor") else " and ".join(effect.factors)
    return {
        "factor": factors,
        "element": effect.element,
        "failures per field": f"{effect.effect:+.2f} ({effect.low:+.2f} to {effect.high:+.2f})",
        "documents": effect.pairs,
    }


def plan_batch(
    effects: Annotated[Path, typer.Option(help="effects.json of `finscribe probe`.", exists=True, dir_okay=False)],
    parent: Annotated[
        Path,
        typer.Option(
            help="Plan of the batch that the reader was trained on, such as WORKSPACE/plan.json.",
            exists=True,
            dir_okay=False,
        ),
    ],
    output: Annotated[Path, typer.Option(help="Plan to write, for `finscribe synthesize --plan`.", dir_okay=False)],
    num_samples: Annotated[int, typer.Option(min=1, help="Number of documents of the batch.")] = 200,
    disable: Annotated[
        list[str] | None, typer.Option(help="A factor that gets no documents, such as font:Lato; repeatable.")
    ] = None,
    frequencies: Frequencies = None,
) -> None:
    """Plan the documents that teach a reader what a probe found harmful.

    A factor is worth its effect, times how often the parent's recipe draws it, times how well it learns. At most six
    factors get documents, 30 at least each; two of them may share a document. Undecided factors share a tenth.
    """
    from pydantic import TypeAdapter, ValidationError

    from finscribe_assets.documents.plan import with_recipe
    from finscribe_assets.documents.recipe_files import load_plan, load_recipe
    from finscribe_assets.errors import UserError
    from finscribe_assets.files import write_text
    from finscribe_assets.mining.factor_plan import explain_factors, plan_for_factors
    from finscribe_assets.probing.factor_effects import FactorEffect

    try:
        measured = TypeAdapter(list[FactorEffect]).validate_json(effects.read_bytes())
    except ValidationError as error:
        raise UserError(f"{effects}: not the effects of a probe ({error.errors()[0]['msg']})") from error
    before = load_plan(parent)
    if frequencies:
        before = with_recipe(before, load_recipe(frequencies))
    plan, planned = plan_for_factors(before, measured, num_samples, disabled=disable or ())
    show("harmful factors", explain_factors(planned))
    if plan is None:
        console.print("no plan: the probe found nothing harmful that the recipe draws and nobody has disabled")
        return
    write_text(output, plan.model_dump_json(indent=2) + "\n")
    show("shares", [{"share": one.name, "documents": one.documents} for one in plan.components if one.documents])
    console.print(f"Plan: {output}; next: finscribe synthesize --plan {output} --out …")
