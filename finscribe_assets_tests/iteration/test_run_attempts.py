from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.iteration.run_attempts import (
    MAX_ATTEMPTS,
    AttemptAction,
    BatchRun,
    RunState,
    decide_attempt,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def runs(*states: RunState, ended: datetime = NOW) -> list[BatchRun]:
    return [BatchRun(f"run-{number}", state, ended) for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "minutes", "action", "key"),
    [
        ([], 0, AttemptAction.START, "batch-001"),
        ([RunState.ACTIVE], 999, AttemptAction.WAIT, None),
        ([RunState.SUCCEEDED], 999, AttemptAction.DONE, None),
        ([RunState.FAILED], 0.9, AttemptAction.WAIT, None),
        ([RunState.FAILED], 1, AttemptAction.START, "batch-001/attempt-2"),
        ([RunState.FAILED, RunState.FAILED], 4, AttemptAction.WAIT, None),
        ([RunState.FAILED, RunState.FAILED], 5, AttemptAction.START, "batch-001/attempt-3"),
        ([RunState.FAILED] * 3, 999, AttemptAction.GIVE_UP, None),
        ([RunState.CANCELLED], 999, AttemptAction.GIVE_UP, None),
        ([RunState.CANCELLED, RunState.FAILED], 2, AttemptAction.START, "batch-001/attempt-3"),
        ([RunState.FAILED] * 3 + [RunState.SUCCEEDED], 0, AttemptAction.DONE, None),
    ],
)
def test_decisions(states, minutes, action, key):
    decision = decide_attempt("batch-001", runs(*states), NOW + timedelta(minutes=minutes))
    assert (decision.action, decision.run_key) == (action, key)
    assert "batch-001" in decision.reason or states[-1:] == [RunState.FAILED]


@given(st.lists(st.sampled_from([RunState.FAILED, RunState.CANCELLED]), max_size=30))
def test_a_batch_that_always_fails_is_started_a_limited_number_of_times_with_keys_of_its_own(cancels):
    now, history, keys = NOW, [], set()
    for _ in range(60):
        decision = decide_attempt("batch-007", history, now)
        if decision.action is AttemptAction.START:
            assert decision.run_key not in keys
            keys.add(decision.run_key)
            history.append(BatchRun(str(len(history)), cancels.pop() if cancels else RunState.FAILED, now))
        now += timedelta(hours=1)
    assert sum(run.state is RunState.FAILED for run in history) <= MAX_ATTEMPTS
    assert decide_attempt("batch-007", history, now).action is AttemptAction.GIVE_UP
