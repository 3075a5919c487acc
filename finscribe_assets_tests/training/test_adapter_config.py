import pytest
import yaml

from finscribe_assets.instructions.pair import Task
from finscribe_assets.training.adapter_config import (
    PRESETS_FOLDER,
    AdapterConfig,
    ConfigurationError,
    load_config,
    load_preset,
    preset_names,
)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid_and_says_all_it_sets(name):
    written = yaml.safe_load((PRESETS_FOLDER / f"{name}.yaml").read_text())
    config = load_preset(name).model_dump(mode="json")
    assert {key: config[key] for key in written} == written


def test_the_presets_that_others_name_are_there():
    assert {"embedded", "mission", "paddleformers-lora", "full-lora-1gpu"} <= set(preset_names())
    assert 1e-5 <= load_preset("mission").final_learning_rate <= load_preset("mission").learning_rate <= 5e-5
    official = load_preset("paddleformers-lora")
    assert (official.rank, official.warmup) == (8, 0.01)
    assert (official.learning_rate, official.final_learning_rate) == (5e-4, 5e-5)
    full = load_preset("paddleformers-full")
    assert (full.fine_tuning, full.warmup) == ("full", 0.01)
    assert (full.learning_rate, full.final_learning_rate) == (5e-6, 5e-7)


def test_overrides_replace_a_presets_settings():
    config = load_preset("embedded", max_steps=3, tasks=["table"])
    assert config.max_steps == 3
    assert config.tasks == (Task.TABLE,)
    assert config.rank == load_preset("embedded").rank
    assert load_preset("embedded", fine_tuning="full").fine_tuning == "full"


def test_every_setting_is_described():
    assert [name for name, field in AdapterConfig.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rat": 1e-3}, "learning_rat: there is no such setting; do you mean learning_rate?"),
        ({"rank": 0}, "rank: Input should be greater than or equal to 1 (it is 0)"),
        ({"tasks": ["poetry"]}, "tasks.0"),
        ({"tasks": []}, "tasks"),
        ({"learning_rate": 1e-4, "final_learning_rate": 1e-3}, "final_learning_rate is 0.001, above learning_rate"),
        (
            {"fine_tuning": "full", "rank": 8, "dropout": 0.1},
            "rank, dropout: for fine_tuning: lora only, but it is full",
        ),
        ({"fine_tuning": "full", "dtype": "bfloat16"}, "dtype: bfloat16 would round away"),
        ({"early_stopping_patience": 2, "validation_samples": 0}, "early_stopping_patience needs a validation loss"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings, message):
    with pytest.raises(ConfigurationError, match=r"embedded\.yaml: ") as refused:
        load_preset("embedded", **settings)
    assert message in str(refused.value)


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"'fast'; there are .*embedded.*mission"):
        load_preset("fast")


@pytest.mark.parametrize(("text", "message"), [("- a\n- b\n", "holds list"), ("a: [", "not valid YAML")])
def test_a_file_that_is_no_settings_is_named(tmp_path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"mine.yaml: {message}"):
        load_config(file)


def test_an_empty_file_is_all_defaults(tmp_path):
    (tmp_path / "mine.yaml").write_text("# nothing yet\n")
    assert load_config(tmp_path / "mine.yaml") == AdapterConfig()
