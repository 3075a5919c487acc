"""The readings of one reader: documents of the battery are drawn, read, counted and added to the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.battery import Battery, estimated_pages, sample_fields
from finscribe_assets.probing.bundles import BundleDesigner
from finscribe_assets.probing.evidence import Evidence, Reading
from finscribe_assets.probing.factors import Factor, Setting, present_factors
from finscribe_assets.probing.reading_cache import ReadingCache
from finscribe_assets.probing.readings import ElementCounts, ProbedReader, ReadingTask, count_failures


class Version(NamedTuple):
    """A document of the battery: its number, and what it is drawn with."""

    number: int
    setting: Setting


class ReadingSession:
    """Readings of one reader, and what they are evidence of."""

    def __init__(
        self,
        reader: ProbedReader,
        battery: Battery,
        cache: ReadingCache,
        on_pages: Callable[[int], None] | None = None,
    ) -> None:
        """Take the reader and the documents; ``on_pages`` is called with the number of pages that were read."""
        self.reader, self.battery, self.space, self.cache = reader, battery, battery.space, cache
        self.evidence = Evidence(self.space)
        self.documents = 0  # read so far
        self.pages = 0  # read so far, about
        self._designer = BundleDesigner(self.space, str(battery.seed))
        self._screened: Counter[DocumentType] = Counter()
        self._counts: dict[Version, ElementCounts] = {}
        self._pairs: set[tuple[Version, str]] = set()
        self._on_pages = on_pages or (lambda pages: None)

    def read(self, versions: Sequence[Version]) -> list[ElementCounts]:
        """Return failures and fields of documents; one that this session has read is not read again."""
        new = [version for version in dict.fromkeys(versions) if version not in self._counts]
        tasks = []
        for number, setting in new:
            drawn = self.battery.draw(setting, number)
            tasks.append(ReadingTask(drawn, sample_fields(drawn, self.reader.fields_per_document)))
        self._counts |= dict(zip(new, self._read_tasks(tasks), strict=True))
        pages = sum(estimated_pages(task.document) for task in tasks)
        self.documents, self.pages = self.documents + len(tasks), self.pages + pages
        self._on_pages(pages)
        return [self._counts[version] for version in versions]

    def _read_tasks(self, tasks: Sequence[ReadingTask]) -> list[ElementCounts]:
        keys = [self.cache.key(task) for task in tasks]
        missing = [(key, task) for key, task in zip(keys, tasks, strict=True) if self.cache.get(key) is None]
        predictions = self.reader.read([task for _, task in missing])
        self.cache.add({key: count_failures(task, one) for (key, task), one in zip(missing, predictions, strict=True)})
        return [self.cache.get(key) or {} for key in keys]

    def _drawn(self, version: Version) -> DrawnDocument:
        return self.battery.draw(version.setting, version.number)

    def screen(
        self, shares: Mapping[Factor, float], pages: int, types: Mapping[Factor, Sequence[DocumentType]] | None = None
    ) -> None:
        """Read one wave of screening documents, about so many pages, each factor on in a share of them.

        ``types`` names the document types that serve to show a factor, where not all on which it can act do.
        """
        # How often each factor is on depends on what was read before: the documents of the first wave, the same for
        # every reader, are compared with each other, and those of all further waves.
        group = "further waves" if self._screened else "first wave"
        versions: list[Version] = []
        planned = 0
        for setting in self._designer.wave(shares, pages, types):
            version = Version(self.battery.screening_number(setting, self._screened[setting.type]), setting)
            planned += estimated_pages(self._drawn(version))
            if planned > pages and versions:
                break
            self._screened[setting.type] += 1
            versions.append(version)
        for version, counts in zip(versions, self.read(versions), strict=True):
            self.evidence.add(self._reading(version, counts, group, is_screening=True))

    def read_pairs(self, wanted: Sequence[tuple[Factor, int]]) -> None:
        """Read both documents of some factors' pairs; a pair is named by its factor and index."""
        pairs = [(factor, *self.pair(factor, index)) for factor, index in wanted]
        self.read([version for _, plain, changed in pairs for version in (plain, changed)])
        for factor, plain, changed in pairs:
            group = f"pair {plain.number} {plain.setting.type} {plain.setting.locale} {sorted(plain.setting.knobs)}"
            for version, name in ((plain, ""), (changed, factor.name)):
                if (version, name) not in self._pairs:
                    self._pairs.add((version, name))
                    self.evidence.add(self._reading(version, self._counts[version], group, name))

    def pair(self, factor: Factor, index: int) -> tuple[Version, Version]:
        """Return the plain document of a factor's pair, and the same document with the factor changed.

        Document types on which the factor can act take turns. Plain documents are shared by factors.
        """
        types = [one for one in self.space.types if self.space.can_act(factor, one)]
        document_type = types[index % len(types)]
        plain = self.space.plain_for(factor, document_type)
        number = self.battery.pair_number(plain, index // len(types), factor)
        return Version(number, plain), Version(number, self.space.changed(plain, factor))

    def _reading(
        self, version: Version, counts: ElementCounts, group: str, changed: str = "", *, is_screening: bool = False
    ) -> Reading:
        drawn = self._drawn(version)
        return Reading(
            group,
            drawn.document.document_type,
            drawn.document.locale,
            present_factors(drawn),
            counts,
            is_screening,
            changed,
        )
