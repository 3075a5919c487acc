"""Every command on plain files, one after the other, as a person would type them."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.exporting.folder_export import ExportFormat
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.rendering.page_batch import read_rendered
from finscribe_assets.splitting.split_table import read_splits

COMMANDS = [
    "synthesize",
    "render",
    "pairs",
    "split",
    "export",
    "validate-export",
    "pretrain-base",
    "train",
    "predict",
    "evaluate",
    "mine",
    "probe",
    "plan",
    "exam",
    "adapters",
    "withdraw-adapter",
    "restore-adapter",
    "promise",
    "decide",
    "extract",
    "serve",
    "drift",
    "merge",
    "doctor",
    "schema",
    "summary",
    "validate",
    "rebuild",
    "review-export",
    "review-import",
]


def finscribe(*arguments: object, fails: bool = False) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), terminal_width=200)
    assert (result.exit_code != 0) == fails, result.output
    return result.output if fails else result.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "work"
    finscribe(
        "synthesize",
        "--num-samples",
        24,
        "--seed",
        3,
        "--out",
        folder,
        "--shard-size",
        8,
        "--workers",
        1,
        "--preset",
        "embedded",
    )
    finscribe("render", folder, "--workers", 1)
    finscribe("pairs", folder, "--workers", 1, "--mix", "ocr_line=8")
    finscribe("split", folder)
    finscribe("train", folder, "--out", folder / "adapter", "--set", "max_steps=3", "--set", "threads=1")
    finscribe("predict", folder, "--adapter", folder / "adapter", "--threads", 1)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command):
    text = finscribe(command, "--help")
    assert "Usage" in text
    assert len(text.splitlines()) > 6


def test_help_loses_no_word_of_what_was_written():
    """Help is Markdown: outside of backticks, `<image>` is an HTML tag and is dropped, and brackets may be a link."""
    for name, command in typer.main.get_command(app).commands.items():
        shown = set(re.findall(r"\w+|[<>\[\]]", finscribe(name, "--help")))
        texts = [command.help, *(parameter.help for parameter in command.params if hasattr(parameter, "help"))]
        written = set(re.findall(r"\w+|[<>\[\]]", " ".join(filter(None, texts))))
        lost = {word for word in written if not any(word in longer for longer in shown)}  # a long option may be cut
        assert not lost, (name, lost)


def test_synthesize_writes_the_fixed_formats(work):
    records = [json.loads(line) for line in (work / "documents.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(records) == pq.read_metadata(work / "documents.parquet").num_rows == 24
    assert all(isinstance(record["id"], str) for record in records)
    assert all({"totals", "statement"} & record["document"].keys() for record in records)


def test_synthesize_again_changes_nothing_and_another_seed_does(work, tmp_path):
    before = (work / "documents.parquet").read_bytes()
    assert "3 of 3 shards existed already" in " ".join(
        finscribe(
            "synthesize",
            "--num-samples",
            24,
            "--seed",
            3,
            "--out",
            work,
            "--shard-size",
            8,
            "--workers",
            1,
            "--preset",
            "embedded",
        ).split()
    )
    assert (work / "documents.parquet").read_bytes() == before
    finscribe("synthesize", "--num-samples", 24, "--seed", 4, "--out", tmp_path, "--workers", 1)
    assert (tmp_path / "documents.parquet").read_bytes() != before


def test_render_leaves_a_picture(work):
    assert Image.open(work / "preview.png").width > 1000


def test_every_stage_left_its_folder(work):
    for stage in ("documents", "images", "pairs"):
        assert len(list((work / stage).glob("part-*.parquet"))) == 3
    assert json.loads((work / "splits" / "manifest.json").read_text())["key"] == "batch-000"
    assert (work / "adapter" / "adapter_model.safetensors").exists()


def test_every_command_and_snippet_of_the_page_on_exports_runs(work, tmp_path, monkeypatch):
    import datasets

    monkeypatch.chdir(work.parent)
    monkeypatch.setenv("FINSCRIBE_WORKERS", "1")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    commands = re.findall(r"^finscribe (.*)$", page, re.MULTILINE)
    stages = [command for command in commands if command.split()[0] not in ("export", "validate-export")]
    assert [command.split()[0] for command in stages] == ["synthesize", "render", "pairs", "split"]  # `work` has these
    exports = [command for command in commands if command not in stages]
    assert {word for command in exports for word in command.split()} >= set(ExportFormat)
    for asset, stage in (("instruction_pairs", "pairs"), ("rendered_images", "images"), ("dataset_splits", "splits")):
        shutil.copytree(work / stage, work.parent / "storage" / asset / "batch-000")
    for command in exports:
        assert "all checked" in finscribe(*command.split())
    snippets = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(snippets) == 3
    found = {}
    for snippet in snippets:
        exec(compile(snippet, "exports.md", "exec"), found)  # noqa: S102
    assert found["first"].width > 0
    assert found["pictures"]
    assert found["amounts"]


def test_an_export_says_what_loads_it_and_a_broken_one_what_is_wrong(work, tmp_path):
    validation = ["--split", "validation", "--format", "hf", "--workers", 1]
    text = finscribe("export", work, "--out", tmp_path / "hf", *validation)
    assert "datasets.load_dataset(" in text
    assert 'split="validation"' in text
    assert "splits are train" in finscribe("export", work, "--out", tmp_path / "a", "--split", "nonsense", fails=True)
    assert "formats are" in finscribe("export", work, "--out", tmp_path / "a", "--format", "nonsense", fails=True)
    limit = ["--max-characters", 10]
    assert "the limit is 10" in finscribe("validate-export", tmp_path / "hf", *limit, fails=True)
    (tmp_path / "hf" / "README.md").write_text("")
    assert "README.md: front matter" in finscribe("validate-export", tmp_path / "hf", fails=True)
    assert "holds files that are not an export's" in finscribe("export", work, "--out", work, fails=True)
    other = ["export", work, "--out", tmp_path / "a", "--batch"]
    assert "not of the form batch-007" in finscribe(*other, "../x", fails=True)
    assert "no such batch" in finscribe(*other, "batch-009", fails=True)


@pytest.fixture(scope="module")
def weak_by_a_knob(work, tmp_path_factory) -> Path:
    """Predictions of a reader that takes digits of every document with a certain knob for other digits."""
    drawn = list(read_documents(work / "documents"))
    counts = Counter(name for one in drawn for name, value in one.knobs.items() if value)
    knob = min(counts, key=lambda name: (abs(counts[name] - len(drawn) // 2), name))
    file = tmp_path_factory.mktemp("weak") / "predictions.jsonl"
    misread = str.maketrans("0123456789", "7894561230")
    with file.open("w", encoding="utf-8") as lines:
        for one in drawn:
            printed = {path: text.translate(misread) if one.knobs[knob] else text for path, text in one.printed.items()}
            lines.write(json.dumps({"id": one.id, "response": unflatten(printed)}) + "\n")
    return file


def test_without_a_known_cause_mining_plans_nothing_and_says_what_to_do(work, weak_by_a_knob, tmp_path):
    shared = ["--predictions", weak_by_a_knob, "--ground-truth", work / "documents.jsonl"]
    text = finscribe("mine", *shared, "--output", tmp_path / "mined.json", "--plan", tmp_path / "plan.json")
    assert "no plan: every weak cell is left out" in text
    assert "--workspace" in text and "finscribe probe" in text
    assert json.loads((tmp_path / "mined.json").read_text(encoding="utf-8"))["weak"]
    assert not (tmp_path / "plan.json").exists()
    elsewhere = finscribe("mine", *shared, "--output", tmp_path / "x.json", "--workspace", tmp_path, fails=True)
    assert "plan.json: no such file; --workspace is a folder that" in " ".join(elsewhere.split())


def test_predictions_are_measured(work, tmp_path):
    shared = ["--predictions", work / "predictions" / "predictions.jsonl", "--ground-truth", work / "documents.jsonl"]
    finscribe("evaluate", *shared, "--output", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["documents"] == 24
    assert report["problems"]["missing_prediction"] > 10  # train was not read
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_predictions_are_mined_into_a_plan_that_draws(work, weak_by_a_knob, tmp_path):
    shared = ["--predictions", weak_by_a_knob, "--ground-truth", work / "documents.jsonl", "--workspace", work]
    files = ["--output", tmp_path / "mined.json", "--plan", tmp_path / "plan.json"]
    text = finscribe("mine", *shared, *files, "--num-samples", 10)
    assert "drawn values compared" in text
    mined = json.loads((tmp_path / "mined.json").read_text(encoding="utf-8"))
    assert any(cell["effects"] for cell in mined["weak"])
    finscribe("synthesize", "--plan", tmp_path / "plan.json", "--out", tmp_path / "next", "--workers", 1)
    ids = pq.read_table(tmp_path / "next" / "documents.parquet")["id"].to_pylist()
    assert ids[0] == "batch-001-000000"
    assert len(ids) == 10


def test_a_split_of_the_workspace_is_all_that_is_measured(work, tmp_path):
    shared = ["--predictions", work / "predictions" / "predictions.jsonl", "--ground-truth", work / "documents.jsonl"]
    rows = read_splits(work / "splits")
    for command, out in (("evaluate", "report.json"), ("mine", "mined.json")):
        finscribe(command, *shared, "--output", tmp_path / out, "--workspace", work, "--split", "validation")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["documents"] == sum(row.split == "validation" for row in rows)
    assert "missing_prediction" not in report["problems"]
    assert json.loads((tmp_path / "mined.json").read_text(encoding="utf-8"))["unread"] == 0
    output = ["--output", tmp_path / "x.json"]
    assert "name a --workspace" in finscribe("evaluate", *shared, *output, "--split", "test", fails=True)
    unknown = finscribe("mine", *shared, *output, "--workspace", work, "--split", "tset", fails=True)
    assert "tset is unknown; splits are train" in unknown


def test_an_adapter_takes_the_exam_and_the_decision_follows(work, tmp_path):
    options = ["--adapter", work / "adapter", "--documents", 3, "--factor", "font:Lato", "--workers", 1]
    text = finscribe("exam", *options, "--out", tmp_path / "first")
    verdict = json.loads((tmp_path / "first" / "verdict.json").read_text(encoding="utf-8"))
    assert [part["part"] for part in verdict["parts"]] == ["base", "font:Lato"]
    assert ("promoted: " in text) == verdict["promoted"]
    assert "stop: nothing weak" in finscribe("decide", "--exam", tmp_path / "first")
    planned = ["--exam", tmp_path / "first", "--plan", work / "plan.json"]
    assert "lead to batch-001" in finscribe("decide", *planned, "--wanted", "batch-001")
    finscribe("decide", *planned, "--wanted", "batch-002", fails=True)
    assert "the limit of 1" in finscribe("decide", *planned, "--limit", 1)
    assert "give --storage" in finscribe("decide", fails=True)


def test_a_storage_without_a_judged_adapter_says_so(tmp_path):
    assert "no adapter was judged yet" in finscribe("adapters", "--storage", tmp_path, fails=True)
    image = Path(__file__).parents[2] / "docs/images"
    (file, *_) = sorted(image.glob("*.png"))
    assert "no adapter is in use" in finscribe("extract", file, "--promoted", tmp_path, fails=True)
    both = ["--promoted", tmp_path, "--adapter", tmp_path]
    assert "not both" in finscribe("extract", file, *both, fails=True)


def test_hostile_predictions_stop_nothing(work, tmp_path):
    first, second = [
        json.loads(line)["id"] for line in (work / "documents.jsonl").read_text(encoding="utf-8").splitlines()[:2]
    ]
    (tmp_path / "p.jsonl").write_text(
        "\n".join(
            [
                json.dumps({"id": first, "response": '{"document_number": "A'}),
                json.dumps({"id": second, "response": [1]}),
                "{",
                "",
                json.dumps({"id": "unknown", "response": None}),
            ]
        )
    )
    for command in ("evaluate", "mine"):
        finscribe(
            command,
            "--predictions",
            tmp_path / "p.jsonl",
            "--ground-truth",
            work / "documents.jsonl",
            "--output",
            tmp_path / f"{command}.json",
        )
        assert json.loads((tmp_path / f"{command}.json").read_text(encoding="utf-8"))["problems"]["unknown_id"] == 1


def test_extract_reads_a_rendered_document(work):
    name = json.loads((work / "predictions" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()[0])["id"]
    shard = next(
        file
        for file in sorted((work / "images").glob("*.parquet"))
        if name in pq.read_table(file, columns=["document_id"])["document_id"].to_pylist()
    )
    record = json.loads(finscribe("extract", shard, "--document", name, "--adapter", work / "adapter").splitlines()[-1])
    assert record["id"] == name
    assert record["response"]["totals"]["amount_due"]


def test_extract_reads_a_pdf_and_shows_where(work, tmp_path):
    page = next(read_rendered(work / "images")).pages[0].open()
    page.save(tmp_path / "scan.pdf", resolution=144)
    record = json.loads(
        finscribe(
            "extract",
            tmp_path / "scan.pdf",
            "--base",
            "embedded",
            "--boxes",
            tmp_path / "boxes",
            "--html",
            tmp_path / "scan.html",
            "--locale",
            "de_DE",
            "--max-tokens",
            2,
        )
    )
    assert (record["pages"], record["labels"]) == (1, "de_DE")
    assert record["lines"]
    assert any(line["truncated"] for line in record["lines"])
    drawn = Image.open(tmp_path / "boxes" / "scan-1.png")
    assert drawn.mode == "RGB"
    assert abs(drawn.width - page.width) <= 1
    assert "data:image/webp" in (tmp_path / "scan.html").read_text(encoding="utf-8")
    (tmp_path / "cut.pdf").write_bytes((tmp_path / "scan.pdf").read_bytes()[:4000])
    assert "the PDF is damaged" in finscribe("extract", tmp_path / "cut.pdf", fails=True)


def test_without_a_base_or_an_adapter_the_ocr_engine_reads_and_this_is_said(tmp_path):
    image = Image.new("L", (260, 40), 255)
    ImageDraw.Draw(image).text((10, 8), "Invoice 2024-117", font=ImageFont.load_default(22))
    image.save(tmp_path / "line.png")
    result = CliRunner().invoke(app, ["extract", str(tmp_path / "line.png")])
    record = json.loads(result.stdout)
    assert (record["text"], record["reader"][:10]) == ("Invoice 2024-117", "OCR engine")
    assert "read by the OCR engine's own recogniser" in result.stderr


def test_a_merged_checkpoint_is_a_base(work, tmp_path):
    assert "tensors changed" in finscribe("merge", "--adapter", work / "adapter", "--out", tmp_path / "merged")
    for folder in ("adapter", "merged"):
        checked = (work if folder == "adapter" else tmp_path) / folder
        assert "0 errors, 0 warnings" in finscribe("doctor", checked, "--base", "embedded", "--no-machine")
    line = Image.linear_gradient("L").resize((120, 28))
    line.save(tmp_path / "line.png")
    merged = json.loads(finscribe("extract", tmp_path / "line.png", "--base", tmp_path / "merged"))
    adapted = json.loads(finscribe("extract", tmp_path / "line.png", "--adapter", work / "adapter"))
    assert merged.keys() == adapted.keys() == {"id", "file", "reader", "model", "text", "confidence", "truncated"}
    assert merged["model"]["adapter"] is None
    assert len(adapted["model"]["adapter"]) == len(merged["model"]["base_content"]) == 64


def test_schema_is_json_schema_with_the_codes():
    schema = json.loads(finscribe("schema"))
    assert schema["properties"]["document_number"]["en16931"] == "BT-1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("render", "{empty}"), "no documents; run `finscribe synthesize"),
        (("train", "{work}", "--out", "{empty}/a", "--set", "learning_rat=1"), "learning_rate"),
        (("train", "{work}", "--out", "{empty}/a", "--preset", "nothing"), "embedded"),
        (("train", "{work}", "--out", "{empty}/a", "--set", "rank"), "name=value"),
        (("summary", "--storage", "{empty}"), "no report of batch-000 here"),
        (("extract", "{empty}/none.png"), "no such file"),
        (("extract", "{empty}/page.png", "--json"), "reads single printed lines and writes no JSON"),
        (("extract", "{empty}/none.pdf"), "no such file"),
        (("extract", "{empty}/page.pdf", "--box", "1,2,3,4"), "not readable"),
        (("extract", "{empty}/page.png", "--layout", "blocks", "--base", "embedded"), "blocks need PaddleX"),
        (("extract", "{empty}/page.png", "--layout", "blocks"), "reads plain lines only; give --base or --adapter"),
        (("merge", "--adapter", "{work}/adapter", "--out", "{work}/adapter"), "is there already"),
        (("synthesize", "--out", "{empty}", "--recipe", "{work}/plan.json"), "components: unknown key"),
        (
            ("synthesize", "--out", "{empty}", "--preset", "hardest"),
            "choose one of simple, medium, complex, born_digital, scanned, photographed, embedded",
        ),
        (("synthesize", "--out", "{empty}", "--preset", "simple", "--plan", "{work}/plan.json"), "give one"),
    ],
)
def test_errors_say_what_is_wrong_and_how_to_mend_it(work, tmp_path, arguments, said):
    places = {"{work}": str(work), "{empty}": str(tmp_path)}
    for name in ("page.png", "page.pdf"):
        (tmp_path / name).write_bytes(b"not looked at")
    filled = [
        "".join(part).replace("{work}", places["{work}"]).replace("{empty}", places["{empty}"]) for part in arguments
    ]
    assert said in " ".join(finscribe(*filled, fails=True).split())
