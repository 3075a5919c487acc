"""What a person sees of a run: from the events of real runs to lines on a console."""

import io

import dagster as dg
import pytest
from rich.console import Console
from rich.progress import Progress

from finscribe_assets.orchestration.progress_messages import ProgressMessage, parse_progress, progress
from finscribe_assets.orchestration.run_display import RunDisplay


def shown(*assets) -> tuple[str, RunDisplay]:
    """Materialise assets, feed the events one by one, and return what stands on the console."""
    stream = io.StringIO()
    console = Console(file=stream, width=120)
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize(list(assets), instance=instance, raise_on_error=False)
        with Progress(console=console, disable=True) as bars:
            display = RunDisplay(console, bars)
            for entry in instance.all_logs(run.run_id):
                display.feed([entry])
    return stream.getvalue(), display


def test_an_asset_has_a_line_with_rows_and_checks():
    @dg.asset(check_specs=[dg.AssetCheckSpec("whole", asset="pages"), dg.AssetCheckSpec("sharp", asset="pages")])
    def pages(context: dg.AssetExecutionContext):
        advance = progress(context, 40, "pages rendered")
        for _ in range(40):
            advance(1)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": 40},
            check_results=[
                dg.AssetCheckResult(check_name="whole", passed=True),
                dg.AssetCheckResult(
                    check_name="sharp",
                    passed=False,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"blurred": 3, "share": 0.075},
                ),
            ],
        )

    text, display = shown(pages)
    line, warning = text.splitlines()
    assert line.split()[:2] == ["!", "pages"]
    assert "40 rows" in line
    assert line.endswith("1/2 checks")
    assert warning.strip() == "check sharp failed (warn): blurred 3, share 0.075"
    assert display.finished is True
    assert (display.lines["pages"].done, display.lines["pages"].total) == (40, 40)


def test_a_failure_says_what_went_wrong():
    @dg.asset
    def adapter():
        raise ValueError("pairs [train]: none is left")

    text, display = shown(adapter)
    assert "✗ adapter: failed" in text
    assert "pairs [train]: none is left" in text
    assert display.finished is False


@pytest.mark.parametrize("total", [0, 1, 7, 400])
def test_progress_is_logged_at_most_twenty_times_and_ends_with_all(total):
    logged = []

    class Log:
        info = staticmethod(logged.append)

    class Context:
        log = Log()

    advance = progress(Context(), total, "documents drawn")
    for _ in range(total):
        advance(1)
    assert len(logged) <= 21
    assert [parse_progress(message) for message in logged][-1:] == (
        [ProgressMessage(total, total, "documents drawn")] if total else []
    )


def test_other_messages_are_no_progress():
    assert parse_progress("Started execution of run 3 of 4") is None
    assert parse_progress(str(ProgressMessage(3, 4, "steps: loss 0.1"))) == (3, 4, "steps: loss 0.1")
