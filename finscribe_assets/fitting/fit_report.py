"""Write what a fit found for people: one HTML page with both tests, what gives pages away, and pages side by side."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.fitting.real_samples import RealSample, small_picture
from finscribe_assets.fitting.recipe_fit import FittedRecipe
from finscribe_assets.fitting.two_sample_test import TwoSampleResult
from finscribe_assets.measuring.page_measures import PAGE_MEASURES
from finscribe_assets.rendering.page_checks import RenderError
from finscribe_assets.rendering.render import render

PICTURES = 8  # of each row
_PICTURE_SEED = 77  # of the documents that are shown, which are none of the tested ones
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1200px;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd}"
    ".row{display:flex;gap:8px;overflow-x:auto;background:#eef;padding:8px}.row img{height:420px;border:1px solid #99a}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}"
)


def pictures_of(recipe: Recipe, count: int = PICTURES, dpi: int = 144) -> list[bytes]:
    """Return small pictures of the first pages of a recipe's documents."""
    plan = seed_plan("batch-999", 3 * count, _PICTURE_SEED, recipe)
    pictures: list[bytes] = []
    for index in range(plan.documents):
        if len(pictures) == count:
            break
        try:
            pictures.append(small_picture(render(draw_document(plan, index), dpi).pages[0]))
        except RenderError:  # such documents are rejected from batches too
            continue
    return pictures


def report_html(fitted: FittedRecipe, samples: Sequence[RealSample], base: Recipe | None = None) -> str:
    """Return the report as one page that loads nothing.

    Args:
        fitted: the fit.
        samples: the real documents.
        base: recipe that the fit started from; the default recipe if not given.
    """
    rows = (
        ("Real documents", [sample.picture for sample in samples[:PICTURES]]),
        ("Base recipe", pictures_of(base or Recipe())),
        ("Fitted recipe", pictures_of(fitted.recipe)),
    )
    changed = "".join(
        f"<tr><td>{html.escape(change.key)}</td>"
        f"<td class=n>{'' if change.before is None else f'{change.before:g}'}</td><td class=n>{change.after:g}</td>"
        f"<td>{html.escape(change.evidence)}</td></tr>"
        for change in fitted.changed
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Fitted recipe</title><style>{_STYLE}</style>"
        "<h1>Fitted recipe</h1>"
        "<p>A classifier tells real documents from synthetic ones by the measures of their pages. Its area under the "
        "ROC curve on documents that it did not see is 0.5 if it cannot, and 1 if it always can.</p>"
        f"<table><tr><th>recipe<th>AUC (95 % interval)<th>real<th>synthetic</tr>"
        f"{_result_row('base', fitted.before)}{_result_row('fitted', fitted.after)}</table>"
        + "".join(f"<p>{html.escape(warning)}</p>" for warning in fitted.warnings)
        + "".join(f"<h2>{title}</h2><div class=row>{''.join(map(_image, pictures))}</div>" for title, pictures in rows)
        + f"<h2>What gives synthetic pages away</h2>{_giveaways(fitted.after)}"
        f"<h2>Changed weights</h2><table><tr><th>weight<th>from<th>to<th>evidence</tr>{changed}</table></html>"
    )


def _result_row(name: str, result: TwoSampleResult) -> str:
    return f"<tr><td>{name}<td class=n>{result.describe()}<td class=n>{result.real}<td class=n>{result.synthetic}</tr>"


def _image(png: bytes) -> str:
    return f"<img alt='' src='data:image/png;base64,{base64.b64encode(png).decode()}'>"


def _giveaways(result: TwoSampleResult) -> str:
    rows = "".join(
        f"<tr><td>{one.measure}<td>{html.escape(PAGE_MEASURES[one.measure].meaning)}<td class=n>{one.auc:.2f}"
        f"<td class=n>{one.real:g} ({one.real_range[0]:g} to {one.real_range[1]:g})"
        f"<td class=n>{one.synthetic:g} ({one.synthetic_range[0]:g} to {one.synthetic_range[1]:g})</tr>"
        for one in result.giveaways[:12]
    )
    return (
        f"<table><tr><th>measure<th>meaning<th>AUC alone<th>real: median (10 % to 90 %)<th>synthetic</tr>{rows}</table>"
    )
