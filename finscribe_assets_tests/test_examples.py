"""The examples run as they are shown, on small sizes."""

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_a_plan_becomes_a_score(tmp_path):
    command = [sys.executable, EXAMPLES / "plan_to_score.py", "--out", tmp_path, "--documents", "24", "--steps", "3"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["documents"] == report["predicted"] > 0
    assert report["headline"]["field_f1"]["value"] > 0.5  # the base reads lines already
    assert report["comparisons"].keys() == {"base"}
    assert f"{report['headline']['field_f1']['value']:.1%}" in done.stdout
