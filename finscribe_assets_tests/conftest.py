"""What several areas' tests share: a small batch, drawn, rendered and paired once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from finscribe_assets.documents.document_batch import read_documents, synthesize
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.plan import Plan, seed_plan
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import LINE_RECIPE
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.rendering.page_batch import read_rendered, render_batch
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.shards import LocalShardPool

# No test asserts time: a busy machine is no fault. Examples are the same on every run, so that what passes once does.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


# They begin first, so that no worker ends long after the others; Makefile: --no-loadscope-reorder.
LONGEST_FILES = (
    "test_assets.py",
    "test_s3.py",
    "test_second_iteration.py",
    "test_boxes.py",
    "test_commands.py",
    "test_render.py",
)
# These look at one iteration of the platform, in this order, and the last one adds a second: a worker of their own.
FILES_OF_THE_LOOP = LONGEST_FILES[:3]


@pytest.hookimpl(tryfirst=True)  # before xdist adds the groups to the tests' ids
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: index for index, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))
    for item in items:
        file = f"{item.path.parent.name}/{item.path.stem}"
        item.add_marker(pytest.mark.xdist_group("loop" if item.path.name in FILES_OF_THE_LOOP else file))


@dataclass(frozen=True)
class SmallBatch:
    """A workspace with documents/, images/ and pairs/."""

    folder: Path
    plan: Plan
    documents: list[DrawnDocument]
    rendered: list[RenderedDocument]


def make_batch(plan: Plan, folder: Path) -> SmallBatch:
    """Draw, render and pair a plan's documents."""
    pool = LocalShardPool(1)
    synthesize(plan, folder / "documents", pool, shard_size=12)
    render_batch(folder / "documents", folder / "images", pool)
    build_pair_batch(folder / "documents", folder / "images", folder / "pairs", pool, LINE_RECIPE)
    return SmallBatch(folder, plan, list(read_documents(folder / "documents")), list(read_rendered(folder / "images")))


@pytest.fixture(scope="session")
def batch(tmp_path_factory: pytest.TempPathFactory) -> SmallBatch:
    # Every locale and font is as likely as any other, so that so small a batch has most of them.
    even = {"locales": dict.fromkeys(EMBEDDED_RECIPE.locales, 1.0), "fonts": dict.fromkeys(EMBEDDED_RECIPE.fonts, 1.0)}
    plan = seed_plan("batch-000", 36, 5, EMBEDDED_RECIPE.model_copy(update=even))
    return make_batch(plan, tmp_path_factory.mktemp("batch"))
