"""From the effects of a probe to a plan that draws."""

import json

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE


def effect(factor, element, verdict="harmful", size=0.3):
    bounds = {"effect": size, "low": size - 0.1, "high": size + 0.1}
    return {"factor": factor, "element": element, **bounds, "pairs": 20, "verdict": verdict}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "parent.json").write_text(seed_plan("batch-000", 40, 1, EMBEDDED_RECIPE).model_dump_json())
    effects = [
        effect("font:Comic Neue", "text"),
        effect("locale:fr_FR", "party"),
        effect("fax", "amount"),
        effect("stamp", "date", "undecided"),
    ]
    (tmp_path / "effects.json").write_text(json.dumps(effects))
    return tmp_path


def finscribe(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)), terminal_width=200)


def plan(files, *options):
    places = ["--effects", files / "effects.json", "--parent", files / "parent.json", "--output", files / "next.json"]
    return finscribe("plan", *places, "--num-samples", 60, *options)


def test_a_plan_from_effects_draws_what_is_harmful(files):
    assert plan(files).exit_code == 0
    written = json.loads((files / "next.json").read_text())
    assert written["key"] == "batch-001"
    assert {one["name"]: one["documents"] for one in written["components"]} == {
        "base": 0,
        "locale:fr_FR + font:Comic Neue": 54,
        "floor": 6,
    }
    # The recipe never draws a fax, so that teaching it would be of no use.
    reasons = {one["factor"]: one["left_out"] for one in written["reasons"]}
    assert reasons == {"font:Comic Neue": "", "locale:fr_FR": "", "fax": "the recipe never draws it"}
    done = finscribe("synthesize", "--plan", files / "next.json", "--out", files / "work", "--workers", 1)
    assert done.exit_code == 0, done.output


def test_nothing_harmful_is_said_and_writes_no_plan(files):
    disabled = ["--disable", "font:Comic Neue", "--disable", "locale:fr_FR"]
    assert "no plan: " in plan(files, *disabled).stdout
    assert not (files / "next.json").exists()


def test_other_files_are_no_effects(files):
    (files / "effects.json").write_text('[{"factor": "fax"}]')
    result = plan(files)
    assert result.exit_code == 1
    assert "not the effects of a probe" in result.stderr
