"""How well measures of pages follow what was drawn, whether a hidden recipe is found again, and how far pages of a
recipe that was fitted to real documents are from them.

    python benchmarks/fitted_recipe.py measures --documents 150 --cache build/measures
    python benchmarks/fitted_recipe.py planted --real-documents 60 --cache build/planted
    python benchmarks/fitted_recipe.py real FOLDER --cache build/real

The third one also tells real from synthetic pages by features that the fit never sees (histograms of brightness and of
edge directions, and the spectrum of the page at a width of 400 pixels) with another classifier, a random forest.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import spearmanr

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.fitting.real_samples import RealSample, read_real
from finscribe_assets.fitting.recipe_fit import FitSettings, FittedRecipe, fit_recipe, with_document_facts
from finscribe_assets.fitting.two_sample_test import area_under_curve, auc_interval, two_sample_test
from finscribe_assets.measuring.measured_documents import MeasuredDocument, measure_plan
from finscribe_assets.measuring.measured_values import MEASURE_RULES
from finscribe_assets.measuring.page_measures import measure_page
from finscribe_assets.measuring.text_measures import TextMeasures, measure_text
from finscribe_assets.rendering.page_checks import RenderError
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.render import render
from finscribe_assets.shards import LocalShardPool

DAMAGED = Recipe(
    knobs=Knobs(
        skew=0.2,
        blur=0.15,
        noise=0.15,
        jpeg=0.15,
        uneven_light=0.1,
        shadow=0.1,
        photo=0.1,
        perspective=0.1,
        fax=0.06,
        low_resolution=0.1,
        thermal_fade=0.1,
        many_lines=0.3,
        small_print=0.3,
    )
)
HIDDEN = Recipe(
    document_types={"invoice": 0.7, "credit_note": 0.3},
    locales={"de_DE": 0.6, "fr_FR": 0.4},
    channels={
        "invoice": {"scanned": 0.8, "born_digital": 0.2},
        "credit_note": {"scanned": 0.8, "born_digital": 0.2},
    },
    paper_levels={236: 1},
    ink_levels={40: 1},
    resolutions={120: 1},
    knobs=Knobs(skew=0.5, noise=0.3, degradation=0.6, reversed_print=0.6),
)
# What the planted fit is held to: name, and the share of documents in the hidden recipe.
PLANTED = {
    "type invoice": 0.7,
    "locale de_DE": 0.6,
    "channel scanned": 0.8,
    "knob skew": 0.5,
    "knob noise": 0.3,
    "knob reversed_print": 0.6,
    "degradation": 0.6,
    "paper level": 236,
    "ink level": 40,
    "resolution": 120,
}


def measures_against_draws(documents: int, cache: Path, pool: LocalShardPool) -> None:
    """Print how well each measure follows the drawn value that it stands for, and how well rules find knobs."""
    found = measure_plan(seed_plan("batch-800", documents, 11, DAMAGED), cache / "damaged", pool)
    print(f"{len(found)} documents")
    print("| drawn | measure | AUC with against without | Spearman's ρ with its strength |")
    print("|---|---|---|---|")
    for knob, measure in (
        ("skew", "skew"),
        ("blur", "edge_width"),
        ("low_resolution", "edge_width"),
        ("noise", "noise"),
        ("jpeg", "blockiness"),
        ("uneven_light", "unevenness"),
        ("shadow", "unevenness"),
        ("photo", "surroundings"),
        ("perspective", "surroundings"),
        ("thermal_fade", "contrast"),
        ("fax", "specks"),
        ("reversed_print", "dark_share"),
        ("many_lines", "lines"),
        ("small_print", "x_height"),
        ("channel:born_digital", "noise"),
        ("type:receipt", "aspect"),
    ):
        values = np.array([one.measures[measure] for one in found])
        drawn = np.array([one.drawn.get(knob, 0.0) for one in found])
        if (drawn > 0).sum() < 5 or (drawn == 0).sum() < 5:
            continue
        auc = area_under_curve(values[drawn > 0], values[drawn == 0])
        rho = spearmanr(values[drawn > 0], drawn[drawn > 0]).statistic if len(set(drawn)) > 2 else float("nan")
        print(f"| `{knob}` | `{measure}` | {max(auc, 1 - auc):.2f} | {abs(rho):.2f} |")
    print("| rule | shown | precision | recall |")
    print("|---|---|---|---|")
    for rule in MEASURE_RULES:
        shown = np.array([rule.strength(one.measures[rule.measure]) > 0 for one in found])
        has = np.array([any(one.drawn.get(knob, 0.0) > 0 for knob in rule.knobs) for one in found])
        both = (shown & has).sum()
        rates = f"{both / max(shown.sum(), 1):.2f} | {both / max(has.sum(), 1):.2f}"
        print(f"| `{rule.measure}` → {', '.join(rule.knobs)} | {shown.sum()} | {rates} |")


def angles_and_sizes() -> None:
    """Print the errors of the angle and the x-height on clean pages, and the time for each page."""
    plan = seed_plan("batch-801", 20, 3, Recipe(fonts={"Lato": 1}, locales={"de_DE": 1}, knobs=Knobs(degradation=0.0)))
    random, errors, heights, seconds = np.random.default_rng(0), [], [], []
    for index in range(12):
        drawn = draw_document(plan, index)
        look = drawn.presentation.model_copy(update={"damage": {}, "degradation": 0.0})
        page = render(drawn.model_copy(update={"presentation": look})).pages[0].grey()
        heights.append(measure_page(page)["x_height"] - look.font_size * 0.506 * 2)
        angle = float(random.uniform(-8, 8))
        matrix = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), angle, 1)
        turned = cv2.warpAffine(page, matrix, page.shape[::-1], borderValue=255)
        started = time.process_time()
        errors.append(measure_page(turned)["angle"] - angle)
        seconds.append(time.process_time() - started)
    print(f"angle: mean absolute error {np.abs(errors).mean():.3f}°, largest {np.abs(errors).max():.3f}°")
    print(f"x-height: mean absolute error {np.abs(heights).mean():.2f} px, largest {np.abs(heights).max():.2f} px")
    print(f"{np.mean(seconds):.2f} s of processor time for each page")


def languages(documents: int = 8) -> None:
    """Print how often the language of a document's words is right, over all locales."""
    right = total = 0
    for locale in LOCALES:
        plan = seed_plan("batch-802", documents, 3, Recipe(locales={locale: 1}))
        for index in range(documents):
            drawn = draw_document(plan, index)
            text = "\n".join([*drawn.presentation.labels.values(), *drawn.printed.values()])
            total += 1
            right += measure_text(text).language == LOCALE_FACTS[locale].language
    print(f"language: {right} of {total}")


def planted(count: int, cache: Path, pool: LocalShardPool, settings: FitSettings) -> None:
    """Play real documents with a hidden recipe; print what the fit finds of it, and both tests."""
    plan = seed_plan("batch-803", count, 21, HIDDEN)
    real = measure_plan(plan, cache / "hidden", pool)
    samples = [
        RealSample(one.id, one, _choice(one, "type"), _choice(one, "locale"), TextMeasures(), b"") for one in real
    ]
    fitted = fit_recipe(samples, cache, pool, settings=settings)
    recipe, share = fitted.recipe, _shares
    found = {
        "type invoice": share(recipe.document_types)["invoice"],
        "locale de_DE": share(recipe.locales)["de_DE"],
        "channel scanned": share(recipe.channels["invoice"])["scanned"],
        "knob skew": recipe.knobs.skew,
        "knob noise": recipe.knobs.noise,
        "knob reversed_print": recipe.knobs.reversed_print,
        "degradation": recipe.knobs.degradation,
        "paper level": _mean(recipe.paper_levels),
        "ink level": _mean(recipe.ink_levels),
        "resolution": _mean(recipe.resolutions),
    }
    default = {
        "type invoice": share(Recipe().document_types)["invoice"],
        "locale de_DE": share(Recipe().locales)["de_DE"],
        "channel scanned": 0.3,
        **{f"knob {name}": getattr(Recipe().knobs, name) for name in ("skew", "noise", "reversed_print")},
        "degradation": Recipe().knobs.degradation,
        "paper level": 255,
        "ink level": 0,
        "resolution": 144,
    }
    print("| | default | hidden | fitted |\n|---|---|---|---|")
    for name, value in PLANTED.items():
        print(f"| {name} | {default[name]:.3g} | {value:.3g} | {found[name]:.3g} |")
    _print_tests(samples, fitted, cache, pool, settings)


def real_documents(folder: Path, cache: Path, pool: LocalShardPool, settings: FitSettings, facts: list[str]) -> None:
    """Fit a recipe to real documents and print both tests, by three classifiers and by features of another kind."""
    found = read_real(folder)
    document_type, locale = [*facts, None, None][:2]
    samples = with_document_facts(found.samples, document_type, locale)
    fitted = fit_recipe(samples, cache, pool, settings=settings)
    for warning in (*found.notes, *fitted.warnings):
        print(f"note: {warning}")
    _print_tests(samples, fitted, cache, pool, settings)
    print("| measure | AUC alone | real | synthetic |\n|---|---|---|---|")
    for one in fitted.after.giveaways[:8]:
        print(f"| `{one.measure}` | {one.auc:.2f} | {one.real:g} | {one.synthetic:g} |")
    pages = [sample.picture for sample in samples]
    theirs = [_other_features(cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_GRAYSCALE)) for page in pages]
    for name, recipe in (("default", Recipe()), ("fitted", fitted.recipe)):
        ours = _features_of(recipe, 50)
        auc = _forest_auc(np.array(theirs), np.array(ours))
        low, high = auc_interval(auc, len(theirs), len(ours))
        print(f"other features, random forest, {name}: {auc:.3f} ({low:.3f} to {high:.3f})")


def _print_tests(
    samples: list[RealSample] | tuple[RealSample, ...],
    fitted: FittedRecipe,
    cache: Path,
    pool: LocalShardPool,
    settings: FitSettings,
) -> None:
    theirs = [sample.measured.measures for sample in samples]
    plan = seed_plan("batch-903", settings.test_documents, settings.seed * 10 + 3, Recipe())
    default = measure_plan(plan, cache / "test-default", pool)
    print("| classifier | default recipe | fitted recipe |\n|---|---|---|")
    for classifier in ("trees", "linear", "neighbours"):
        before = two_sample_test(theirs, [one.measures for one in default], classifier)
        after = two_sample_test(theirs, [one.measures for one in fitted.synthetic], classifier)
        print(f"| {classifier} | {before.describe()} | {after.describe()} |")


def _choice(document: MeasuredDocument, prefix: str) -> str | None:
    return next((name.partition(":")[2] for name in document.drawn if name.startswith(f"{prefix}:")), None)


def _shares(weights: dict) -> dict[str, float]:
    return {str(name): weight / sum(weights.values()) for name, weight in weights.items()}


def _mean(weights: dict | None) -> float:
    return sum(value * weight for value, weight in weights.items()) / sum(weights.values()) if weights else float("nan")


def _features_of(recipe: Recipe, count: int) -> list[np.ndarray]:
    from finscribe_assets.fitting.real_samples import small_picture

    plan, features = seed_plan("batch-804", 2 * count, 5, recipe), []
    for index in range(2 * count):
        if len(features) == count:
            break
        try:
            page: Page = render(draw_document(plan, index)).pages[0]
        except RenderError:
            continue
        picture = cv2.imdecode(np.frombuffer(small_picture(page), np.uint8), cv2.IMREAD_GRAYSCALE)
        features.append(_other_features(picture))
    return features


def _other_features(grey: np.ndarray) -> np.ndarray:
    """Return features that the fit never sees, of a picture of one height."""
    brightness = np.histogram(grey, 16, (0, 256))[0] / grey.size
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    directions = np.histogram(np.arctan2(down, across), 8, (-np.pi, np.pi), weights=np.hypot(across, down))[0]
    square = cv2.resize(grey, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(square - square.mean())))
    y, x = np.indices(spectrum.shape)
    radius = np.hypot(x - 128, y - 128).astype(int) // 8
    bands = np.bincount(radius.ravel(), np.log1p(spectrum).ravel())[:16] / np.bincount(radius.ravel())[:16]
    return np.concatenate([brightness, directions / max(directions.sum(), 1), bands])


def _forest_auc(real: np.ndarray, synthetic: np.ndarray) -> float:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows, labels = np.concatenate([real, synthetic]), np.array([1] * len(real) + [0] * len(synthetic))
    forest = RandomForestClassifier(300, class_weight="balanced", random_state=1, n_jobs=1)
    folds = StratifiedKFold(min(5, len(real)), shuffle=True, random_state=1)
    scores = cross_val_predict(forest, rows, labels, cv=folds, method="predict_proba")[:, 1]
    return area_under_curve(scores[labels == 1], scores[labels == 0])


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=("measures", "planted", "real"))
    parser.add_argument("folder", nargs="?", type=Path, help="real documents")
    parser.add_argument("--documents", type=int, default=150)
    parser.add_argument("--real-documents", type=int, default=60)
    parser.add_argument("--pool", type=int, default=160)
    parser.add_argument("--test", type=int, default=80)
    parser.add_argument("--facts", nargs="*", default=[], help="document type and locale of documents that state none")
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args()
    pool, settings = LocalShardPool(os.cpu_count() or 1), FitSettings(given.pool, given.test)
    started = time.perf_counter()
    if given.which == "measures":
        angles_and_sizes()
        languages()
        measures_against_draws(given.documents, given.cache, pool)
    elif given.which == "planted":
        planted(given.real_documents, given.cache, pool, settings)
    else:
        real_documents(given.folder, given.cache, pool, settings, given.facts)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
