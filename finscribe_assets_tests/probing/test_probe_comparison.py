from dataclasses import dataclass, field

import pytest

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.readings import FieldPredictions, ReadingTask, count_failures
from finscribe_assets.probing.robustness_map import ChangeStatus, compare_effects, robustness_map
from finscribe_assets.probing.sequential_probe import ProbeSettings, probe_reader
from finscribe_assets.probing.simulated_readers import SimulatedReader

SETTINGS = ProbeSettings(budget=160, seed=7)
WEAK = SimulatedReader(
    seed=1, base_rate=0.02, costs={"font:EB Garamond": {"*": 0.5}, "reversed_print": {"amount": 0.4}}
)


@dataclass
class CountingReader:
    """Reads as another reader does, and counts the documents."""

    reader: SimulatedReader
    identity: str = "counting"
    fields_per_document: int | None = None
    read_documents: int = field(default=0)

    def read(self, tasks):
        self.read_documents += len(tasks)
        return self.reader.read(tasks)


@pytest.fixture(scope="module")
def weak(recipe):
    return probe_reader(WEAK, recipe, SETTINGS)


def test_strong_weaknesses_are_found_first(weak):
    assert weak.harmful[:2] == ["font:EB Garamond", "reversed_print"]
    assert len(weak.harmful) <= 3  # of a hundred discoveries three may be false
    assert [effect.verdict for effect in weak.effects[:2]] == ["harmful", "harmful"]


def test_the_budget_holds(weak):
    assert SETTINGS.budget * 0.8 <= weak.pages <= SETTINGS.budget * 1.15


def test_the_same_again_from_the_cache_and_nothing_is_read_twice(recipe, tmp_path):
    first, second = CountingReader(WEAK), CountingReader(WEAK)
    results = [probe_reader(reader, recipe, SETTINGS, cache=tmp_path) for reader in (first, second)]
    assert results[0] == results[1]
    assert first.read_documents == results[0].documents
    assert second.read_documents == 0


def test_a_reader_that_fails_at_random_has_no_weakness(recipe):
    result = probe_reader(SimulatedReader(seed=4, base_rate=0.2), recipe, SETTINGS)
    assert result.harmful == []
    assert result.interactions == ()


def test_right_texts_are_no_failures_and_spoilt_invented_or_missing_ones_are(space, battery):
    drawn = battery.draw(space.plain(DocumentType.INVOICE), 4)
    task = ReadingTask(drawn, tuple(sorted(drawn.printed)))
    right = count_failures(task, FieldPredictions(dict(drawn.printed)))
    assert not any(failures for failures, _ in right.values())
    spoilt = dict(drawn.printed) | {"document_number": "x", "seller.name": None, "ship_to.name": "Nobody"}
    counts = count_failures(task, FieldPredictions(spoilt))
    assert counts["identifier"] == (1, right["identifier"][1])
    assert counts["party"] == (2, right["party"][1] + 1)
    assert counts["identifier/confusable_identifiers"][0] == 1


def test_what_an_adapter_repaired_broke_and_left(weak, recipe):
    better = SimulatedReader(seed=1, base_rate=0.02, costs={"reversed_print": {"amount": 0.4}, "stamp": {"*": 0.4}})
    after = probe_reader(better, recipe, SETTINGS, watched=weak.harmful)
    changes = compare_effects(weak.effects, after.effects)
    statuses = {(one.factor, one.element): one.status for one in changes}
    assert statuses["reversed_print", "amount"] is ChangeStatus.LEFT
    assert statuses["stamp", "line_item"] is ChangeStatus.BROKEN
    font = [status for (factor, _), status in statuses.items() if factor == "font:EB Garamond"]
    assert sum(status in (ChangeStatus.REPAIRED, ChangeStatus.UNCLEAR) for status in font) >= len(font) - 1
    assert font.count(ChangeStatus.REPAIRED) >= 3
    assert robustness_map({"base": weak, "adapter": after}, changes).startswith(b"\x89PNG")
