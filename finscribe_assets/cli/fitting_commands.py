"""The command that fits a recipe to real documents: fit-recipe."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.errors import UserError
from finscribe_assets.profiles import workers_from_environment

GIVEAWAYS_PRINTED, CHANGES_PRINTED = 8, 25


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("fit-recipe")(fit_recipe_)


def fit_recipe_(
    real: Annotated[
        Path,
        typer.Argument(
            help="Real documents: a workspace that `finscribe import` wrote, or a folder of PDFs and images, for which "
            "no ground truth is needed.",
            exists=True,
            file_okay=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Recipe to write, for `finscribe synthesize --recipe`.", dir_okay=False)],
    report: Annotated[
        Path | None,
        typer.Option(
            help="Also write an HTML page: real pages beside those of the base recipe and of the fitted one. It shows "
            "your documents.",
            dir_okay=False,
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            help="Recipe that the fit starts from; the default recipe otherwise.", exists=True, dir_okay=False
        ),
    ] = None,
    document_type: Annotated[
        str | None, typer.Option("--type", help="Type of documents whose words do not determine one, such as receipt.")
    ] = None,
    locale: Annotated[
        str | None, typer.Option(help="Locale of documents whose words do not determine one, such as de_DE.")
    ] = None,
    pool: Annotated[int, typer.Option(min=40, help="Number of synthetic documents of each of the two pools.")] = 160,
    test: Annotated[int, typer.Option(min=20, help="Number of synthetic documents of each test.")] = 80,
    dpi: Annotated[int, typer.Option(min=72, max=300, help="Resolution that PDF pages are rasterised at.")] = 144,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all synthetic documents.")] = 0,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder for measures of synthetic documents; kept, so that a second fit is quick.", file_okay=False
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Number of worker processes; the fit does not depend on it."),
    ] = None,
) -> None:
    """Fit a recipe to real documents, and say how far synthetic pages still are from them.

    Document types, locales, layouts, channels, resolution, levels of paper and print, and the knobs that show in pixels
    are estimated. A classifier two-sample test on the measures of pages gives the distance before and after: AUC 0.5
    means that real and synthetic pages cannot be told apart.
    """
    from finscribe_assets.documents.recipe import LOCALES
    from finscribe_assets.documents.recipe_files import load_recipe
    from finscribe_assets.documents.schema import DocumentType
    from finscribe_assets.files import write_json, write_text
    from finscribe_assets.fitting.fit_report import report_html
    from finscribe_assets.fitting.real_samples import read_real
    from finscribe_assets.fitting.recipe_fit import FitSettings, fit_recipe, with_document_facts
    from finscribe_assets.fitting.recipe_yaml import recipe_yaml
    from finscribe_assets.ray_pool import pool_from_environment

    if document_type is not None and document_type not in set(DocumentType):
        raise UserError(f"--type: {document_type!r} is unknown; choose one of {', '.join(DocumentType)}")
    if locale is not None and locale not in LOCALES:
        raise UserError(f"--locale: {locale!r} cannot be drawn; choose one of {', '.join(LOCALES)}")
    start = load_recipe(base) if base else None
    with bar(None, "real documents measured") as advance:
        found = read_real(real, dpi=dpi, on_document=advance)
    for name, reason in found.unreadable.items():
        console.print(f"left out: {escape(name)}: {escape(reason)}")
    for note in found.notes:
        console.print(f"note: {escape(note)}")
    samples = with_document_facts(found.samples, document_type, locale)
    settings = FitSettings(pool, test, dpi, seed)
    with (
        tempfile.TemporaryDirectory(prefix="finscribe-fit-") as temporary,
        bar(settings.documents, "synthetic documents measured") as advance,
    ):
        fitted = fit_recipe(
            samples,
            cache or Path(temporary),
            pool_from_environment(workers or workers_from_environment()),
            base=start,
            settings=settings,
            on_documents=advance,
        )
    write_text(out, recipe_yaml(fitted, start))
    write_json(out.with_suffix(".json"), fitted.to_json())
    if report:
        write_text(report, report_html(fitted, samples, start))
    show(
        "changed weights",
        [
            {
                "weight": change.key,
                "from": "" if change.before is None else f"{change.before:g}",
                "to": f"{change.after:g}",
            }
            for change in fitted.changed[:CHANGES_PRINTED]
        ],
    )
    show(
        "what gives synthetic pages away",
        [
            {
                "measure": one.measure,
                "AUC alone": f"{one.auc:.2f}",
                "real": f"{one.real:g}",
                "synthetic": f"{one.synthetic:g}",
            }
            for one in fitted.after.giveaways[:GIVEAWAYS_PRINTED]
        ],
    )
    for warning in fitted.warnings:
        console.print(f"note: {escape(warning)}")
    console.print(
        f"real against synthetic, AUC: base recipe {fitted.before.describe()}, fitted recipe {fitted.after.describe()}"
    )
    console.print(f"Recipe: {out}; next: finscribe synthesize --recipe {out} --out …", soft_wrap=True)
    if report:
        console.print(f"Look at {report}", soft_wrap=True)
