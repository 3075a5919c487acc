"""Decide whether the run of a batch is started, started again, or given up: a pure function of its runs so far.

The sensor gives the runs that an orchestrator knows of a batch. Each attempt has a run key of its own, so that a batch
whose run failed can be run again and none is run twice. What an attempt finished is found by the next one: shards,
checkpoints and cached readings are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_ATTEMPTS = 3  # a run that fails for the third time fails for a reason that waiting does not mend
FIRST_WAIT = timedelta(minutes=1)  # before the second attempt; the wait before each further one is five times as long
WAIT_FACTOR = 5


class RunState(StrEnum):
    """What became of a run."""

    ACTIVE = "active"  # queued, starting or started
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # a step failed, or the process is gone
    CANCELLED = "cancelled"  # a person ended it


@dataclass(frozen=True)
class BatchRun:
    """A run of a batch's iteration; ``ended`` is None while it is active."""

    run_id: str
    state: RunState
    ended: datetime | None = None


class AttemptAction(StrEnum):
    """What to do about a batch that should be run."""

    START = "start"
    WAIT = "wait"  # a run is active, or the time for the next attempt has not come
    DONE = "done"
    GIVE_UP = "give up"


@dataclass(frozen=True)
class AttemptDecision:
    """What to do, why, and the run key of the attempt to start."""

    action: AttemptAction
    reason: str
    run_key: str | None = None


def run_key(batch_key: str, attempt: int) -> str:
    """Return the run key of an attempt, counted from 1; the first has the batch's key."""
    return batch_key if attempt == 1 else f"{batch_key}/attempt-{attempt}"


def decide_attempt(
    batch_key: str, runs: Sequence[BatchRun], now: datetime, *, max_attempts: int = MAX_ATTEMPTS
) -> AttemptDecision:
    """Decide what to do about a batch that a plan asks for.

    Args:
        batch_key: Key of the batch.
        runs: All runs of the batch's iteration, oldest first.
        now: The present time.
        max_attempts: Number of failed runs after which the batch is given up.

    Returns:
        Done if the last run succeeded; wait while one is active; start if there is none. After a failure another
        attempt is started when its wait is over. A batch whose last run a person cancelled, or that has failed
        ``max_attempts`` times, is left to a person.
    """
    if not runs:
        return AttemptDecision(AttemptAction.START, f"{batch_key} has not been run", run_key(batch_key, 1))
    last = runs[-1]
    if last.state is RunState.ACTIVE:
        return AttemptDecision(AttemptAction.WAIT, f"run {last.run_id} of {batch_key} is active")
    if last.state is RunState.SUCCEEDED:
        return AttemptDecision(AttemptAction.DONE, f"run {last.run_id} of {batch_key} succeeded")
    if last.state is RunState.CANCELLED:
        return AttemptDecision(
            AttemptAction.GIVE_UP,
            f"run {last.run_id} of {batch_key} was cancelled; re-execute it from its page to go on",
        )
    failed = sum(run.state is RunState.FAILED for run in runs)
    if failed >= max_attempts:
        return AttemptDecision(
            AttemptAction.GIVE_UP,
            f"{batch_key} failed {failed} times, the last time in run {last.run_id}; mend what its page shows and "
            "re-execute it from there",
        )
    wait = FIRST_WAIT * WAIT_FACTOR ** (failed - 1)
    due = (last.ended or now) + wait
    if now < due:
        return AttemptDecision(
            AttemptAction.WAIT,
            f"run {last.run_id} of {batch_key} failed; attempt {failed + 1} of {max_attempts} starts at "
            f"{due:%Y-%m-%d %H:%M:%S %Z}".rstrip(),
        )
    return AttemptDecision(
        AttemptAction.START,
        f"attempt {failed + 1} of {max_attempts} after the failure of run {last.run_id}",
        run_key(batch_key, len(runs) + 1),
    )
