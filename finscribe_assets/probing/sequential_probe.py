"""The order of a probe: all factors are screened, the open ones further, then pairs and interactions of the harmful.

Which documents are read next depends on what was read, verdicts do not: they are given once, at the end, from all
readings. A factor that no longer looks harmful is read less, which only makes a false discovery less likely; one that
is left out of later documents as certain has a p-value far below what a verdict needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.files import AnyPath
from finscribe_assets.probing.battery import Battery
from finscribe_assets.probing.factor_effects import FactorEffect, harmful_factors, judge_effects
from finscribe_assets.probing.factors import FactorSpace
from finscribe_assets.probing.interactions import FactorInteraction, try_interactions
from finscribe_assets.probing.prioritising import promising_factors, types_that_show
from finscribe_assets.probing.reading_cache import ReadingCache
from finscribe_assets.probing.reading_session import ReadingSession
from finscribe_assets.probing.readings import ProbedReader

PROBE_SEED = 20261130  # of the battery that every reader is probed with
# How the pages are spent.
FIRST_WAVE_SHARE = 0.27
LATER_WAVES_SHARE = 0.53
KEPT_SHARES = (0.6, 0.4, 0.25)  # of the factors, in each of the later waves
INTERACTION_SHARE = 0.08
PAIRS_PER_FACTOR = 8
MAX_PAIRED_FACTORS = 8
FEWEST_PAGES = 20  # of a wave


class ProbeSettings(BaseModel):
    """How a reader is probed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: int = Field(default=600, ge=100, description="pages to read, about")
    seed: int = Field(default=PROBE_SEED, ge=0, description="seed of the documents")
    false_discovery_rate: float = Field(
        default=0.05, gt=0, lt=1, description="share of the harmful verdicts that may be wrong, on average"
    )
    harmless_below: float = Field(
        default=0.05, gt=0, le=1, description="failures per field that a factor may cost and is still harmless"
    )


DEFAULT_PROBE = ProbeSettings()


class ProbeResult(BaseModel):
    """What a probe found about one reader."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reader: str = Field(description="identity of the reader")
    settings: ProbeSettings
    documents: int = Field(description="documents that were read")
    pages: int = Field(description="pages that they have, about")
    effects: tuple[FactorEffect, ...] = Field(description="of every factor × element, the harmful ones first")
    interactions: tuple[FactorInteraction, ...] = Field(description="of the strongest harmful factors")

    @property
    def harmful(self) -> list[str]:
        """Return the factors that harm some element, the largest effect first."""
        return harmful_factors(self.effects)


def probe_reader(
    reader: ProbedReader,
    recipe: Recipe,
    settings: ProbeSettings = DEFAULT_PROBE,
    *,
    watched: Collection[str] = (),
    cache: AnyPath | None = None,
    on_pages: Callable[[int], None] | None = None,
) -> ProbeResult:
    """Find which factors of a recipe make a reader fail, at which elements, and by how much.

    Args:
        reader: The reader.
        recipe: What documents can be drawn with: its factors are probed.
        settings: Budget, seed, and what verdicts need.
        watched: Names of factors that are read to the end, whether they look harmful or not: those that another reader
            of the same documents was found to fail at.
        cache: Folder of readings made before; what is found there is not read again.
        on_pages: Called with the number of pages that were read since the last call.

    Returns:
        The same for the same reader, recipe, settings and watched factors, whatever was cached.
    """
    space = FactorSpace(recipe)
    session = ReadingSession(reader, Battery(space, settings.seed), ReadingCache(cache, reader.identity), on_pages)
    session.screen(space.factors, round(FIRST_WAVE_SHARE * settings.budget))
    later = round(LATER_WAVES_SHARE * settings.budget / len(KEPT_SHARES))
    for share in KEPT_SHARES:
        _screen_further(session, share, later, watched)
    _read_pairs(session, settings, watched)
    harmful = harmful_factors(_judge(session, settings))
    interactions = try_interactions(
        session, harmful, round(INTERACTION_SHARE * settings.budget), settings.harmless_below
    )
    # What pairs and interactions did not need goes to the factors that are still open.
    while settings.budget - session.pages >= FEWEST_PAGES:
        before = session.pages
        _screen_further(session, KEPT_SHARES[-1], settings.budget - session.pages, watched)
        if session.pages == before:
            break
    return ProbeResult(
        reader=reader.identity,
        settings=settings,
        documents=session.documents,
        pages=session.pages,
        effects=_judge(session, settings),
        interactions=interactions,
    )


def _judge(session: ReadingSession, settings: ProbeSettings) -> tuple[FactorEffect, ...]:
    return judge_effects(session.evidence.cells(), settings.false_discovery_rate, settings.harmless_below)


def _screen_further(session: ReadingSession, share: float, pages: int, watched: Collection[str]) -> None:
    """Read another wave of screening documents for the factors that most likely harm some element."""
    cells = session.evidence.cells()
    factors = promising_factors(cells, session.space, share, watched)
    if not factors:
        return
    elements: defaultdict[DocumentType, set[str]] = defaultdict(set)
    for reading in session.evidence.readings:
        elements[reading.type].update(reading.counts)
    session.screen(factors, pages, types_that_show(cells, session.space, factors, elements))


def _read_pairs(session: ReadingSession, settings: ProbeSettings, watched: Collection[str]) -> None:
    """Read pairs of the harmful factors, and of those watched: the effect of each alone, on plain documents."""
    known = {factor.name: factor for factor in session.space.factors}
    names = [*harmful_factors(_judge(session, settings)), *watched]
    factors = [known[name] for name in dict.fromkeys(names) if name in known][:MAX_PAIRED_FACTORS]
    session.read_pairs([(factor, index) for index in range(PAIRS_PER_FACTOR) for factor in factors])
