"""`finscribe contact-sheet` and `finscribe gallery`: pictures for people."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.rendering import gallery


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)), terminal_width=200)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def colours(path) -> int:
    """Return how many pixels are no grey."""
    return int((np.ptp(np.asarray(Image.open(path).convert("RGB")).astype(int), axis=-1) > 40).sum())


@pytest.mark.parametrize("command", ["verify-pages", "contact-sheet", "gallery"])
def test_help_teaches(command):
    assert len(run(command, "--help")[1]) > 400


def test_a_sheet_has_boxes_or_not_and_as_many_columns_as_asked_for(batch, tmp_path):
    sizes, coloured = {}, {}
    for columns, boxes in ((3, "--boxes"), (5, "--no-boxes")):
        file = tmp_path / f"{columns}.png"
        status, said = run(
            "contact-sheet", batch.folder, "--output", file, "--documents", 6, "--columns", columns, boxes
        )
        assert (status, said.endswith(f"{file}: 6 documents")) == (0, True)
        sizes[columns] = Image.open(file).size
        coloured[boxes] = colours(file)
    assert coloured["--boxes"] > coloured["--no-boxes"] + 1000
    assert sizes[3][0] / 3 == sizes[5][0] / 5
    assert sizes[3][1] == sizes[5][1]  # two rows each


def test_a_sheet_of_one_layout(batch, tmp_path):
    layout = batch.documents[4].presentation.layout
    having = sum(drawn.presentation.layout == layout for drawn in batch.documents)
    status, said = run(
        "contact-sheet", batch.folder, "--output", tmp_path / "sheet.png", "--layout", layout, "--documents", 100
    )
    assert (status, said.endswith(f": {having} documents")) == (0, True)
    assert (
        "nonsense is unknown; layouts are "
        in run("contact-sheet", batch.folder, "--output", tmp_path / "sheet.png", "--layout", "nonsense")[1]
    )


def test_a_sheet_without_pages_is_an_error(batch, tmp_path):
    assert "no part-*.parquet in this folder" in run("contact-sheet", tmp_path, "--output", tmp_path / "sheet.png")[1]
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize("number", range(len(LAYOUT_FACTS)))
def test_every_layout_has_an_example(number):
    layout, locale = list(LAYOUT_FACTS)[number], LOCALES[number % len(LOCALES)]
    drawn = gallery.example(layout, locale)
    assert (drawn.presentation.layout, drawn.document.locale) == (layout, locale)


def test_the_gallery_is_small_complete_and_the_same_again(tmp_path, monkeypatch):
    shown = {name: LAYOUT_FACTS[name] for name in ("invoice_classic", "receipt_slip")}
    monkeypatch.setattr(gallery, "LAYOUT_FACTS", shown)
    monkeypatch.setattr(gallery, "DAMAGE_KNOBS", ("stamp", "noise"))
    monkeypatch.setattr(gallery, "_ADDITIONS", (("line_groups", "de_DE"),))
    made = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        status, said = run("gallery", "--output", folder / "gallery.md", "--images", folder / "images" / "gallery")
        assert (status, "7 pictures" in said) == (0, True)
        made.append({str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()})
    assert made[0] == made[1]
    page = made[0].pop("gallery.md").decode()
    assert all(facts.structure in page for facts in shown.values())
    assert set(re.findall(r"\]\(([^)]+)\)", page)) == set(made[0])
    assert all(len(content) <= 60_000 for content in made[0].values())
    pictures = tmp_path / "a" / "images" / "gallery"
    assert colours(pictures / "receipt_slip-boxes.png") > colours(pictures / "receipt_slip.png") == 0
