"""A probe of readers whose weaknesses are chosen: it finds them, invents none, and gives the same result every time."""

import pytest

from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.probing.factor_effects import EffectVerdict
from finscribe_assets.probing.robustness_map import robustness_map
from finscribe_assets.probing.sequential_probe import ProbeSettings, probe_reader
from finscribe_assets.probing.simulated_readers import SimulatedReader

PLANTED = {
    "font:Comic Neue": {"*": 0.3},
    "locale:fr_FR": {"party": 0.3, "line_item": 0.2},
    "reversed_print": {"amount": 0.3},
}


SETTINGS = ProbeSettings(budget=400)


class CountingReader(SimulatedReader):
    """Counts the documents that it is given."""

    count = 0

    def read(self, tasks):
        CountingReader.count += len(tasks)
        return super().read(tasks)


@pytest.fixture(scope="module")
def probed():
    return probe_reader(SimulatedReader(seed=3, costs=PLANTED), EMBEDDED_RECIPE, SETTINGS)


def test_planted_weaknesses_are_the_harmful_factors(probed):
    assert set(probed.harmful[:3]) == set(PLANTED)
    assert len(probed.harmful) <= 4  # one discovery in twenty may be false
    by_cell = {(effect.factor, effect.element): effect for effect in probed.effects}
    for (factor, element), cost in ((("locale:fr_FR", "party"), 0.3), (("locale:fr_FR", "line_item"), 0.2)):
        effect = by_cell[factor, element]
        # One 95 % interval in twenty misses the truth; half as wide again, one in three hundred.
        assert abs(effect.effect - cost) <= 1.5 * max(effect.effect - effect.low, effect.high - effect.effect)
    assert by_cell["reversed_print", "amount"].verdict is EffectVerdict.HARMFUL


def test_the_budget_holds(probed):
    assert probed.pages <= 1.05 * SETTINGS.budget
    assert probed.documents >= 200


def test_harmful_effects_come_first_and_fall(probed):
    harmful = [effect.effect for effect in probed.effects if effect.verdict is EffectVerdict.HARMFUL]
    assert [effect.effect for effect in probed.effects[: len(harmful)]] == sorted(harmful, reverse=True)


def test_a_reader_without_weaknesses_has_none():
    probed = probe_reader(SimulatedReader(seed=4), EMBEDDED_RECIPE, ProbeSettings(budget=200))
    assert len(probed.harmful) <= 1


def test_readings_are_kept_and_give_the_same_result(tmp_path):
    settings = ProbeSettings(budget=100)
    reader = CountingReader(seed=5, costs=PLANTED)
    first = probe_reader(reader, EMBEDDED_RECIPE, settings, cache=tmp_path)
    count = CountingReader.count
    assert probe_reader(reader, EMBEDDED_RECIPE, settings, cache=tmp_path) == first
    assert CountingReader.count == count, "nothing is read twice"
    assert probe_reader(reader, EMBEDDED_RECIPE, settings) == first


def test_the_map_is_a_picture(probed):
    assert robustness_map({"base": probed}, ()).startswith(b"\x89PNG")
