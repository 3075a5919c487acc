"""Settings of the embedded base's pretraining."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finscribe_assets.model.bases import Base, find_base
from finscribe_assets.training.adapter_config import ConfigurationError, explain_settings

# Settings of where a pretraining runs and how often it reports. Devices and numbers of threads round differently, but
# none of them is more right than another, so a stopped run may resume with others.
_WEIGHTLESS_SETTINGS = {
    "device",
    "loaders",
    "threads",
    "checkpoint_every",
    "report_every",
    "score_every",
    "scored_documents",
}


class PretrainConfig(BaseModel):
    """Settings of the pretraining; the defaults made the shipped checkpoint (see docs/base-model.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(1, description="seed of the first weights, the documents and the batches")
    start_from: str | None = Field(
        None,
        min_length=1,
        description="base to go on from: embedded, or the folder of another base of this size. Only the joint phase "
        "runs then, without the glyph loss, as the head that predicts glyphs was discarded; set a lower learning_rate. "
        "Random weights unless given",
    )
    drawn_documents: int = Field(3000, ge=1, description="documents whose texts are drawn directly, 24 lines each")
    rendered_documents: int = Field(3200, ge=1, description="documents that are rendered and cut into lines")
    vision_steps: int = Field(1500, ge=0, description="steps of the vision phase: the vision tower learns glyphs")
    language_steps: int = Field(
        1000, ge=0, description="steps of the language phase: the language model learns to spell"
    )
    joint_steps: int = Field(9000, ge=0, description="steps of the joint phase: everything learns lines of all lengths")
    batch_pixels: int = Field(256 * 28 * 112, ge=1, description="pixels of a batch; it has as many lines as fill them")
    learning_rate: float = Field(3e-3, gt=0, lt=1, description="highest learning rate, of Muon and AdamW alike")
    hold: float = Field(0.4, ge=0, lt=1, description="share of the joint phase before the learning rate falls")
    glyph_weight: float = Field(0.3, ge=0, description="weight of the glyph loss in the joint phase, on drawn lines")
    drawn_share: float = Field(0.1, ge=0, description="share of drawn lines among batches after the vision phase")
    field_share: float = Field(0.25, ge=0, description="share of fields' lines, cut from rendered pages")
    block_share: float = Field(0.25, ge=0, description="share of blocks' lines with their labels; joint phase only")
    row_share: float = Field(0.4, ge=0, description="share of tables' rows; joint phase only")
    augmentation: float = Field(
        0.5, ge=0, le=1, description="how much rendered lines are varied whenever they are trained; 0: not at all"
    )
    bf16: bool = Field(False, description="autocast to bfloat16; faster on hardware that has bfloat16 arithmetic")
    device: Literal["auto", "cpu", "cuda"] = Field("cpu", description="where to train; auto: the GPU if there is one")
    loaders: int = Field(
        0,
        ge=0,
        description="processes that make batches ahead, for a GPU; 0: between steps, which suits a CPU",
    )
    threads: int = Field(1, ge=1, description="CPU threads")
    checkpoint_every: int = Field(250, ge=1, description="steps between checkpoints")
    report_every: int = Field(50, ge=1, description="steps between records of the losses")
    score_every: int = Field(1000, ge=1, description="steps between scores on documents that are not trained on")
    scored_documents: int = Field(20, ge=1, description="documents of the base recipe that those scores are from")

    @property
    def phases(self) -> dict[str, int]:
        """The phases in order, and the number of steps of each."""
        joint = {"joint": self.joint_steps}
        return joint if self.start_from else {"vision": self.vision_steps, "language": self.language_steps, **joint}

    @property
    def first_base(self) -> Base | None:
        """The base that the pretraining goes on from; None for random weights."""
        return find_base(self.start_from) if self.start_from else None

    @property
    def weight_settings(self) -> dict[str, Any]:
        """The settings that the weights depend on: a stopped run resumes with the same ones only.

        A base counts by its content, wherever it lies.
        """
        settings = self.model_dump(mode="json", exclude=_WEIGHTLESS_SETTINGS)
        return settings | {"start_from": self.first_base and self.first_base.content}


def load_pretrain_config(settings: dict[str, Any]) -> PretrainConfig:
    """Return the default settings with some of them replaced.

    Args:
        settings: by name.

    Raises:
        ConfigurationError: a setting does not exist, or a value is out of range.
    """
    try:
        return PretrainConfig.model_validate(settings)
    except ValidationError as error:
        raise ConfigurationError(explain_settings(error, PretrainConfig, "pretraining")) from error
