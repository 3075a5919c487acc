"""The same failures in other forms: other files, layouts and spellings than those of `test_doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finscribe_assets.diagnosis.diagnose import CheckOptions, TargetType, diagnose
from finscribe_assets_tests.diagnosis import set_ups
from finscribe_assets_tests.diagnosis.set_ups import change_json, write_tensors


def traps(target: Path, type_: TargetType | None = None, base: Path | None = None) -> set[str]:
    return {finding.trap for finding in diagnose(str(target), type_, CheckOptions(base=base))}


@pytest.mark.parametrize(
    ("template", "expected"), [(set_ups.TEMPLATE_1_5, set()), (set_ups.TEMPLATE_1_0, {"template-version"})]
)
def test_templates_may_be_in_a_list_of_named_ones(tmp_path, template, expected):
    folder = set_ups.hub_checkpoint(tmp_path / "checkpoint")
    (folder / "chat_template.jinja").unlink()
    listed = [{"name": "tool_use", "template": "{{ messages }}"}, {"name": "default", "template": template}]
    change_json(folder / "tokenizer_config.json", chat_template=listed)
    assert traps(folder) == expected


def test_an_index_that_promises_a_tensor_which_no_shard_holds(tmp_path):
    folder = set_ups.hub_checkpoint(tmp_path / "checkpoint")
    names = sorted(set_ups.hub_tensors())
    shards = {name: f"model-0000{1 + (number > 6)}-of-00002.safetensors" for number, name in enumerate(names)}
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))

    def write(lost: str | None) -> None:
        for shard in set(shards.values()):
            held = {name: set_ups.hub_tensors()[name] for name in names if shards[name] == shard and name != lost}
            write_tensors(folder / shard, held)
        set_ups.opened(folder)

    write(None)
    assert traps(folder) == set()
    write("mlp_AR.linear_1.weight")
    (finding,) = diagnose(str(folder))
    assert (finding.trap, "mlp_AR.linear_1.weight" in finding.problem) == ("tensors-missing", True)


def test_an_adapter_in_another_format_is_no_checkpoint_either(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}')
    (tmp_path / "adapter_model.bin").write_bytes(b"PK\3\4")
    assert traps(tmp_path, TargetType.CHECKPOINT) == {"adapter-as-checkpoint"}


@pytest.mark.parametrize(
    ("prompt", "response", "is_trap"),
    [
        ("OCR:", '```json\n{"total": "7.00"}\n```', True),
        ("OCR: ", '{"total": "7.00", "date"', True),
        ("ocr：", '[{"total": "7.00"}]', True),
        ("\nTable Recognition", '{"rows": []}', True),
        ("OCR:", "[3]", False),
        ("OCR:", "{17}", False),
        ("OCR of the total as JSON:", '{"total": "7.00"}', False),
    ],
)
def test_stock_prompts_are_known_in_any_spelling(tmp_path, prompt, response, is_trap):
    sample = {"query": f"<image>{prompt}", "response": response, "images": ["one.png"]}
    folder = set_ups.training_set(tmp_path / "set", [sample])
    assert ("stock-prompt" in traps(folder)) is is_trap


SCRIPT = """#!/bin/bash
# MAX_PIXELS=1000 of an earlier run
MAX_PIXELS={pixels} \\
CUDA_VISIBLE_DEVICES=0 swift sft \\
  --model PaddlePaddle/PaddleOCR-VL-1.5 --train_type=lora \\
  --max_length {length} --learning_rate 1e-4 --bf16 --output_dir 'my output'
"""


@pytest.mark.parametrize(
    ("pixels", "length", "expected"),
    [(1_003_520, 8192, set()), (602_112, 8192, {"image-budget"}), (1_003_520, 1024, {"length-limit"})],
)
def test_settings_are_read_from_the_script_that_starts_a_training(tmp_path, pixels, length, expected):
    script = tmp_path / "train.sh"
    script.write_text(SCRIPT.format(pixels=pixels, length=length))
    assert traps(script) == expected


def test_a_script_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "train.sh").write_text("swift sft --model 'PaddleOCR-VL")
    (finding,) = diagnose(str(tmp_path / "train.sh"))
    assert (finding.trap, "No closing quotation" in finding.problem) == ("settings-invalid", True)
