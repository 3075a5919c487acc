"""The gate: an adapter is promoted when it is better than the promoted one, and nothing that matters got worse."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.errors import UserError
from finscribe_assets.promotion.exam_results import BASE_PART, ExamDocument, ExamResult, mean_accuracy, paired_documents
from finscribe_assets.promotion.paired_gain import ALPHA, PairedGain, holm, paired_gain

BASE_MARGIN = 0.02  # of field accuracy on the base part, that a promoted adapter may lose at most
STOCK_MARGIN = 0.01  # of similarity on stock prompts: forgetting them is what users of fine-tuned models report most
FEWEST_DOCUMENTS = 2  # of a part, from which a gain has an interval


class GateCheck(BaseModel):
    """One condition of promotion, with what was measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    passed: bool
    text: str = Field(description="what was measured, and what was required")


class PartGain(BaseModel):
    """The gain on one part of the exam."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: str
    documents: int
    accuracy: float = Field(description="mean field accuracy of this adapter")
    before: float = Field(description="mean field accuracy of the promoted reader on the same documents")
    gain: float
    low: float = Field(description="of the 95 % interval of the gain")
    high: float
    significantly_worse: bool = False


class GateVerdict(BaseModel):
    """Whether an adapter is promoted, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    promoted: bool
    checks: tuple[GateCheck, ...]
    overall: PartGain = Field(description="gain over all documents of the exam")
    parts: tuple[PartGain, ...]
    reason: str

    def rows(self) -> list[dict[str, object]]:
        """Return the parts as rows of a table."""
        return [part.model_dump() for part in self.parts]


def judge(candidate: ExamResult, promoted: ExamResult) -> GateVerdict:
    """Decide whether a candidate replaces the promoted reader.

    It does if (1) it is better over all documents of the exam by a paired one-sided test at 5 %, (2) no factor is
    significantly worse (Holm over factors), (3) the one-sided 95 % lower bound of its gain on the base part is above
    -0.02, and (4) that of its similarity on stock prompts above -0.01. Length of responses and endless responses are
    reported beside.

    Args:
        candidate: Exam result of the new adapter.
        promoted: Exam result of the reader in use: the promoted adapter, or the bare base before any promotion.

    Raises:
        UserError: the results are of different exams.
    """
    pairs = paired_documents(candidate, promoted)
    overall = overall_gain(candidate, promoted)
    by_part = {
        part: [(ours, theirs) for ours, theirs in pairs if ours.part == part]
        for part in candidate.parts()
        if sum(ours.part == part for ours, _ in pairs) >= FEWEST_DOCUMENTS
    }
    gains = {part: _gain(some, _accuracy_gain) for part, some in by_part.items()}
    worse = holm({part: gain.p_worse for part, gain in gains.items() if part != BASE_PART and gain})
    checks = [
        _check_better(overall),
        GateCheck(
            name="no_factor_worse",
            passed=not worse,
            text=f"significantly worse: {', '.join(sorted(worse)) or 'none'} of {max(len(gains) - 1, 0)} factors",
        ),
        _check_margin("base_kept", gains.get(BASE_PART), BASE_MARGIN, "field accuracy on base documents"),
        _check_margin(
            "stock_prompts_kept",
            _gain([pair for pair in pairs if None not in _similarities(*pair)], _stock_gain),
            STOCK_MARGIN,
            "similarity on stock prompts",
        ),
    ]
    failed = [check for check in checks if not check.passed]
    return GateVerdict(
        promoted=not failed,
        checks=(*checks, _lengths(pairs)),
        overall=_part_gain("all", pairs, overall, significantly_worse=False),
        parts=tuple(_part_gain(part, by_part[part], gain, part in worse) for part, gain in gains.items() if gain),
        reason="; ".join(f"{check.name}: {check.text}" for check in failed or checks[:1]),
    )


def overall_gain(candidate: ExamResult, promoted: ExamResult) -> PairedGain:
    """Return a candidate's gain over the promoted reader, over all documents of the exam.

    Raises:
        UserError: fewer than two documents were read by both.
    """
    gain = _gain(paired_documents(candidate, promoted), _accuracy_gain)
    if gain is None:
        raise UserError("fewer than two exam documents were read by both readers; let both take the same exam")
    return gain


Pair = tuple[ExamDocument, ExamDocument]


def _accuracy_gain(ours: ExamDocument, theirs: ExamDocument) -> float:
    return ours.accuracy - theirs.accuracy


def _stock_gain(ours: ExamDocument, theirs: ExamDocument) -> float:
    return (ours.stock_similarity or 0.0) - (theirs.stock_similarity or 0.0)


def _similarities(ours: ExamDocument, theirs: ExamDocument) -> tuple[float | None, float | None]:
    return ours.stock_similarity, theirs.stock_similarity


def _gain(pairs: list[Pair], difference: Callable[[ExamDocument, ExamDocument], float]) -> PairedGain | None:
    return paired_gain([difference(*pair) for pair in pairs]) if len(pairs) >= FEWEST_DOCUMENTS else None


def _check_better(overall: PairedGain) -> GateCheck:
    return GateCheck(
        name="better",
        passed=overall.gain > 0 and overall.p_better <= ALPHA,
        text=f"{overall.gain:+.4f} [{overall.low:+.4f}, {overall.high:+.4f}] over {overall.documents} documents, "
        f"p {overall.p_better:.4f}",
    )


def _check_margin(name: str, measured: PairedGain | None, margin: float, text: str) -> GateCheck:
    if measured is None:
        return GateCheck(name=name, passed=False, text=f"{text}: not measured")
    return GateCheck(
        name=name,
        passed=measured.lower_bound > -margin,
        text=f"{text}: {measured.gain:+.4f}, at least {measured.lower_bound:+.4f} (above {-margin:+.2f} is required)",
    )


def _lengths(pairs: list[Pair]) -> GateCheck:
    """Return what became of response lengths, which nothing depends on."""
    ours, theirs = (sum(pair[index].response_tokens for pair in pairs) for index in (0, 1))
    endless, before = (sum(pair[index].endless_responses for pair in pairs) for index in (0, 1))
    return GateCheck(
        name="response_lengths",
        passed=True,
        text=f"{ours:,} tokens of responses to stock prompts, {theirs:,} before; {endless} endless, {before} before",
    )


def _part_gain(part: str, pairs: list[Pair], gain: PairedGain, significantly_worse: bool) -> PartGain:
    return PartGain(
        part=part,
        documents=len(pairs),
        accuracy=round(mean_accuracy(ours for ours, _ in pairs), 4),
        before=round(mean_accuracy(theirs for _, theirs in pairs), 4),
        gain=round(gain.gain, 4),
        low=round(gain.low, 4),
        high=round(gain.high, 4),
        significantly_worse=significantly_worse,
    )
