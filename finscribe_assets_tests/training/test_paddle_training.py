"""Two steps of training in PaddleFormers, beside the same two in peft, and its weights in transformers."""

import json
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from finscribe_assets.inference.checkpoint_merging import merge_adapter
from finscribe_assets.instructions.pair import SpanType, Task
from finscribe_assets.model.adapters import FULL_WEIGHTS, add_adapter
from finscribe_assets.model.bases import find_base, load_model
from finscribe_assets.model.embedded_checkpoint import load_base, load_processor
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.training import backends
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.paddle.paddle_environment import BackendMissingError, find_environment
from finscribe_assets.training.paddle.paddle_trainer import EXPORT_FOLDER
from finscribe_assets.training.paddle.paddleformers_backend import PADDLEFORMERS
from finscribe_assets.training.paddle.tool_settings import PADDLE_OUTPUT_FOLDER, SAMPLES_PATH
from finscribe_assets.training.sample_encoding import Encoder
from finscribe_assets.training.training_samples import LeftOut, read_samples
from finscribe_assets_tests.training.adapter_data import source_of
from finscribe_assets_tests.training.page_base import write_page_base

pytestmark = pytest.mark.slow

STEPS, BATCH = 2, 3
WEIGHTS = {SpanType.FINANCIAL: 3.0, SpanType.CELL: 2.0, SpanType.STRUCTURE: 0.25}


@pytest.fixture(scope="module")
def environment():
    try:
        found = find_environment()
        found.check(PADDLEFORMERS)
    except BackendMissingError as missing:
        pytest.skip(str(missing))
    return found


@pytest.fixture(
    scope="module", params=[{"rank": 4, "alpha": 8}, {"fine_tuning": "full", "weight_decay": 0.1}], ids=["lora", "full"]
)
def trained(request, environment, batch, tmp_path_factory):
    """The folder, and each back end's summary."""
    folder = tmp_path_factory.mktemp("paddle")
    base = write_page_base(folder / "pages")
    summaries = {}
    for backend in ("peft", "paddleformers"):
        config = AdapterConfig(
            base=str(base),
            backend=backend,
            **request.param,
            max_steps=STEPS,
            batch_size=BATCH,
            tasks=(Task.TABLE, Task.REGION_EXTRACTION),
            warmup=0.0,
            learning_rate=1e-3,
            validation_samples=4,
            log_every=1,
            loss_weights=WEIGHTS,
            max_tokens=700,
        )
        summaries[backend] = backends.train(
            config, source_of(batch, folder / "splits"), folder / backend, folder / "work" / backend
        )
    return folder, summaries


def is_full(folder):
    return (folder / "paddleformers" / FULL_WEIGHTS).exists()


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder):
    return [record["loss"] for record in metrics(folder) if "loss" in record]


def test_both_back_ends_take_the_same_steps(trained, environment):
    folder, summaries = trained
    peft, paddle = losses(folder / "peft"), losses(folder / "paddleformers")
    assert len(peft) == len(paddle) == STEPS
    assert paddle[0] == pytest.approx(peft[0], abs=2e-5)
    # Each back end draws its own first LoRA matrices.
    assert paddle[1] == pytest.approx(peft[1], rel=1e-5 if is_full(folder) else 0.02)
    if is_full(folder):
        ours, theirs = (load_file(folder / backend / FULL_WEIGHTS) for backend in ("peft", "paddleformers"))
        assert ours.keys() == theirs.keys()
        largest = max(float((ours[name] - theirs[name]).abs().max()) for name in ours)
        print("largest difference of weights, of which each moved by about 0.0015:", largest)  # noqa: T201
        assert largest < 1e-4
    assert summaries["paddleformers"].backend == "paddleformers"
    assert summaries["paddleformers"].loss_fell
    record = json.loads((folder / "paddleformers" / "training.json").read_text())
    assert record["versions"]["paddleformers"].startswith("1.2")
    assert str(environment.python) not in json.dumps(record)


@torch.no_grad()
def by_hand(folder, number):
    """Return a line's losses and weights from the probabilities of its tokens, with nothing of the trainer's."""
    line = json.loads((folder / "work/paddleformers/paddle" / SAMPLES_PATH).read_text().splitlines()[number])
    model, processor = load_base(folder / "pages"), load_processor(folder / "pages")
    with Image.open((folder / "work/paddleformers/paddle" / SAMPLES_PATH).parent / line["images"][0]) as picture:
        shown = processor.image_processor(images=[picture.convert("RGB")], return_tensors="pt")
    image, room = processor.image_token_id, line["length"] - len(line["prompt_tokens"]) - len(line["answer_tokens"]) + 1
    prompt = [token for each in line["prompt_tokens"] for token in ([each] * room if each == image else [each])]
    tokens = torch.tensor([prompt + line["answer_tokens"]])
    logits = model(input_ids=tokens, mm_token_type_ids=(tokens == image).int(), **shown).logits[0].double()
    chances = torch.softmax(logits, dim=-1)
    each = [-float(chances[place - 1, tokens[0, place]].log()) for place in range(len(prompt), tokens.shape[1])]
    return np.array(each), np.array(line["weights"])


def test_the_first_losses_are_the_weighted_means_computed_by_hand(trained):
    folder, _ = trained
    pairs = [by_hand(folder, number) for number in range(BATCH)]
    each, weights = (np.concatenate(part) for part in zip(*pairs, strict=True))
    expected = (each * weights).sum() / weights.sum()
    print("by hand:", expected, "unweighted:", each.mean())  # noqa: T201
    assert {0.25, 1.0} < set(weights)
    assert abs(expected - each.mean()) > 1e-3
    assert losses(folder / "peft")[0] == pytest.approx(expected, abs=1e-5)
    assert losses(folder / "paddleformers")[0] == pytest.approx(expected, abs=1e-5)


PADDLE_LOGITS = """
import sys, numpy as np, paddle
from paddleformers.transformers import AutoModelForConditionalGeneration
paddle.set_device("cpu")
given = np.load(sys.argv[2])
model = AutoModelForConditionalGeneration.from_pretrained(sys.argv[1], dtype="float32", convert_from_hf=True,
                                                          load_checkpoint_format="flex_checkpoint")
model.eval()
with paddle.no_grad():
    out = model(input_ids=paddle.to_tensor(given["input_ids"]), pixel_values=paddle.to_tensor(given["pixel_values"]),
                image_grid_thw=paddle.to_tensor(given["image_grid_thw"]), return_dict=True)
np.save(sys.argv[3], out.logits.numpy())
"""


@torch.no_grad()
def test_the_adapter_the_export_and_paddle_itself_give_the_same_logits(trained, environment, batch, tmp_path):
    folder, _ = trained
    base, paddle = find_base(str(folder / "pages")), folder / "work/paddleformers/paddle"
    merged = theirs = paddle / EXPORT_FOLDER
    if is_full(folder):  # Paddle has nothing to merge: what it wrote is the checkpoint
        merged, theirs = tmp_path / "merged", paddle / PADDLE_OUTPUT_FOLDER
        merge_adapter(str(folder / "pages"), folder / "paddleformers", merged)
    encoder = Encoder(load_processor(folder / "pages"))
    samples, _ = read_samples(
        source_of(batch, folder / "splits"), Split.VALIDATION, (Task.TABLE,), single_lines=False, page_folder=tmp_path
    )
    inputs = encoder.collate(encoder.encode_all(samples, 700, LeftOut())[:1])
    inputs.pop("labels")
    adapted = add_adapter(load_model(base), folder / "paddleformers", base)(**inputs).logits
    ours = load_model(find_base(str(merged)))(**inputs).logits
    np.savez(
        tmp_path / "inputs.npz",
        **{name: inputs[name].numpy() for name in ("input_ids", "pixel_values", "image_grid_thw")},
    )
    run = subprocess.run(
        [environment.python, "-c", PADDLE_LOGITS, theirs, "inputs.npz", "out.npy"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    theirs = torch.from_numpy(np.load(tmp_path / "out.npy")).float()
    of_base = load_model(base)(**inputs).logits
    differences = [float((logits - adapted).abs().max()) for logits in (ours, theirs, of_base)]
    print("largest difference of logits to the export, to Paddle, to the base:", differences)  # noqa: T201
    assert max(differences[:2]) < 1e-4
    assert differences[2] > 1e-3
