"""What trains in another environment reports through Dagster Pipes."""

import sys

import dagster as dg

from finscribe_assets.orchestration.pipes import launch_through
from finscribe_assets.training.paddle.launching import Command, launch_subprocess

REPORTING = """
import os
from dagster_pipes import open_dagster_pipes
with open_dagster_pipes() as pipes:
    pipes.log.info("step 1 of 1")
    pipes.report_custom_message({"step": 1, "here": os.getcwd(), "variable": os.environ["VARIABLE"]})
"""


def test_dagster_hears_what_a_command_line_hears(tmp_path):
    command = Command((sys.executable, "-c", REPORTING), tmp_path, {"VARIABLE": "set"})
    heard = []

    @dg.asset
    def trains(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient) -> dg.MaterializeResult:
        heard.extend(launch_through(context, pipes)(command))
        return dg.MaterializeResult()

    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([trains], resources={"pipes": dg.PipesSubprocessClient()}, instance=instance)
        logged = [entry.user_message for entry in instance.all_logs(done.run_id)]
    assert done.success
    assert heard == list(launch_subprocess(command)) == [{"step": 1, "here": str(tmp_path), "variable": "set"}]
    assert any("step 1 of 1" in message for message in logged)
