"""The round trip through Label Studio itself: 200 documents, no value differs, no box moves by half a pixel."""

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from finscribe_assets.documents.document_batch import read_documents, synthesize
from finscribe_assets.documents.elements import IMPLIED_FIELDS, field_of
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.normalise import TRUTH_CONTEXT, canonical_value
from finscribe_assets.importing.folder_import import import_folder
from finscribe_assets.rendering.located_boxes import LocatedBox, boxes_from_json, boxes_to_json, field_boxes, to_pixels
from finscribe_assets.rendering.page_batch import read_rendered, render_batch
from finscribe_assets.review.review_export import ReviewTool, export_review
from finscribe_assets.review.review_import import import_review
from finscribe_assets.review.review_set import ReviewSet
from finscribe_assets.shards import LocalShardPool

pytestmark = pytest.mark.slow
DOCUMENTS = 200
TASKS_PER_REQUEST = 20
VARIABLE = "FINSCRIBE_LABEL_STUDIO"

VALIDATE = """
import json, sys
from label_studio_sdk.label_interface import LabelInterface
interface = LabelInterface(open(sys.argv[1], encoding="utf-8").read())
interface.validate()
errors = [error for name in sys.argv[2:] for task in json.load(open(name, encoding="utf-8"))
          for prediction in task["predictions"]
          for error in interface.validate_prediction(prediction, return_errors=True)]
print(json.dumps(errors))
"""


@pytest.fixture(scope="module")
def environment() -> Path:
    if not (folder := os.environ.get(VARIABLE)):
        pytest.skip(f"{VARIABLE} names no environment with Label Studio; docs/review.md says how to make one")
    return Path(folder).absolute()


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, dict[str, dict], dict[str, dict]]:
    """Return the export of documents whose prediction is the truth, their printed values, and the boxes of these."""
    folder = tmp_path_factory.mktemp("label-studio")
    pool = LocalShardPool(2)
    synthesize(seed_plan("batch-000", DOCUMENTS, 5, Recipe()), folder / "work/documents", pool, shard_size=25)
    render_batch(folder / "work/documents", folder / "work/images", pool)
    truths = {document.id: document.document.to_json() for document in read_documents(folder / "work/documents")}
    boxes = {document.id: field_boxes(document) for document in read_rendered(folder / "work/images")}
    with (folder / "predictions.jsonl").open("w", encoding="utf-8") as stream:
        for id_, located in boxes.items():
            record = {"id": id_, "response": truths[id_], "labels": truths[id_]["locale"]}
            stream.write(json.dumps(record | {"boxes": boxes_to_json(located)}, ensure_ascii=False) + "\n")
    export_review(
        folder / "predictions.jsonl",
        folder / "review",
        ReviewTool.LABEL_STUDIO,
        workspace=folder / "work",
        fields=["all"],
    )
    return folder, {id_: truths[id_] for id_ in boxes}, boxes


class LabelStudio:
    """Label Studio on the loopback interface, with its API."""

    def __init__(self, environment: Path, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.token = secrets.token_hex(20)
        settings = {
            "HOME": str(folder),
            "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "COLLECT_ANALYTICS": "False",
            "LATEST_VERSION_CHECK": "False",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
        }
        command = [environment / "bin/label-studio", "start", "--no-browser", "--internal-host", "127.0.0.1"]
        command += ["--port", str(self.port), "--username", "reviewer@example.org", "--password", secrets.token_hex(8)]
        command += ["--user-token", self.token]
        (folder / "data").mkdir(parents=True)
        self.process = subprocess.Popen(
            command, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def wait(self) -> None:
        """Wait until it answers."""
        for _ in range(300):
            assert self.process.poll() is None, "label-studio ended at its start"
            try:
                self.call("GET", "/api/projects/")
                return
            except OSError:
                time.sleep(1)
        pytest.fail("label-studio does not answer within five minutes")

    def call(self, method: str, path: str, body: object = None):
        """Return the response to a request."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=300) as response:  # noqa: S310
            content = response.read()
        return json.loads(content) if content else None


@pytest.fixture(scope="module")
def server(environment, tmp_path_factory):
    studio = LabelStudio(environment, tmp_path_factory.mktemp("server"))
    try:
        studio.wait()
        yield studio
    finally:
        studio.process.terminate()
        studio.process.wait(30)


def test_its_validator_finds_no_error(environment, exported):
    review = exported[0] / "review"
    run = subprocess.run(
        [environment / "bin/python", "-c", VALIDATE, review / "config.xml", *sorted(review.glob("tasks-*.json"))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout.splitlines()[-1]) == []


def test_two_hundred_documents_come_back_as_they_went(server, exported):
    folder, truths, boxes = exported
    review = folder / "review"
    config = (review / "config.xml").read_text(encoding="utf-8")
    project = server.call("POST", "/api/projects/", {"title": "review", "label_config": config})["id"]
    tasks = [task for file in sorted(review.glob("tasks-*.json")) for task in json.loads(file.read_bytes())]
    corrected = tasks[0]["data"]["finscribe_id"]
    for start in range(0, len(tasks), TASKS_PER_REQUEST):
        batch = tasks[start : start + TASKS_PER_REQUEST]
        server.call("POST", f"/api/projects/{project}/import?return_task_ids=true", batch)
    predictions = server.call("GET", f"/api/predictions/?project={project}")
    assert len(predictions) == DOCUMENTS
    # What a person does who opens each task and submits it: the annotation begins as a copy of the prediction.
    for prediction in predictions:
        body = {"result": prediction["result"], "lead_time": 60.0, "parent_prediction": prediction["id"]}
        server.call("POST", f"/api/tasks/{prediction['task']}/annotations/", body)
    number = _correct_number(server, project, corrected)
    answers = folder / "answers.json"
    answers.write_text(json.dumps(server.call("GET", f"/api/projects/{project}/export?exportType=JSON")))

    report = import_review(answers, review, folder / "corrected")
    totals = report.totals()
    assert totals["documents"] == {"done": DOCUMENTS}
    assert totals["minutes"] == {"corrections_timed": DOCUMENTS, "total": DOCUMENTS, "median": 1.0}
    assert (totals["values_changed"], totals["values_added"], totals["values_deleted"]) == (1, 0, 0)
    assert (totals["problems"], totals["values_moved"]) == (0, 0)
    sizes = {document.id: document for document in ReviewSet.read(review).documents}
    compared = furthest = 0
    for record in report.documents:
        [file] = (folder / "corrected" / record["folder"]).glob("*.json")
        answer = json.loads(file.read_text(encoding="utf-8"))
        values, expected = flatten(answer["document"]), flatten(truths[record["id"]])
        if record["id"] == corrected:
            expected["document_number"] = number
        assert values.keys() == expected.keys(), record["id"]
        differing = {
            path: (values[path], value)
            for path, value in expected.items()
            if canonical_value(path, values[path], TRUTH_CONTEXT) != canonical_value(path, value, TRUTH_CONTEXT)
        }
        assert differing == {}, record["id"]
        compared += len(values)
        located = boxes_from_json(answer["boxes"])[0]
        placed = {path for path in boxes[record["id"]] if path in expected and field_of(path) not in IMPLIED_FIELDS}
        assert located.keys() >= placed
        for path in placed:
            for first, second in zip(
                _pixels(boxes[record["id"]][path], sizes[record["id"]]),
                _pixels(located[path], sizes[record["id"]]),
                strict=True,
            ):
                furthest = max(furthest, *(abs(a - b) for a, b in zip(first, second, strict=True)))
    assert compared > 20_000
    assert furthest < 0.5

    imported = import_folder(folder / "corrected/documents", folder / "real", "written by this test")
    assert (len(imported.accepted), len(imported.rejected)) == (DOCUMENTS, 0)


def test_the_regions_themselves_come_back_to_half_a_pixel(server, exported):
    """Boxes as Label Studio stores them, not those that are taken from the export because nobody moved them."""
    folder = exported[0]
    documents = ReviewSet.read(folder / "review").by_id()
    compared = 0
    for task in json.loads((folder / "answers.json").read_bytes()):
        document = documents[task["data"]["finscribe_id"]]
        known = document.by_key
        for result in task["annotations"][0]["result"]:
            if result["type"] != "rectanglelabels":
                continue
            region = known[result["id"]].region
            width, height = result["original_width"], result["original_height"]
            assert (width, height) == document.size_of(result["item_index"] + 1)
            value = result["value"]
            stored = (value["x"] * width, value["y"] * height, value["width"] * width, value["height"] * height)
            box = to_pixels(region.box, (width, height))
            expected = (box.x0, box.y0, box.width, box.height)
            assert all(abs(a / 100 - b) < 0.5 for a, b in zip(stored, expected, strict=True))
            compared += 1
    assert compared > 20_000


def _pixels(located: tuple[LocatedBox, ...], document) -> list[tuple[float, ...]]:
    return [(page, *to_pixels(box, document.size_of(page))) for page, box in located]


def _correct_number(server: LabelStudio, project: int, id_: str) -> str:
    """Correct the number of one document through the API, and return it."""
    page = server.call("GET", f"/api/tasks/?project={project}&fields=all&page_size={DOCUMENTS}")
    [task] = [task for task in page["tasks"] if task["data"]["finscribe_id"] == id_]
    task = server.call("GET", f"/api/tasks/{task['id']}/")
    annotation = task["annotations"][0]
    [key] = [
        result["id"] for result in annotation["result"] if result["value"].get("rectanglelabels") == ["document_number"]
    ]
    for result in annotation["result"]:
        if result["id"] == key and result["type"] == "textarea":
            result["value"]["text"] = ["KORR/2025 № 7"]
    server.call("PATCH", f"/api/annotations/{annotation['id']}/", {"result": annotation["result"], "lead_time": 60.0})
    return "KORR/2025 № 7"
