"""Settings of the embedded base's pretraining."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class PretrainConfig(BaseModel):
    """Settings of the pretraining; the defaults made the shipped checkpoint (docs/base-model.md says where)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    drawn_documents: int = Field(3000, description="documents whose texts are drawn directly, 24 lines each")
    rendered_documents: int = Field(3200, description="documents that are rendered and cut into lines")
    vision_steps: int = 1500
    language_steps: int = 1000
    joint_steps: int = 9000
    batch_pixels: int = Field(256 * 28 * 112, description="pixels a batch: so many lines that they fill it")
    learning_rate: float = 3e-3
    hold: float = Field(0.4, description="share of the joint phase before the learning rate falls")
    glyph_weight: float = Field(0.3, description="weight of the glyph loss in the joint phase, on drawn lines")
    drawn_share: float = Field(0.1, description="share of batches after the vision phase that are lines drawn directly")
    field_share: float = Field(0.25, description="the same of fields' lines, cut from rendered pages")
    block_share: float = Field(0.25, description="the same of blocks' lines with their labels")
    row_share: float = Field(0.4, description="the same of tables' rows, in the joint phase alone")
    augmentation: float = Field(0.5, ge=0, le=1, description="how much a rendered line is varied whenever it is shown")
    bf16: bool = Field(False, description="autocast to bfloat16: quicker, but only on processors that have it")
    device: Literal["auto", "cpu", "cuda"] = Field("cpu", description="auto: the GPU where there is one")
    loaders: int = Field(0, description="processes that make batches ahead; 0 makes them between steps, as a CPU wants")
    threads: int = 1
    checkpoint_every: int = 250
    report_every: int = 50
    score_every: int = Field(1000, description="steps between scores on documents that are not trained on")
    scored_documents: int = Field(20, description="documents of the base recipe that those scores are from")

    @property
    def weighty(self) -> dict[str, Any]:
        """Return the settings that a run can not go on without; the others say where it runs, and how often it reports.

        Devices and numbers of threads round differently, but none is more right than another.
        """
        return self.model_dump(mode="json", exclude=WEIGHTLESS)


WEIGHTLESS = {"device", "loaders", "threads", "checkpoint_every", "report_every", "score_every", "scored_documents"}
