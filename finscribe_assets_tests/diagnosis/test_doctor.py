"""Planted failures are named with their place, and good set-ups give no finding."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.diagnosis.diagnose import CheckOptions, TargetType, diagnose, type_of
from finscribe_assets.diagnosis.machine_checks import check_paddle, check_versions
from finscribe_assets.diagnosis.traps import TRAPS, Severity
from finscribe_assets.training.adapter_config import PRESETS_FOLDER
from finscribe_assets_tests.diagnosis import set_ups
from finscribe_assets_tests.diagnosis.set_ups import change_json, write_tensors


def test_good_set_ups_give_no_finding(tmp_path):
    hub = set_ups.hub_checkpoint(tmp_path / "hub")
    good = {
        "embedded": TargetType.CHECKPOINT,
        str(set_ups.embedded_checkpoint(tmp_path / "copy")): TargetType.CHECKPOINT,
        str(hub): TargetType.CHECKPOINT,
        str(set_ups.adapter(tmp_path / "adapter")): TargetType.ADAPTER,
        str(set_ups.training_set(tmp_path / "set")): TargetType.TRAINING_SET,
        str(set_ups.settings(tmp_path / "sft.yaml")): TargetType.SETTINGS,
        **{str(file): TargetType.SETTINGS for file in PRESETS_FOLDER.glob("*.yaml")},
    }
    for target, type_ in good.items():
        assert type_of(target) is type_
        assert list(diagnose(target)) == [], target
    assert list(diagnose(str(hub), options=CheckOptions(base=hub))) == []


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def tensors(folder: Path, type_: str = "F32", **changed: np.ndarray | None) -> None:
    stored = set_ups.hub_tensors() | {name.replace("__", "."): values for name, values in changed.items()}
    write_tensors(folder / "model.safetensors", {n: v for n, v in stored.items() if v is not None}, type_)


NAN = np.array([[1, np.nan]], np.float32)
PLANTED_IN_CHECKPOINTS = {
    "template-version": lambda f: write(f, "chat_template.jinja", set_ups.TEMPLATE_1_0),
    "template-missing": lambda f: (f / "chat_template.jinja").unlink(),
    "tokenizer-class": lambda f: change_json(f / "tokenizer_config.json", tokenizer_class="PaddleTokenizer"),
    "token-ids": lambda f: change_json(f / "config.json", image_token_id=5),
    "packing-position-embedding": lambda f: tensors(
        f, visual__vision_model__embeddings__packing_position_embedding__weight=None
    ),
    "tensors-missing": lambda f: tensors(f, model__layers__1__self_attn__k_proj__weight=None),
    "weights-incomplete": lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-9]),
    "weights-not-finite": lambda f: tensors(f, model__norm__weight=NAN),
    "tied-head": lambda f: change_json(f / "config.json", tie_word_embeddings=True),
    "float16": lambda f: tensors(
        f, "F16", **{n.replace(".", "__"): v.astype(np.float16) for n, v in set_ups.hub_tensors().items()}
    ),
    "file-mode": lambda f: (f / "model.safetensors").chmod(0o600),
    "files-missing": lambda f: (f / "preprocessor_config.json").unlink(),
    "code-missing": lambda f: (f / "configuration_paddleocr_vl.py").unlink(),
    "not-this-model": lambda f: change_json(f / "config.json", architectures=["ErnieForCausalLM"]),
    "image-budget": lambda f: change_json(f / "preprocessor_config.json", max_pixels=602_112),
    "generation-settings": lambda f: change_json(f / "generation_config.json", repetition_penalty=1.05),
    "adapter-in-checkpoint": lambda f: write(f, "adapter_config.json", "{}"),
}


@pytest.mark.parametrize("trap", PLANTED_IN_CHECKPOINTS)
def test_a_failure_in_a_checkpoint_is_named(tmp_path, trap):
    folder = set_ups.hub_checkpoint(tmp_path / "checkpoint")
    PLANTED_IN_CHECKPOINTS[trap](folder)
    findings = list(diagnose(str(folder)))
    assert {finding.trap for finding in findings} == {trap}
    assert all(str(folder) in finding.place and finding.problem for finding in findings)


def test_a_checkpoint_is_compared_with_its_base(tmp_path):
    folder, base = (set_ups.hub_checkpoint(tmp_path / name) for name in ("tuned", "base"))
    tensors(folder, mlp_AR__linear_1__weight=None)
    assert list(diagnose(str(folder))) == []
    (finding,) = diagnose(str(folder), options=CheckOptions(base=base))
    assert (finding.trap, "mlp_AR.linear_1.weight" in finding.problem) == ("tensors-missing", True)


def test_templates_with_the_tags_of_transformers_are_rendered(tmp_path):
    folder = set_ups.hub_checkpoint(tmp_path / "checkpoint")
    write(folder, "chat_template.jinja", "{%- generation -%}{% if false %}{% endif %}{% endgeneration %}Assistant:\n\n")
    assert [finding.trap for finding in diagnose(str(folder))] == []


def test_failures_in_adapters_are_named(tmp_path):
    other = set_ups.embedded_checkpoint(tmp_path / "other")
    write(other, "generation_config.json", "{}")
    folder = set_ups.adapter(tmp_path / "of_other", base=other)
    (finding,) = diagnose(str(folder))
    assert (finding.trap, "used with embedded" in finding.problem) == ("other-base", True)
    assert list(diagnose(str(folder), options=CheckOptions(base=other))) == []

    (served,) = diagnose(str(folder), TargetType.CHECKPOINT)
    assert served.trap == "adapter-as-checkpoint"

    killed = set_ups.adapter(tmp_path / "killed")
    (killed / "adapter_model.safetensors").unlink()
    assert [finding.trap for finding in diagnose(str(killed))] == ["adapter-unfinished"]

    idle = set_ups.adapter(tmp_path / "idle")
    write_tensors(idle / "adapter_model.safetensors", {"a.lora_B.weight": np.zeros((2, 2), np.float32)})
    assert {finding.trap for finding in diagnose(str(idle))} == {"adapter-changes-nothing", "adapter-unfinished"}


def swapped(index: int, **members: object) -> list[dict]:
    records = set_ups.samples()
    records[index] = records[index] | members
    return records


def answered(prompt: str, response: str, images: int = 1) -> list[dict]:
    return [{"query": "<image>" * images + prompt, "response": response, "images": ["one.png"]}]


@pytest.mark.parametrize(
    ("trap", "records", "words"),
    [
        ("picture-unreadable", swapped(0, images=["none.png"]), "train.jsonl: line 1: images[0]"),
        ("picture-unreadable", swapped(1, images=["../set/cut.png"]), "line 2: images[0]"),
        ("image-placeholders", answered("Which number?", "17", images=2), "2 <image> tags for 1 images"),
        ("image-placeholders", answered("Which number?", "17", images=0), "0 <image> tags for 1 images"),
        ("sample-dropped", answered("Which number?", " "), "response"),
        ("sample-dropped", [{"text": "Invoice"}], "line 1"),
        ("stock-prompt", answered("OCR:", '{"total": "7.00"}'), "'OCR:' is answered with JSON"),
        ("answer-markup", answered("Give the table.", "<table><tr><td>7</td></tr></table>"), "<table>"),
        ("answer-repeats", answered("Give the text.", "Invoice 17 " + "total 7.00 " * 40), "repeated over and over"),
        ("answers-contradict", answered("No.?", "17") + answered("No.?", "18"), "line 2"),
        ("sample-too-long", answered("Give the text.", "".join(f"word{n} " for n in range(9000))), "tokens"),
    ],
)
def test_failures_in_training_sets_are_named(tmp_path, trap, records, words):
    folder = set_ups.training_set(tmp_path / "set", records)
    (folder / "cut.png").write_bytes((folder / "one.png").read_bytes()[:200])
    findings = list(diagnose(str(folder / "train.jsonl")))
    assert {finding.trap for finding in findings} == {trap}
    assert words in f"{findings[0].place} {findings[0].problem}"


def test_samples_may_be_one_array(tmp_path):
    folder = set_ups.training_set(tmp_path / "set")
    write(folder, "train.json", json.dumps(set_ups.samples() + answered("OCR:", "{}")))
    assert type_of(str(folder / "train.json")) is TargetType.TRAINING_SET
    (finding,) = diagnose(str(folder / "train.json"))
    assert (finding.trap, finding.place.endswith("item 5: prompt")) == ("stock-prompt", True)


def test_findings_of_a_large_set_are_counted(tmp_path):
    records = [record | {"id": str(number)} for number in range(60) for record in answered("OCR:", '{"a": 1}')]
    findings = list(diagnose(str(set_ups.training_set(tmp_path / "set", records))))
    assert len(findings) == 21
    assert "40 more samples" in findings[-1].problem


@pytest.mark.parametrize(
    ("trap", "members"),
    [
        ("learning-rate", {"learning_rate": 5e-3}),
        ("learning-rate", {"fine_tuning": "Full", "learning_rate": "1e-4", "min_lr": 0}),
        ("lowest-rate", {"min_lr": 1e-3}),
        ("length-limit", {"max_seq_len": 1024}),
        ("image-budget", {"max_pixels": 602_112}),
        ("float16", {"fp16": True}),
        ("template-setting", {"template": "paddleocr_vl"}),
    ],
)
def test_failures_in_settings_are_named(tmp_path, trap, members):
    (finding,) = diagnose(str(set_ups.settings(tmp_path / "sft.yaml", **members)))
    assert finding.trap == trap


def test_our_own_settings_are_checked_by_their_model(tmp_path):
    write(tmp_path, "ours.yaml", "base: PaddlePaddle/PaddleOCR-VL\nlearning_rat: 0.1\nrank: 8\n")
    (finding,) = diagnose(str(tmp_path / "ours.yaml"))
    assert (finding.trap, "do you mean learning_rate?" in finding.problem) == ("settings-invalid", True)


class FakeServer(BaseHTTPRequestHandler):
    """Answers as a server that serves LoRA does, or one that is well."""

    lora, finish = False, "stop"

    def _answer(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._answer(200, {"data": [{"id": "ours", **({"parent": "base"} if self.lora else {})}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.lora:
            self._answer(400, {"message": "PaddleOCRVLForConditionalGeneration does not support LoRA yet."})
        else:
            self._answer(200, {"choices": [{"message": {"content": ""}, "finish_reason": self.finish}]})

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    http = HTTPServer(("127.0.0.1", 0), FakeServer)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_servers_are_asked(server, monkeypatch):
    assert list(diagnose(server)) == []
    assert [finding.trap for finding in diagnose(server, options=CheckOptions(model="other"))] == ["server-model"]
    monkeypatch.setattr(FakeServer, "finish", "length")
    assert [finding.trap for finding in diagnose(f"{server}/v1")] == ["server-endless"]
    monkeypatch.setattr(FakeServer, "lora", True)
    assert [finding.trap for finding in diagnose(server)] == ["adapter-as-checkpoint"] * 2
    assert [finding.trap for finding in diagnose("http://127.0.0.1:9")] == ["server-unreachable"]


LOG_LINES = {
    "ValueError: PaddleOCRVLForConditionalGeneration does not support LoRA yet.": "adapter-as-checkpoint",
    "Image features and image tokens do not match: tokens: 0, features 1440": "image-placeholders",
    "Following weights were not initialized from checkpoint: {'visual.x.packing_position_embedding.weight'}": (
        "packing-position-embedding"
    ),
    "TypeError: save_model() takes from 1 to 2 positional arguments but 3 were given": "tool-version",
    "{'loss': nan, 'grad_norm': nan}": "loss-not-finite",
    "torch.OutOfMemoryError: CUDA out of memory.": "out-of-memory",
}


def test_messages_of_the_public_reports_are_known_in_logs(tmp_path):
    write(tmp_path, "train.log", "\n".join(["loss: 0.61 grad_norm: 1.2", *LOG_LINES, *LOG_LINES]))
    findings = list(diagnose(str(tmp_path / "train.log")))
    assert [finding.trap for finding in findings] == list(LOG_LINES.values())
    assert findings[0].place.endswith("train.log: line 2")


def test_versions_are_those_of_the_metadata():
    assert list(check_versions(["numpy>=1", "nothing-of-this-name; extra == 'x'"])) == []
    found = {finding.place: finding.problem for finding in check_versions(["numpy<1", "nothing-of-this-name"])}
    assert found.keys() == {"numpy", "nothing-of-this-name"}
    assert found["numpy"].endswith("<1 is needed")


def test_an_old_paddleformers_is_named(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho \'{"paddleformers": "1.0", "paddlepaddle": "3.3", "dagster-pipes": "1"}\'\n')
    python.chmod(0o755)
    monkeypatch.setenv("FINSCRIBE_PADDLE_PYTHON", str(python))
    (finding,) = check_paddle()
    assert (finding.trap, "paddleformers 1.0, older than 1.2" in finding.problem) == ("tool-version", True)
    monkeypatch.setenv("FINSCRIBE_PADDLE_PYTHON", str(tmp_path / "nowhere"))
    assert list(check_paddle()) == []


def test_the_command_prints_where_why_and_the_mend_and_fails_on_errors(tmp_path):
    folder = set_ups.hub_checkpoint(tmp_path / "checkpoint")
    run = CliRunner().invoke
    result = run(app, ["doctor", str(folder), "--no-machine"])
    assert (result.exit_code, "0 errors, 0 warnings" in result.stdout) == (0, True)
    (folder / "model.safetensors").chmod(0o600)
    assert run(app, ["doctor", str(folder), "--no-machine"]).exit_code == 0  # a warning
    write(folder, "chat_template.jinja", set_ups.TEMPLATE_1_0)
    result = run(app, ["doctor", str(folder), "--no-machine", "--json"])
    by_trap = {finding["trap"]: finding for finding in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert by_trap.keys() == {"file-mode", "template-version"}
    assert "https://github.com/PaddlePaddle/PaddleOCR/issues/17589" in by_trap["template-version"]["reports"]
    shown = run(app, ["doctor", str(folder), "--no-machine"]).stdout
    assert all(words in shown for words in ("template-version", "file-mode", "→ take", "1 errors, 1 warnings"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no such file or folder"),
        (["--as", "model"], "it is one of checkpoint"),
        (["--base", "nowhere"], "is no folder"),
    ],
)
def test_what_cannot_be_checked_is_an_error(arguments, words):
    result = CliRunner().invoke(app, ["doctor", "--no-machine", *arguments])
    assert result.exit_code == 1
    assert words in " ".join(result.output.split())


def test_the_page_of_the_documentation_has_the_table_of_the_traps():
    page = (Path(__file__).parents[2] / "docs/doctor.md").read_text(encoding="utf-8")
    assert CliRunner().invoke(app, ["doctor", "--traps"]).stdout in page
    assert all(trap.why and trap.mend and trap.severity in Severity for trap in TRAPS.values())
