"""Loading the definitions: every daemon, code server and run does it, so it must stay cheap."""

import subprocess
import sys

HEAVY = (
    "torch",
    "transformers",
    "peft",
    "scipy",
    "pyarrow",
    "cv2",
    "PIL",
    "pandas",
    "weasyprint",
    "onnxruntime",
    "matplotlib",
    "boto3",
)


def test_definitions_load_without_the_libraries_that_only_runs_need():
    code = f"import sys, finscribe_assets.definitions; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_default_rule_of_planning_is_the_librarys():
    from finscribe_assets.mining.factor_plan import PROBE_RULE
    from finscribe_assets.orchestration.assets.hard_sample_plan import MiningConfig

    assert MiningConfig().rule == PROBE_RULE
