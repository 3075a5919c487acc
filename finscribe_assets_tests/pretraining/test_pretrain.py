import json

import pytest
import torch
from safetensors.torch import load_file

from finscribe_assets.model import decoding
from finscribe_assets.model.embedded_checkpoint import content_hash
from finscribe_assets.pretraining.model_card import describe_base
from finscribe_assets.pretraining.pretrain import pretrain, read_log
from finscribe_assets.pretraining.pretraining_config import PretrainConfig

TINY = PretrainConfig(
    drawn_documents=4,
    rendered_documents=2,
    scored_documents=1,
    vision_steps=5,
    language_steps=5,
    joint_steps=6,
    batch_pixels=28 * 28 * 24,
    checkpoint_every=4,
    report_every=2,
    score_every=8,
)


class Killed(Exception):
    pass


@pytest.fixture(scope="module", autouse=True)
def _short_answers():
    """What is not yet trained never ends an answer; nobody needs more than its beginning."""
    with pytest.MonkeyPatch.context() as patch:
        for prompt in decoding.MAX_NEW_TOKENS:
            patch.setitem(decoding.MAX_NEW_TOKENS, prompt, 2)
        yield


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, _short_answers):
    folder = tmp_path_factory.mktemp("pretraining")
    pretrain(TINY, folder / "work", folder / "out")
    return folder


def _untimed(records):
    return [{key: value for key, value in record.items() if key != "minutes"} for record in records]


@pytest.mark.parametrize("last_step", [2, 6, 10, 14])  # before the first checkpoint, and in each phase after one
def test_a_killed_run_goes_on_to_the_same_weights(uninterrupted, tmp_path, last_step):
    def die(record):
        if record["step"] == last_step:
            raise Killed

    for name in ("drawn", "rendered", "scored"):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "work" / name).symlink_to(uninterrupted / "work" / name)
    with pytest.raises(Killed):
        pretrain(TINY, tmp_path / "work", tmp_path / "out", report=die)
    steps = []
    pretrain(TINY, tmp_path / "work", tmp_path / "out", report=lambda record: steps.append(record["step"]))
    assert steps[0] == last_step // 4 * 4 + 2, "it goes on from the last checkpoint"
    ours, theirs = (load_file(folder / "out" / "model.safetensors") for folder in (tmp_path, uninterrupted))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert _untimed(read_log(tmp_path / "work")) == _untimed(read_log(uninterrupted / "work"))


def test_batches_made_by_other_processes_are_the_same(uninterrupted, tmp_path):
    for name in ("drawn", "rendered", "scored"):
        (tmp_path / name).symlink_to(uninterrupted / "work" / name)
    pretrain(TINY.model_copy(update={"loaders": 2}), tmp_path, tmp_path / "out")
    assert content_hash(tmp_path / "out") == content_hash(uninterrupted / "out")


def test_a_finished_run_is_not_run_again(uninterrupted):
    told: list[dict] = []
    pretrain(TINY, uninterrupted / "work", uninterrupted / "out", report=told.append)
    assert told == []


def test_other_settings_do_not_take_up_a_run(uninterrupted):
    with pytest.raises(ValueError, match=r"learning_rate \(0.003 then, 0.001 now\)"):
        pretrain(TINY.model_copy(update={"learning_rate": 1e-3}), uninterrupted / "work", uninterrupted / "out")


def test_the_log_scores_the_phases_that_read(uninterrupted):
    records = read_log(uninterrupted / "work")
    assert [record["step"] for record in records if "exact_match_field" in record] == [8, 16]
    assert json.loads((uninterrupted / "work" / "checkpoints" / "latest.json").read_text())["step"] == 16


def test_the_glyph_loss_falls(tmp_path, uninterrupted):
    config = TINY.model_copy(
        update={
            "vision_steps": 60,
            "language_steps": 1,
            "joint_steps": 1,
            "report_every": 10,
            "batch_pixels": 28 * 28 * 64,
        }
    )
    for name in ("drawn", "rendered", "scored"):
        (tmp_path / name).symlink_to(uninterrupted / "work" / name)
    pretrain(config, tmp_path, tmp_path / "out")
    losses = [record["glyph"] for record in read_log(tmp_path) if record["phase"] == "vision"]
    assert losses[-1] < 0.6 * losses[0]


def test_a_base_is_scored_and_described_from_its_own_run(uninterrupted):
    scores = describe_base(uninterrupted / "out", uninterrupted / "work", TINY, "0123abc", documents=1)
    card = (uninterrupted / "out" / "README.md").read_text()
    assert json.loads((uninterrupted / "out" / "scores.json").read_text()) == scores
    assert scores["slices"]["base"]["overall"]["exact_match"] < 0.2, "sixteen steps teach nobody to read"
    curve = "| 8 | language | 0.0% | 0.0% | 0.0% |"
    for wanted in (
        "0123abc",
        content_hash(uninterrupted / "out"),
        curve,
        "held out: fr_FR",
        "## Tables",
        "## Whole documents",
    ):
        assert wanted in card
