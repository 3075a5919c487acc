"""The configurations of PaddleFormers, which refuses unknown keys; a slow test runs it with these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.paddle.epoch_samples import MESSAGES_SAMPLES
from finscribe_assets.training.paddle.tool_settings import (
    PADDLE_BASE_FOLDER,
    PADDLE_OUTPUT_FOLDER,
    SAMPLES_PATH,
    PaddleTool,
    RunFacts,
    shared_settings,
)

_PLUGIN = Path(__file__).with_name("paddleformers_plugin.py")


def train_settings(config: AdapterConfig, facts: RunFacts) -> dict[str, Any]:
    """Return the settings of `paddleformers-cli train`."""
    half = facts.compute_type(config) == "bf16"
    return shared_settings(config, facts) | {
        "stage": "VL-SFT",
        "lora": config.fine_tuning == "lora",
        "custom_register_path": str(_PLUGIN),
        "train_dataset_type": "messages",
        "eval_dataset_type": "messages",
        "eval_dataset_path": SAMPLES_PATH,
        "eval_dataset_prob": "1.0",
        "do_eval": False,
        "mix_strategy": "concat",
        "packing": False,
        "padding_free": False,
        "truncate_packing": False,
        "template_backend": "custom",
        "template": "paddleocr_vl",
        "per_device_train_batch_size": config.batch_size,
        "max_grad_norm": config.gradient_clip,
        "device": _device(facts),
        "_attn_implementation": "flashmask" if facts.on_gpu else "eager",
        "fp16_opt_level": "O2" if half else "O1",
        "amp_master_grad": half,
        "tensor_model_parallel_size": 1,
        "pipeline_model_parallel_size": 1,
        "unified_checkpoint": False,
        "save_checkpoint_format": "flex_checkpoint",
        "load_checkpoint_format": "flex_checkpoint",
        **({"recompute_granularity": "full"} if config.gradient_checkpointing else {}),
    }


def export_settings(facts: RunFacts) -> dict[str, Any]:
    """Return the settings of `paddleformers-cli export`, which merges the adapter into the base."""
    return {
        "fine_tuning": "LoRA",
        "model_name_or_path": PADDLE_BASE_FOLDER,
        "output_dir": PADDLE_OUTPUT_FOLDER,
        "device": _device(facts),
    }


def _device(facts: RunFacts) -> str:
    return "gpu" if facts.on_gpu else "cpu"


PADDLEFORMERS = PaddleTool(
    name="paddleformers",
    command="paddleformers-cli",
    minimum_version="1.2",
    install_hint="run `make paddle-env`",
    sample_format=MESSAGES_SAMPLES,
    train_settings=train_settings,
    export_settings=export_settings,
    tested=True,
)
