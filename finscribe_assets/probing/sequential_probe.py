"""The order of a probe: all factors are screened, the likely ones most, then pairs and interactions of the harmful.

Which documents are read next depends on what was read, verdicts do not: they are given once, at the end, from all
readings. A factor that no longer looks harmful is read less, which only makes a false discovery less likely; one that
is left out of later documents as certain has a p-value far below what a verdict needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.files import AnyPath
from finscribe_assets.probing.battery import Battery
from finscribe_assets.probing.factor_effects import FactorEffect, harmful_factors, judge_effects
from finscribe_assets.probing.factors import FactorSpace
from finscribe_assets.probing.interactions import FactorInteraction, try_interactions
from finscribe_assets.probing.prioritising import first_shares, next_shares, types_that_show
from finscribe_assets.probing.reading_cache import ReadingCache
from finscribe_assets.probing.reading_session import ReadingSession
from finscribe_assets.probing.readings import ProbedReader

PROBE_SEED = 20261130  # of the battery that every reader is probed with
# How the pages are spent.
FIRST_WAVE_SHARE = 0.27
LATER_WAVES_SHARE = 0.58
LATER_WAVES = 6
INTERACTION_SHARE = 0.05
PAIRS_PER_FACTOR = 3
MAX_PAIRED_FACTORS = 6
FEWEST_PAGES = 20  # of a wave


class ProbeSettings(BaseModel):
    """How a reader is probed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: int = Field(default=600, ge=100, description="pages to read, about")
    seed: int = Field(default=PROBE_SEED, ge=0, description="seed of the documents")
    false_discovery_rate: float = Field(
        default=0.03, gt=0, lt=1, description="share of the harmful factors that may harm nothing, on average"
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
    battery: Battery | None = None,
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
        battery: The documents, of this recipe and seed, where several readers are probed: they are drawn once.
        on_pages: Called with the number of pages that were read since the last call.

    Returns:
        The same for the same reader, recipe, settings and watched factors, whatever was cached.
    """
    battery = battery or Battery(FactorSpace(recipe), settings.seed)
    space = battery.space
    session = ReadingSession(reader, battery, ReadingCache(cache, reader.identity), on_pages)
    session.screen(first_shares(space), round(FIRST_WAVE_SHARE * settings.budget))
    for _ in range(LATER_WAVES):
        _screen_further(session, round(LATER_WAVES_SHARE * settings.budget / LATER_WAVES), watched)
    _read_pairs(session, settings, watched)
    harmful = harmful_factors(_judge(session, settings))
    interactions = try_interactions(
        session, harmful, round(INTERACTION_SHARE * settings.budget), settings.harmless_below
    )
    # What pairs and interactions did not need goes to the factors that are still open.
    while settings.budget - session.pages >= FEWEST_PAGES:
        before = session.pages
        _screen_further(session, settings.budget - session.pages, watched)
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


def _screen_further(session: ReadingSession, pages: int, watched: Collection[str]) -> None:
    """Read another wave of screening documents, most for the factors that most likely harm some element."""
    cells = session.evidence.cells()
    shares = next_shares(cells, session.space, watched)
    if shares:
        session.screen(shares, pages, types_that_show(cells, session.space, shares, session.evidence.fields_by_type()))


def _read_pairs(session: ReadingSession, settings: ProbeSettings, watched: Collection[str]) -> None:
    """Read pairs of the harmful factors, and of those watched: the effect of each alone, on plain documents."""
    known = {factor.name: factor for factor in session.space.factors}
    names = [*harmful_factors(_judge(session, settings)), *watched]
    factors = [known[name] for name in dict.fromkeys(names) if name in known][:MAX_PAIRED_FACTORS]
    session.read_pairs([(factor, index) for index in range(PAIRS_PER_FACTOR) for factor in factors])
