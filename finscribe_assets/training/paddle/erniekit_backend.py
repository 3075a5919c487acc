"""The configuration of ERNIEKit, checked against its documented keys. This project never ran ERNIEKit.

PyPI's erniekit 1.3 cannot train PaddleOCR-VL; 1.4 and later are built from PaddlePaddle's ERNIE repository and need a
GPU. ERNIEKit encodes samples itself, so it takes no token weights.
"""

from __future__ import annotations

from typing import Any

from finscribe_assets.training.adapter_config import AdapterConfig, ConfigurationError
from finscribe_assets.training.paddle.epoch_samples import ERNIEKIT_SAMPLES
from finscribe_assets.training.paddle.tool_settings import PaddleTool, RunFacts, shared_settings

# From docs/training_eval_args.md and PaddleOCR-VL's example (run_ocr_vl_sft_16k.yaml) in the ERNIE repository.
_DOCUMENTED = """
model_name_or_path output_dir logging_steps logging_dir do_train do_eval disable_tqdm continue_training
train_dataset_path train_dataset_prob train_dataset_type eval_dataset_path eval_dataset_prob eval_dataset_type
max_steps num_train_epochs per_device_train_batch_size gradient_accumulation_steps weight_decay seed max_seq_len
learning_rate warmup_steps lr_scheduler_type min_lr layerwise_lr_decay_bound random_shuffle adam_beta1 adam_beta2
adam_epsilon tensor_parallel_degree pipeline_parallel_degree sharding_parallel_degree sharding sequence_parallel
release_grads recompute recompute_granularity recompute_use_reentrant save_steps save_strategy unified_checkpoint
disable_ckpt_quant save_total_limit use_flash_attention use_sparse_flash_attn dataloader_num_workers
distributed_dataloader prefetch_factor bf16 fp16_opt_level amp_master_grad num_samples_each_epoch lora lora_rank
lora_alpha rslora use_pic_id sft_replace_ids sft_image_normalize sft_image_rescale image_dtype fine_tuning multimodal
stage batch_size packing_size packing padding from_scratch compute_type convert_from_hf save_to_hf
"""
DOCUMENTED_KEYS = frozenset(_DOCUMENTED.split())


def train_settings(config: AdapterConfig, facts: RunFacts) -> dict[str, Any]:
    """Return the settings of `erniekit train`.

    Raises:
        ConfigurationError: the settings weigh tokens, Paddle is built for CPUs, or a key is not documented.
    """
    if config.loss_weights:
        raise ConfigurationError(
            "loss_weights: ERNIEKit weighs all tokens alike; leave them empty, or set backend: paddleformers or peft"
        )
    if not facts.on_gpu:
        raise ConfigurationError("backend: ERNIEKit trains on a GPU, but its environment has Paddle for CPUs")
    settings = shared_settings(config, facts) | {
        "stage": "OCR-VL-SFT",
        "multimodal": True,
        **({"lora_alpha": config.alpha} if config.fine_tuning == "lora" else {}),
        "train_dataset_type": "erniekit",
        "num_samples_each_epoch": 6_000_000,
        "use_pic_id": False,
        "sft_replace_ids": True,
        "sft_image_normalize": True,
        "sft_image_rescale": True,
        "image_dtype": "float32",
        "use_flash_attention": True,
        "use_sparse_flash_attn": True,
        "distributed_dataloader": False,
        "batch_size": 1,
        "packing_size": config.batch_size,
        "packing": True,
        "padding": False,
        "release_grads": True,
        "layerwise_lr_decay_bound": 1.0,
        "from_scratch": 0,
        "tensor_parallel_degree": 1,
        "pipeline_parallel_degree": 1,
        "sharding_parallel_degree": 1,
        "sharding": "stage1",
        "sequence_parallel": False,
        "recompute": config.gradient_checkpointing,
        "recompute_granularity": "full",
        "recompute_use_reentrant": True,
        "fp16_opt_level": "O2",
        "disable_ckpt_quant": True,
        "unified_checkpoint": True,
        "convert_from_hf": True,
        "save_to_hf": True,
    }
    check_keys(settings)
    return settings


def check_keys(settings: dict[str, Any]) -> None:
    """Check that ERNIEKit's documentation names every key.

    Raises:
        ConfigurationError: lists the keys that it does not name.
    """
    if unknown := sorted(settings.keys() - DOCUMENTED_KEYS):
        raise ConfigurationError(f"{', '.join(unknown)}: not among ERNIEKit's documented keys")


ERNIEKIT = PaddleTool(
    name="erniekit",
    command="erniekit",
    minimum_version="1.4",
    install_hint="build it from github.com/PaddlePaddle/ERNIE",
    sample_format=ERNIEKIT_SAMPLES,
    train_settings=train_settings,
    export_settings=None,
    tested=False,
)
