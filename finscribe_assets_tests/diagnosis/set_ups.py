"""Good set-ups to plant failures in, written byte by byte: no library of the doctor's takes part."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from finscribe_assets.model.checkpoint_files import BASE_FOLDER, content_hash

TEMPLATE_1_5 = "{% for m in messages %}User: {{ m['content'][1]['text'] }}\n{% endfor %}{{ 'Assistant:\n' }}"
TEMPLATE_1_0 = TEMPLATE_1_5.replace("Assistant:\n", "Assistant: ")


def write_tensors(file: Path, tensors: Mapping[str, np.ndarray], type_: str = "F32") -> None:
    header, data = {}, b""
    for name, values in tensors.items():
        content = values.tobytes()
        header[name] = {"dtype": type_, "shape": values.shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    head = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(head)) + head + data)


def change_json(file: Path, **members: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | members), encoding="utf-8")


def hub_tensors() -> dict[str, np.ndarray]:
    ones = np.ones((2, 2), np.float32)
    names = [
        "model.embed_tokens.weight",
        "lm_head.weight",
        "model.norm.weight",
        "mlp_AR.linear_1.weight",
        "visual.vision_model.embeddings.packing_position_embedding.weight",
        *(f"model.layers.{layer}.self_attn.{part}_proj.weight" for layer in range(2) for part in "qkvo"),
        *(f"visual.vision_model.encoder.layers.{layer}.mlp.fc1.weight" for layer in range(2)),
    ]
    return {name: ones * (number + 1) for number, name in enumerate(names)}


def hub_checkpoint(folder: Path) -> Path:
    """Write a checkpoint in the layout of PaddleOCR-VL-1.5's repository: a flat config, code, preprocessor_config."""
    folder.mkdir()
    config = {
        "architectures": ["PaddleOCRVLForConditionalGeneration"],
        "auto_map": {"AutoConfig": "configuration_paddleocr_vl.PaddleOCRVLConfig"},
        "model_type": "paddleocr_vl",
        "image_token_id": 3,
        "eos_token_id": 2,
        "vocab_size": 8,
        "num_hidden_layers": 2,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "vision_config": {"num_hidden_layers": 2, "hidden_size": 1152},
    }
    tokens = [{"id": 2, "content": "</s>"}, {"id": 3, "content": "<|IMAGE_PLACEHOLDER|>"}]
    files = {
        "config.json": config,
        "generation_config.json": {"eos_token_id": 2, "use_cache": False},
        "preprocessor_config.json": {"min_pixels": 112_896, "max_pixels": 1_003_520, "patch_size": 14},
        "tokenizer.json": {"added_tokens": tokens, "model": {"vocab": {"a": 7}}},
        "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer", "eos_token": {"content": "</s>"}},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "configuration_paddleocr_vl.py").write_text("", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(TEMPLATE_1_5, encoding="utf-8")
    write_tensors(folder / "model.safetensors", hub_tensors())
    return opened(folder)


def embedded_checkpoint(folder: Path) -> Path:
    return opened(Path(shutil.copytree(BASE_FOLDER, folder)))


def opened(folder: Path) -> Path:
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


def adapter(folder: Path, *, base: Path = BASE_FOLDER) -> Path:
    folder.mkdir()
    file = folder / "adapter_model.safetensors"
    matrix = np.full((2, 4), 0.5, np.float32)
    write_tensors(file, {"layers.0.lora_A.weight": matrix, "layers.0.lora_B.weight": matrix.T.copy()})
    record = {
        "config": {"fine_tuning": "lora"},
        "base": {"name": "embedded", "content": content_hash(base)},
        "weights": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2}), encoding="utf-8")
    return opened(folder)


def samples() -> list[dict]:
    """Return records of ms-swift, LLaMA-Factory (messages and sharegpt) and PaddleFormers about two pictures."""
    answer = json.dumps({"document_number": "17", "totals": {"amount_due": "7.00"}})
    return [
        {"query": "<image>Which number has this invoice?", "response": "17", "images": ["one.png"]},
        {
            "messages": [
                {"role": "system", "content": "You read invoices."},
                {"role": "user", "content": "<image>Give the fields as JSON."},
                {"role": "assistant", "content": answer},
            ],
            "images": ["one.png"],
        },
        {
            "conversations": [{"from": "human", "value": "<image>\nOCR:"}, {"from": "gpt", "value": "Invoice 17"}],
            "images": ["two.png"],
        },
        {
            "image_info": [{"image_url": "./two.png", "matched_text_index": 0}],
            "text_info": [
                {"text": "Table Recognition:", "tag": "mask"},
                {"text": "<fcel>Bolt<ecel>" + "<ecel>" * 60 + "<nl>", "tag": "no_mask"},
            ],
        },
    ]


def training_set(folder: Path, records: list[dict] | None = None) -> Path:
    folder.mkdir()
    for name in ("one.png", "two.png"):
        Image.new("L", (600, 800), 255).save(folder / name)
    lines = [json.dumps(record) for record in (samples() if records is None else records)]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def settings(file: Path, **members: object) -> Path:
    """Write settings as people write them for PaddleFormers; JSON is YAML, too."""
    written = {
        "model_name_or_path": "PaddlePaddle/PaddleOCR-VL-1.5",
        "template": "paddleocr_vl_v15",
        "fine_tuning": "LoRA",
        "learning_rate": "5e-4",
        "min_lr": 5e-5,
        "max_seq_len": 16384,
        "bf16": True,
    }
    file.write_text(json.dumps(written | members), encoding="utf-8")
    return file
