"""Fit a recipe to all real documents of the inbox so far; `finscribe fit-recipe` does the same on plain files."""

from __future__ import annotations

from collections.abc import Callable

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, write_json, write_text
from finscribe_assets.fitting.fit_report import report_html
from finscribe_assets.fitting.real_samples import RealSample, read_real
from finscribe_assets.fitting.recipe_fit import FitSettings, FittedRecipe, fit_recipe
from finscribe_assets.fitting.recipe_yaml import recipe_yaml
from finscribe_assets.importing.folder_import import IMPORT_REPORT_FILE
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.shards import ShardPool

RECIPE_FILE, FIT_FILE, FIT_PAGE_FILE, FIT_CACHE = "recipe.yaml", "recipe.json", "report.html", "measures"


def fit_inbox(
    storage: BatchStorage,
    key: str,
    folder: AnyPath,
    pool: ShardPool,
    *,
    base: Recipe | None = None,
    settings: FitSettings | None = None,
    on_documents: Callable[[int], None] | None = None,
) -> FittedRecipe:
    """Fit a recipe to the documents of a batch of the inbox and of all batches before it, and store it.

    Args:
        storage: Where the batches are.
        key: The batch.
        folder: For the recipe, both tests as JSON, the report and the measures of synthetic documents.
        pool: Where synthetic documents are drawn.
        base: Recipe that the fit starts from; the default recipe if not given.
        settings: Numbers of documents, resolution and seed.
        on_documents: Called with the number of synthetic documents that were measured.

    Raises:
        UserError: There are too few documents for a two-sample test.
    """
    samples: list[RealSample] = []
    for workspace in sorted(storage.folder(Stage.REAL_DOCUMENTS, key).parent.iterdir(), key=lambda path: path.name):
        if workspace.name <= key and (workspace / IMPORT_REPORT_FILE).exists():
            try:
                samples += read_real(workspace).samples
            except UserError:  # nothing of the batch was accepted, which its own report says
                continue
    fitted = fit_recipe(samples, folder / FIT_CACHE, pool, base=base, settings=settings, on_documents=on_documents)
    write_json(folder / FIT_FILE, fitted.to_json())
    write_text(folder / FIT_PAGE_FILE, report_html(fitted, samples, base))
    write_text(folder / RECIPE_FILE, recipe_yaml(fitted, base))
    return fitted
