"""A recipe is fitted to pages of a hidden recipe, and its files are read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from finscribe_assets.cli.app import app
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.recipe_files import load_recipe
from finscribe_assets.errors import UserError
from finscribe_assets.fitting.capture_settings import CaptureSettings
from finscribe_assets.fitting.fit_report import report_html
from finscribe_assets.fitting.real_samples import read_real
from finscribe_assets.fitting.recipe_fit import FitSettings, fit_recipe, with_document_facts
from finscribe_assets.fitting.recipe_yaml import recipe_yaml
from finscribe_assets.rendering.render import render
from finscribe_assets.shards import LocalShardPool

_HIDDEN = Recipe(
    document_types={"receipt": 1},
    locales={"de_DE": 1},
    channels={"receipt": {"scanned": 1}},
    resolutions={100: 1},
    paper_levels={228: 1},
)


def _draw_pages(folder: Path, count: int) -> None:
    folder.mkdir()
    plan = seed_plan("batch-321", count, 5, _HIDDEN)
    for index in range(count):
        page = render(draw_document(plan, index)).pages[0]
        page.open().save(folder / f"{index}.png")


@pytest.mark.slow
def test_a_hidden_recipe_is_found(tmp_path: Path) -> None:
    _draw_pages(tmp_path / "real", 12)
    samples = with_document_facts(read_real(tmp_path / "real").samples, "receipt", "de_DE")
    settings = FitSettings(pool_documents=60, test_documents=30)
    fitted = fit_recipe(samples, tmp_path / "cache", LocalShardPool(2), settings=settings)
    recipe = fitted.recipe
    assert recipe.document_types["receipt"] / sum(recipe.document_types.values()) > 0.9
    assert recipe.locales["de_DE"] / sum(recipe.locales.values()) > 0.9
    assert recipe.channels["receipt"]["scanned"] > 0.6
    assert recipe.paper_levels
    levels = np.average(list(recipe.paper_levels), weights=list(recipe.paper_levels.values()))
    assert levels == pytest.approx(228, abs=8)
    assert fitted.after.auc < fitted.before.auc
    assert any("only 12 real documents" in warning for warning in fitted.warnings)
    again = fit_recipe(samples, tmp_path / "cache", LocalShardPool(1), settings=settings)
    assert again == fitted
    (tmp_path / "recipe.yaml").write_text(recipe_yaml(fitted), encoding="utf-8")
    text = (tmp_path / "recipe.yaml").read_text(encoding="utf-8")
    assert "from 0.2: " in text or "from 0.0588: " in text
    read = load_recipe(tmp_path / "recipe.yaml")
    assert read.model_dump() == pytest.approx(read.model_dump())
    assert read.knobs == recipe.knobs
    assert read.paper_levels == recipe.paper_levels
    page = report_html(fitted, samples)
    assert page.count("<img") >= 16
    assert "http" not in page


def test_unreadable_folders_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="broken"):
        read_real(tmp_path)


def test_a_folder_without_ground_truth_is_read(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.full((200, 150), 240, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    found = read_real(tmp_path)
    assert [sample.id for sample in found.samples] == ["0", "1", "2"]
    assert list(found.unreadable) == ["broken"]
    assert found.samples[0].measured.measures["paper_level"] == 240


def test_capture_settings_are_a_recipe_s() -> None:
    settings = CaptureSettings(resolutions={200: 1.0}, paper_levels={240: 0.5, 250: 0.5}, stretches={1.3: 1.0})
    recipe = settings.applied(Recipe())
    assert (recipe.resolutions, recipe.paper_levels, recipe.stretches) == ({200: 1}, {240: 0.5, 250: 0.5}, {1.3: 1})
    assert settings.applied(recipe) == recipe


def test_the_command_refuses_unknown_names(tmp_path: Path) -> None:
    for option, value in (("--type", "letter"), ("--locale", "xx_XX")):
        result = CliRunner().invoke(app, ["fit-recipe", str(tmp_path), "--out", "r.yaml", option, value])
        assert result.exit_code == 1
        assert value in result.output
