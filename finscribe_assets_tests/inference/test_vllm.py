"""A merged checkpoint, served by a real vLLM, reads what the reader in this process reads.

``FINSCRIBE_VLLM`` names the folder of an environment with vLLM; docs/serving.md shows how one is made. Starting the
server takes one to three minutes on two cores.
"""

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from finscribe_assets.inference.checkpoint_merging import merge_adapter
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import RegionType, RendererBoxes
from finscribe_assets.inference.server_reader import ServerReader
from finscribe_assets.inference.server_settings import ReadingUnit, ServerSettings
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.embedded_checkpoint import BASE_FOLDER
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets_tests.training.adapter_data import source_of

ENVIRONMENT = os.environ.get("FINSCRIBE_VLLM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ENVIRONMENT, reason="FINSCRIBE_VLLM names no environment with vLLM"),
]

LINES, CONFIDENCE = 1000, 0.02
SAME = {"float32": 0.995, "bfloat16": 0.99}  # rounding the weights to bfloat16 changes some lines, in any server
SECONDS_TO_START = 900
VLLM_SETTINGS = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}


def vllm(folder: Path, port: int, *options: str) -> list[str]:
    """Return the command that serves a folder, with the settings of docs/serving.md for two cores."""
    return [
        *(f"{ENVIRONMENT}/bin/vllm", "serve", str(folder), "--served-model-name", "tuned"),
        *("--host", "127.0.0.1", "--port", str(port), "--max-model-len", "1024", "--max-num-seqs", "16"),
        *("--max-num-batched-tokens", "2048", "--no-enable-prefix-caching", "--mm-processor-cache-gb", "0"),
        *("--enforce-eager", "--limit-mm-per-prompt", '{"image":1}', *options),
    ]


@contextmanager
def served(folder: Path, log: Path, *options: str):
    """Serve a folder on loopback while the block runs, and yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as out:
        server = subprocess.Popen(
            vllm(folder, port, *options),
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | VLLM_SETTINGS,
            start_new_session=True,  # vLLM has processes of its own, which end with its group
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(SECONDS_TO_START):
            assert server.poll() is None, log.read_text()[-3000:]
            try:
                if httpx2.get(f"{url}/health", trust_env=False).is_success:
                    break
            except httpx2.TransportError:
                pass
            time.sleep(1)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)


def prompt_tokens(url: str, max_pixels: int | None) -> int:
    """Return the number of prompt tokens for an image of 560 × 280 pixels."""
    image = Image.new("L", (560, 280), 255)
    reader = ServerReader(ServerSettings(url, "tuned", max_pixels=max_pixels))
    body = reader.body((image,), OCR_PROMPT, 1)
    return httpx2.post(f"{url}/v1/chat/completions", json=body, trust_env=False).json()["usage"]["prompt_tokens"]


@pytest.fixture(scope="module")
def adapter(batch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapter")
    settings = AdapterConfig(rank=8, alpha=16, max_steps=20, batch_size=8, validation_samples=0, threads=1)
    train_adapter(settings, source_of(batch, folder / "splits"), folder / "adapter", folder / "work")
    return folder / "adapter"


@pytest.fixture(scope="module")
def lines(batch):
    """Return requests for lines of all documents."""
    requests = []
    for document in batch.rendered:
        pages = [page.open() for page in document.pages]
        requests += [
            ReadRequest((crop(pages[number], box),), OCR_PROMPT)
            for region in RendererBoxes().regions(document)
            if region.type is not RegionType.TABLE
            for number, box in region.lines
        ]
    assert len(requests) >= LINES
    return requests[:: len(requests) // LINES][:LINES]


@pytest.mark.parametrize("dtype", SAME)
def test_a_served_checkpoint_reads_what_base_and_adapter_read_here(adapter, lines, tmp_path, dtype):
    expected = Reader(adapter=adapter, threads=1).read(lines)
    bare = Reader(threads=1).read(lines)
    assert any(one.text != other.text for one, other in zip(bare, expected, strict=True)), "the adapter does nothing"
    merge_adapter(EMBEDDED, adapter, tmp_path / "merged", dtype)
    with served(tmp_path / "merged", tmp_path / "vllm.log", "--dtype", dtype, "--trust-request-mm-kwargs") as url:
        actual = ServerReader(ServerSettings(url, "tuned", ReadingUnit.LINES)).read(lines)
        image_tokens = [prompt_tokens(url, pixels) - prompt_tokens(url, 28 * 28 * 50) for pixels in (None, 28 * 28 * 8)]
    # 20 × 10 merged patches; a limit is a number of pixels, of which each token has 28 × 28.
    assert image_tokens[0] == pytest.approx(200 - 50, abs=8)
    assert image_tokens[1] == pytest.approx(8 - 50, abs=8)
    pairs = list(zip(actual, expected, strict=True))
    same = [one.text == other.text for one, other in pairs]
    apart = [abs(one.confidence - other.confidence) for one, other in pairs]
    worst = max(difference for difference, is_same in zip(apart, same, strict=True) if is_same)
    print(  # noqa: T201
        f"{dtype}: {sum(same)} of {len(same)} equal; confidence of equal ones within {worst:.4f}, mean difference of "
        f"all {sum(apart) / len(apart):.5f}"
    )
    assert sum(same) >= SAME[dtype] * len(same)
    assert sum(apart) <= CONFIDENCE * len(apart)
    assert worst <= CONFIDENCE


def test_an_adapter_cannot_be_served_beside_its_base(adapter, tmp_path):
    """Merging is not a matter of taste: vLLM has no LoRA for this architecture. If this fails, docs/serving.md is out
    of date."""
    options = ("--enable-lora", "--lora-modules", f"tuned={adapter}")
    command = vllm(BASE_FOLDER, 1, *options)
    result = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | VLLM_SETTINGS, timeout=SECONDS_TO_START, check=False
    )
    assert result.returncode != 0
    assert "does not support LoRA yet" in result.stdout + result.stderr
