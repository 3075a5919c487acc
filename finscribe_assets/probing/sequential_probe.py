"""The order in which a reader is probed: plain documents, screening of all factors, pairs for what stands out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.battery import Battery, sample_fields
from finscribe_assets.probing.bundles import BundleDesigner
from finscribe_assets.probing.evidence import Evidence, Reading
from finscribe_assets.probing.factors import Factor, Setting, present_factors
from finscribe_assets.probing.readings import ElementCounts, ProbedReader, ReadingTask, count_failures

# How a budget is spent: shares of the readings.
FIRST_WAVE_SHARE, PAIR_SHARE = 0.27, 0.12
LATER_WAVES = 3
KEPT_FACTORS = (0.6, 0.4, 0.25)  # share of the factors that each later wave is drawn for
BLATANT = 1e-7  # p-value from which a factor is harmful whatever comes: later screening documents do without it
MAX_PAIRED_FACTORS = 12


class Version(NamedTuple):
    """A document of the battery: its number and what it is drawn with."""

    number: int
    setting: Setting


class ProbeSession:
    """Readings of one reader and what they are evidence of."""

    def __init__(
        self, reader: ProbedReader, battery: Battery, on_readings: Callable[[int], None] | None = None
    ) -> None:
        """Take the reader, the documents, and who is told how many readings were made."""
        self.reader, self.battery, self.space = reader, battery, battery.space
        self.evidence = Evidence(self.space)
        self.designer = BundleDesigner(self.space, str(battery.seed))
        self.used = 0
        self._screened: Counter[DocumentType] = Counter()
        self._plain: dict[Version, ElementCounts] = {}
        self._report = on_readings or (lambda readings: None)

    def read(self, versions: Sequence[Version]) -> list[tuple[DrawnDocument, ElementCounts]]:
        """Read documents."""
        drawn = [self.battery.draw(setting, number) for number, setting in versions]
        tasks = [ReadingTask(one, sample_fields(one, self.reader.fields_per_document)) for one in drawn]
        predictions = self.reader.read(tasks)
        self.used += len(tasks)
        self._report(len(tasks))
        return [(task.document, count_failures(task, one)) for task, one in zip(tasks, predictions, strict=True)]

    def screen(
        self,
        wave: int,
        factors: Sequence[Factor],
        count: int,
        types: Mapping[Factor, Sequence[DocumentType]] | None = None,
    ) -> None:
        """Read ``count`` screening documents for factors."""
        settings = self.designer.wave(factors, count, types)
        versions = []
        for setting in settings:
            versions.append(Version(self.battery.screening_number(setting.type, self._screened[setting.type]), setting))
            self._screened[setting.type] += 1
        for drawn, counts in self.read(versions):
            self.evidence.add(_reading(drawn, counts, f"wave {wave}", is_screening=True))

    def read_plain(self, blocks: int) -> None:
        """Read plain documents of every type, ``blocks`` of each."""
        versions = [
            (block, Version(self.battery.pair_number(kind, block), self.space.plain(kind)))
            for block in range(blocks)
            for kind in self.space.types
        ]
        self._read_plain(versions)

    def _read_plain(self, versions: Sequence[tuple[int, Version]]) -> None:
        new = [(block, one) for block, one in dict.fromkeys(versions) if one not in self._plain]
        for (block, version), (drawn, counts) in zip(new, self.read([one for _, one in new]), strict=True):
            self._plain[version] = counts
            self.evidence.add(_reading(drawn, counts, self._group(block, version)))

    def _group(self, block: int, version: Version) -> str:
        """Name what a plain document is compared within: plain documents of one block, over types, and its pairs."""
        setting = version.setting
        is_usual = setting == self.space.plain(setting.type)
        return f"block {block}" if is_usual else f"block {block} {setting.locale} {sorted(setting.knobs)}"

    def read_pairs(self, wanted: Sequence[tuple[Factor, int]]) -> None:
        """Read a changed version for each factor and number of a pair, and the plain documents that are not read yet."""
        pairs = [(factor, *self.pair_of(factor, place)) for factor, place in wanted]
        self._read_plain([(block, plain) for _, block, plain, _ in pairs])
        for (factor, block, plain, _), (drawn, counts) in zip(
            pairs, self.read([changed for *_, changed in pairs]), strict=True
        ):
            self.evidence.add(_reading(drawn, counts, self._group(block, plain), factor.name))

    def pair_of(self, factor: Factor, place: int) -> tuple[int, Version, Version]:
        """Return the block, plain document and changed document of a factor's pair number ``place``."""
        kinds = [kind for kind in self.space.types if self.space.can_act(factor, kind)]
        kind = kinds[place % len(kinds)]
        block = place
        plain = self.space.plain_for(factor, kind)
        number = self.battery.pair_number(kind, block)
        return block, Version(number, plain), Version(number, self.space.changed(plain, factor))


def _reading(
    drawn: DrawnDocument, counts: ElementCounts, group: str, changed: str = "", *, is_screening: bool = False
) -> Reading:
    return Reading(
        group,
        drawn.document.document_type,
        drawn.document.locale,
        present_factors(drawn),
        counts,
        is_screening,
        changed,
    )


LOOKED_FOR = 0.08  # effect that readings are spent on finding


def run_probe(reader: ProbedReader, battery: Battery, budget: int = 600, q: float = 0.05) -> ProbeSession:
    session = ProbeSession(reader, battery)
    space = battery.space
    session.screen(0, space.factors, round(FIRST_WAVE_SHARE * budget))
    reserve = round(PAIR_SHARE * budget)
    for wave in range(LATER_WAVES):
        left = budget - session.used - reserve
        factors, types = promising(session, KEPT_FACTORS[wave])
        session.screen(wave + 1, factors, left // (LATER_WAVES - wave), types)
    cells = session.evidence.cells()
    best: dict[str, float] = {}
    for cell in cells:
        if cell.effect > 0 and not cell.factor.startswith("type:"):
            best[cell.factor] = min(best.get(cell.factor, 1.0), cell.p)
    chosen = sorted(best, key=lambda name: best[name])[:MAX_PAIRED_FACTORS]
    left = budget - session.used
    wanted = [(Factor(name), place) for place in range(left // len(chosen)) for name in chosen]
    while wanted and session.used < budget:
        session.read_pairs(wanted[: max(1, (budget - session.used) // 2)])
        wanted = wanted[max(1, (budget - session.used) // 2) :]
    return session


def promising(session: ProbeSession, share: float) -> tuple[list[Factor], dict[Factor, list[DocumentType]]]:
    """Return the share of the factors for which it is likeliest that they harm some element."""
    space = session.space
    cells = session.evidence.cells()
    blatant = {cell.factor for cell in cells if cell.effect > 0 and cell.p < BLATANT}
    has: dict[str, set[DocumentType]] = {}
    for reading in session.evidence.readings:
        for element in reading.counts:
            has.setdefault(element, set()).add(reading.type)
    scores: dict[str, list[tuple[float, str]]] = {}
    for cell in cells:
        expected = LOOKED_FOR / (cell.effect / cell.z) if cell.z else 0.0
        scores.setdefault(cell.factor, []).append((cell.z * expected - expected**2 / 2, cell.element))
    factors = [one for one in space.factors if one.choice != "type" and one.name not in blatant]
    total = {name: math.log(math.fsum(math.exp(min(one, 50.0)) for one, _ in some)) for name, some in scores.items()}
    order = sorted(factors, key=lambda one: -total.get(one.name, math.inf))
    kept = []
    for choice in dict.fromkeys(one.choice for one in order):
        some = [one for one in order if one.choice == choice]
        kept += some[: math.ceil(share * len(some))]
    types = {}
    for factor in kept:
        if factor.name in scores:
            element = max(scores[factor.name])[1]
            usable = [kind for kind in space.types if kind in has[element] and space.can_act(factor, kind)]
            if usable:
                types[factor] = usable
    return kept, types
