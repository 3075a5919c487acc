import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from finscribe_assets.errors import UserError
from finscribe_assets.model import architecture, decoded_text
from finscribe_assets.model.embedded_checkpoint import content_hash
from finscribe_assets.pretraining.model_card import describe_base, render_card
from finscribe_assets.pretraining.pretrain import pretrain, read_log
from finscribe_assets.pretraining.pretraining_config import PretrainConfig, load_pretrain_config
from finscribe_assets.training.adapter_config import ConfigurationError

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
def _short_responses():
    """What is not yet trained never ends a response, and nobody needs more than its beginning."""
    with pytest.MonkeyPatch.context() as patch:
        for prompt in decoded_text.MAX_LINE_TOKENS:
            patch.setitem(decoded_text.MAX_LINE_TOKENS, prompt, 2)
        yield


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, _short_responses):
    folder = tmp_path_factory.mktemp("pretraining")
    pretrain(TINY, folder / "work", folder / "out")
    return folder


def work_with_lines(uninterrupted, folder):
    """Return a new work folder with the lines that are prepared already."""
    folder.mkdir()
    for name in ("drawn", "rendered", "scored"):
        (folder / name).symlink_to(uninterrupted / "work" / name)
    return folder


def untimed(records):
    return [{key: value for key, value in record.items() if key != "minutes"} for record in records]


def test_a_run_that_is_killed_in_each_phase_ends_with_the_same_weights(uninterrupted, tmp_path):
    work, out = work_with_lines(uninterrupted, tmp_path / "work"), tmp_path / "out"

    def run_until(last_step):
        steps = []

        def report(record):
            steps.append(record["step"])
            if record["step"] == last_step:
                raise Killed

        if last_step is None:
            pretrain(TINY, work, out, report=report)
        else:
            with pytest.raises(Killed):
                pretrain(TINY, work, out, report=report)
        return steps

    # The first is killed before any checkpoint, the others in each phase after one; each goes on from the one before.
    for last_step, checkpoint in ((2, 0), (6, 0), (10, 4), (14, 8), (None, 12)):
        assert run_until(last_step)[0] == checkpoint + 2
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (out, uninterrupted / "out"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert untimed(read_log(work)) == untimed(read_log(uninterrupted / "work"))


def test_batches_made_by_other_processes_are_the_same(uninterrupted, tmp_path):
    work = work_with_lines(uninterrupted, tmp_path / "work")
    pretrain(TINY.model_copy(update={"loaders": 2}), work, tmp_path / "out")
    assert content_hash(tmp_path / "out") == content_hash(uninterrupted / "out")


def test_a_finished_run_is_not_run_again(uninterrupted):
    reports: list[dict] = []
    pretrain(TINY, uninterrupted / "work", uninterrupted / "out", report=reports.append)
    assert reports == []


def test_torchs_global_state_is_as_before(uninterrupted):
    before = torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.get_rng_state()
    try:
        torch.set_num_threads(2)
        torch.set_float32_matmul_precision("high")
        torch.manual_seed(7)
        random = torch.get_rng_state()
        pretrain(TINY, uninterrupted / "work", uninterrupted / "out")
        assert torch.get_num_threads() == 2
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.equal(torch.get_rng_state(), random)
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])
        torch.set_rng_state(before[2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"joint_step": 3}, "pretraining: joint_step: there is no such setting; do you mean joint_steps?"),
        ({"hold": 1.0}, "pretraining: hold: Input should be less than 1 (it is 1.0)"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings, message):
    with pytest.raises(ConfigurationError) as refused:
        load_pretrain_config(settings)
    assert str(refused.value) == message


def test_other_settings_do_not_resume_a_run(uninterrupted):
    with pytest.raises(ValueError, match=r"learning_rate \(0.003 then, 0.001 now\)"):
        pretrain(TINY.model_copy(update={"learning_rate": 1e-3}), uninterrupted / "work", uninterrupted / "out")


def test_the_log_scores_the_phases_that_read(uninterrupted):
    records = read_log(uninterrupted / "work")
    assert [record["step"] for record in records if "exact_match_field" in record] == [8, 16]
    assert json.loads((uninterrupted / "work" / "checkpoints" / "latest.json").read_text())["step"] == 16


def test_the_glyph_loss_falls(tmp_path, uninterrupted):
    config = TINY.model_copy(
        update={
            "vision_steps": 40,
            "language_steps": 1,
            "joint_steps": 1,
            "report_every": 10,
            "batch_pixels": 28 * 28 * 64,
        }
    )
    work = work_with_lines(uninterrupted, tmp_path / "work")
    pretrain(config, work, tmp_path / "out")
    losses = [record["glyph"] for record in read_log(work) if record["phase"] == "vision"]
    assert losses[-1] < 0.6 * losses[0]


def going_on(base, **changes):
    return TINY.model_copy(update={"start_from": str(base), "learning_rate": 1e-3, "seed": 2, **changes})


def test_going_on_from_a_base_has_the_joint_phase_alone_and_resumes(uninterrupted, tmp_path):
    config = going_on(uninterrupted / "out")
    pretrain(config, tmp_path / "work", tmp_path / "out")
    records = read_log(tmp_path / "work")
    assert [(record["step"], record["phase"]) for record in records] == [(2, "joint"), (4, "joint"), (6, "joint")]
    assert not any("glyph" in record for record in records)

    def killed_after_a_checkpoint(record):
        if record["step"] == 6:
            raise Killed

    work = work_with_lines(tmp_path, tmp_path / "killed")
    moved = going_on(shutil.copytree(uninterrupted / "out", tmp_path / "moved"))
    with pytest.raises(Killed):
        pretrain(config, work, tmp_path / "again", report=killed_after_a_checkpoint)
    pretrain(moved, work, tmp_path / "again")  # a base is what its files are, wherever they lie
    assert content_hash(tmp_path / "again") == content_hash(tmp_path / "out") != content_hash(uninterrupted / "out")


def test_the_first_step_from_a_base_starts_with_its_weights(uninterrupted, tmp_path):
    work = work_with_lines(uninterrupted, tmp_path / "work")
    pretrain(going_on(uninterrupted / "out", joint_steps=1, learning_rate=1e-12), work, tmp_path / "out")
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (tmp_path / "out", uninterrupted / "out"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_run_from_another_base_does_not_resume(uninterrupted, tmp_path):
    work = work_with_lines(uninterrupted, tmp_path / "work")
    pretrain(going_on(uninterrupted / "out", joint_steps=1), work, tmp_path / "out")
    with pytest.raises(UserError, match=r"start_from \([0-9a-f]{64} then, [0-9a-f]{64} now\)"):
        pretrain(going_on("embedded", joint_steps=1), work, tmp_path / "out")


def test_a_base_is_not_overwritten_by_what_goes_on_from_it(uninterrupted, tmp_path):
    with pytest.raises(UserError, match="is the base to go on from"):
        pretrain(going_on(uninterrupted / "out"), tmp_path / "work", uninterrupted / "out")


def test_a_base_of_another_size_is_refused(uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setitem(architecture.LANGUAGE_SETTINGS, "num_hidden_layers", 2)
    with pytest.raises(UserError, match="start_from: out has another architecture or tokenizer"):
        pretrain(going_on(uninterrupted / "out"), tmp_path / "work", tmp_path / "out")


def test_a_base_is_scored_and_described_from_its_own_run(uninterrupted, tmp_path):
    out = shutil.copytree(uninterrupted / "out", tmp_path / "out")
    scores = describe_base(out, uninterrupted / "work", TINY, "0123abc", documents=1)
    card = (out / "README.md").read_text()
    assert json.loads((out / "scores.json").read_text()) == scores
    assert scores["slices"]["base"]["overall"]["exact_match"] < 0.2, "sixteen steps teach nobody to read"
    curve = "| 8 | language | 0.0% | 0.0% | 0.0% |"
    for expected in ("0123abc", content_hash(out), curve, "held out: fr_FR", "## Tables", "## Whole documents"):
        assert expected in card
    assert all(file.stat().st_mode & 0o044 == 0o044 for file in out.iterdir()), "a server may run as another user"
    config = going_on(uninterrupted / "out")
    records = read_log(uninterrupted / "work")
    later = render_card(config, records, scores, commit="", content="", parameters=1, tokens=1)
    assert f"from the weights of the base with content `{content_hash(uninterrupted / 'out')}`" in later
    assert "Steps: 6 of everything; " in later
