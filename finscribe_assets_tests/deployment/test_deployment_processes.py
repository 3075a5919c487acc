"""The deployment's four processes, started with the commands and the environment of the compose file, run a batch."""

import json
import time

import pytest
import urllib3

from .compose_processes import ROOT, ComposeProcesses, load_compose
from .local_postgres import PROGRAMS, LocalPostgres, free_port

DEADLINE_SECONDS = 900

LOCATIONS = """query { workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
LAUNCH = """mutation ($executionParams: ExecutionParams!) { launchPipelineExecution(executionParams: $executionParams) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
DAEMON = "query { instance { daemonHealth { allDaemonStatuses { daemonType healthy required } } } }"


@pytest.fixture
def deployment(tmp_path, monkeypatch):
    if not PROGRAMS:
        pytest.skip("Postgres' server is not installed: apt-get install postgresql")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    services = load_compose({"FINSCRIBE_POSTGRES_PASSWORD": "secret", "FINSCRIBE_PROFILE": "tiny"})["services"]
    stated = services["postgres"]["environment"]
    with LocalPostgres(stated["POSTGRES_USER"], stated["POSTGRES_PASSWORD"], stated["POSTGRES_DB"]) as postgres:
        moved = {
            "postgres": "127.0.0.1",
            "5432": str(postgres.port),
            "code": "127.0.0.1",
            "4000": str(free_port()),
            "3000": str(free_port()),
        }
        with ComposeProcesses(services, tmp_path, moved) as processes:
            for name in ("code", "webserver", "daemon"):
                processes.start(name)
            yield processes, f"http://127.0.0.1:{moved['3000']}"


def ask(url: str, query: str, **variables) -> dict:
    response = urllib3.request(
        "POST", f"{url}/graphql", json={"query": query, "variables": variables}, timeout=60, retries=False
    )
    answer = json.loads(response.data)
    assert "errors" not in answer, answer
    return answer["data"]


def wait_for(condition, processes: ComposeProcesses):
    """Return what a condition gives, as soon as it gives something."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        for name, process in processes.running.items():
            assert process.poll() is None, f"{name} ended: {processes.log(name)}"
        try:
            if found := condition():
                return found
        except urllib3.exceptions.HTTPError:
            pass  # the web server is not up yet
        assert time.monotonic() < deadline, {name: processes.log(name) for name in processes.running}
        time.sleep(1)


def run(url: str, processes: ComposeProcesses, job: str, **params) -> str:
    selector = {"repositoryLocationName": "finscribe", "repositoryName": "__repository__", "jobName": job}
    launched = ask(url, LAUNCH, executionParams={"selector": selector | params.pop("selection", {}), **params})
    assert launched["launchPipelineExecution"]["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["launchPipelineExecution"]["run"]["runId"]

    def ended():
        status = ask(url, STATUS, id=run_id)["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    return wait_for(ended, processes)


@pytest.mark.slow
def test_the_deployment_answers_loads_its_code_and_runs_a_batch(deployment):
    processes, url = deployment

    def loaded():
        (entry,) = ask(url, LOCATIONS)["workspaceOrError"]["locationEntries"]
        return entry if entry["locationOrLoadError"]["__typename"] == "RepositoryLocation" else None

    assert wait_for(loaded, processes)["name"] == "finscribe"
    page = urllib3.request("GET", url)
    assert page.status == 200
    assert b'<div id="__next">' in page.data  # where the UI is drawn

    def healthy():
        daemons = ask(url, DAEMON)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return all(daemon["healthy"] for daemon in daemons if daemon["required"])

    wait_for(healthy, processes)
    plan = {"selection": {"assetSelection": [{"path": ["seed_plan"]}]}, "mode": "default"}
    assert run(url, processes, "__ASSET_JOB", **plan) == "SUCCESS", processes.log("code")
    tags = {"tags": [{"key": "dagster/partition", "value": "batch-000"}]}
    assert run(url, processes, "synthesize", mode="default", executionMetadata=tags) == "SUCCESS", processes.log("code")
    assert (processes.folder / "data" / "storage" / "dataset_splits" / "batch-000" / "manifest.json").exists()
