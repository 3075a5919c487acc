"""How documents arrive: knobs keep their probability over all channels, and files are not damaged."""

import pytest

from finscribe_assets.documents.channels import USUAL_CHANNELS, Channel, channels_of_all_types, damage_chance
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.recipe_presets import RECIPE_PRESETS

COUNT = 60


@pytest.mark.parametrize("knob", DAMAGE_KNOBS)
@pytest.mark.parametrize("probability", [0.0, 0.03, 0.4, 0.75, 1.0])
def test_over_all_channels_damage_is_as_likely_as_the_knob_says(knob, probability):
    for weights in (*USUAL_CHANNELS.values(), {Channel.SCANNED: 2.0}, {Channel.BORN_DIGITAL: 1.0}):
        chances = {channel: damage_chance(knob, probability, channel, weights) for channel in weights}
        assert all(0 <= chance <= 1 for chance in chances.values())
        mean = sum(weights[channel] * chance for channel, chance in chances.items()) / sum(weights.values())
        assert mean == pytest.approx(probability)


def drawn(recipe):
    plan = seed_plan("batch-000", COUNT, 3, recipe)
    return [draw_document(plan, index) for index in range(COUNT)]


def test_usual_files_are_clean_and_other_documents_are_not():
    documents = drawn(Recipe())
    for document in documents:
        if document.presentation.channel is Channel.BORN_DIGITAL:
            assert document.presentation.damage.keys() <= {"watermark"}
            assert document.presentation.degradation == 0
    paper = [document for document in documents if document.presentation.channel is not Channel.BORN_DIGITAL]
    assert sum(bool(document.presentation.damage) for document in paper) > len(paper) / 2


def test_presets_by_channel_have_damage_of_their_channel_alone():
    files = drawn(RECIPE_PRESETS["born_digital"])
    assert {name for document in files for name in document.presentation.damage} <= {"watermark"}
    scanned = {name for document in drawn(RECIPE_PRESETS["scanned"]) for name in document.presentation.damage}
    photographed = {name for document in drawn(RECIPE_PRESETS["photographed"]) for name in document.presentation.damage}
    assert "skew" in scanned - photographed
    assert {"perspective", "photo"} <= photographed - scanned


def test_channels_change_nothing_but_damage():
    files, paper = (
        drawn(Recipe(channels=channels_of_all_types(channel), knobs=NO_KNOBS))
        for channel in (Channel.BORN_DIGITAL, Channel.SCANNED)
    )
    for first, second in zip(files, paper, strict=True):
        look = second.presentation.model_copy(update={"channel": Channel.BORN_DIGITAL})
        assert second.model_copy(update={"presentation": look}) == first


def test_a_document_type_without_a_channel_is_an_error():
    with pytest.raises(ValueError, match="channels: none with a positive weight for receipt"):
        Recipe(channels={name: weights for name, weights in USUAL_CHANNELS.items() if name != "receipt"})
