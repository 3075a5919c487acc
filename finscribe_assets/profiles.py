"""The named sizes of a run: tiny for CI, demo for a laptop, full for the real model.

What belongs here: how much of everything. How a stage works is the stage's business.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError

if TYPE_CHECKING:
    from finscribe_assets.training.adapter_config import AdapterConfig


class Profile(BaseModel):
    """Sizes of one iteration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    documents: int = Field(description="documents of the first batch")
    targeted_documents: int = Field(description="documents of each batch that mining asks for")
    shard_size: int = Field(description="documents a shard")
    preset: str = Field(description="preset of the adapter's training (training/presets)")
    training: dict[str, Any] = Field(default={}, description="settings that differ from the preset")
    later_training: dict[str, Any] = Field(
        default={}, description="settings that differ for the batches after the first, which teach what a plan is for"
    )
    exam_documents: int = Field(description="documents of the exam's base part")
    probe_budget: int = Field(description="pages that a probe reads")
    iteration_limit: int = Field(description="iterations after which the sensor stops")
    worthwhile_gain: float = Field(description="gain of field accuracy on the exam that is worth an iteration")
    seed: int = 20260101
    dpi: int = 144

    @property
    def reads_lines(self) -> bool:
        """Return whether the reader in training reads single printed lines, and not pages."""
        return self.preset == "embedded"

    @property
    def recipe(self) -> Recipe:
        """Return what the first batch is drawn from: what the reader in training can be asked and taught."""
        from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE

        return EMBEDDED_RECIPE if self.reads_lines else Recipe()

    def training_config(self, overrides: Mapping[str, Any] | None = None, *, later: bool = False) -> AdapterConfig:
        """Return the settings of an adapter's training.

        Args:
            overrides: Settings that replace others.
            later: Whether it is trained on a later batch than the first.

        Raises:
            ConfigurationError: a setting is unknown or out of range.
        """
        # Torch takes seconds to import; the command line's help does not need it.
        from finscribe_assets.training.adapter_config import load_preset

        return load_preset(
            self.preset, **{**self.training, **(self.later_training if later else {}), **(overrides or {})}
        )


# Measured on the embedded base (docs/experiments/loop.md): going on from the adapter in use at a third of the learning
# rate learns a plan's factors as well as a new start does, and keeps what the adapter could read.
_GO_ON = {"start_from": "previous", "replay_share": 0.5}

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="tiny",
            documents=32,
            targeted_documents=24,
            shard_size=8,
            preset="embedded",
            training={"max_steps": 30, "learning_rate": 5e-4, "log_every": 1},
            later_training=_GO_ON,
            exam_documents=24,
            probe_budget=100,
            iteration_limit=3,
            worthwhile_gain=0.02,
        ),
        Profile(
            name="demo",
            documents=300,
            targeted_documents=150,
            shard_size=20,
            preset="embedded",
            # It shows too little of what could be learnt; a higher rate harms: docs/experiments/training.md
            training={"max_steps": 200, "learning_rate": 2e-4},
            later_training={**_GO_ON, "learning_rate": 5e-4, "max_steps": 350},
            exam_documents=300,
            probe_budget=400,
            iteration_limit=5,
            worthwhile_gain=0.01,
        ),
        Profile(
            name="full",
            documents=10_000,
            targeted_documents=5_000,
            shard_size=100,
            preset="paddleformers-lora",
            later_training={**_GO_ON, "learning_rate": 1.5e-4},
            exam_documents=1_000,
            probe_budget=600,
            iteration_limit=10,
            worthwhile_gain=0.005,
        ),
    )
}


def profile_named(name: str) -> Profile:
    """Return one of the profiles that the package ships.

    Raises:
        UserError: there is no such profile.
    """
    if name not in PROFILES:
        raise UserError(f"FINSCRIBE_PROFILE is {name!r}; known are {', '.join(PROFILES)}")
    return PROFILES[name]


def workers_from_environment() -> int:
    """Return FINSCRIBE_WORKERS, or the number of processors this process may use."""
    given = os.environ.get("FINSCRIBE_WORKERS", "")
    if not given:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    if not given.isdigit() or int(given) < 1:
        raise UserError(f"FINSCRIBE_WORKERS is {given!r}; it must be a whole number from 1")
    return int(given)
