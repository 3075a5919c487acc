"""Run a job for one partition and show a person what happens: a line for each asset, checks, warnings, time left.

``python -m finscribe_assets.orchestration.run_display JOB PARTITION`` is what `make demo` calls, from the folder of
pyproject.toml. Dagster's own log, which holds every event, goes to a file. The run is a process of its own; this one
follows its events in the instance.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from finscribe_assets.orchestration.progress_messages import parse_progress

SECONDS_BETWEEN_LOOKS = 0.5


@dataclass
class AssetLine:
    """What the display says of one asset."""

    name: str
    started: float
    done: int = 0
    total: int | None = None
    text: str = ""
    rows: int | None = None
    checks: list[dg.AssetCheckEvaluation] = field(default_factory=list)

    def summary(self, seconds: float) -> str:
        """Return the line that stays when the asset has ended, with Rich markup."""
        passed = sum(check.passed for check in self.checks)
        rows = "" if self.rows is None else f"{self.rows:,} rows"
        checks = f"{passed}/{len(self.checks)} checks" if self.checks else ""
        failed = [check.severity for check in self.checks if not check.passed]
        mark = "[red]✗[/]" if dg.AssetCheckSeverity.ERROR in failed else "[yellow]![/]" if failed else "[green]✓[/]"
        return f"{mark} {self.name:<22}{seconds:>7.1f} s  {rows:<14}{checks}".rstrip()


class RunDisplay:
    """Turns a run's events into lines on a console; ``feed`` takes them in order."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self.console, self.progress = console, progress
        self.lines: dict[str, AssetLine] = {}
        self.tasks: dict[str, TaskID] = {}
        self.finished: bool | None = None  # True after a success, False after a failure, None before

    def feed(self, entries: Iterable[dg.EventLogEntry]) -> None:
        """Take further entries of the run's event log."""
        for entry in entries:
            if entry.dagster_event is None:
                self._log_message(entry)
                continue
            event, name = entry.dagster_event, entry.step_key or ""
            if event.event_type is dg.DagsterEventType.STEP_START:
                self.lines[name] = AssetLine(name, entry.timestamp)
                self.tasks[name] = self.progress.add_task(name, total=None, text="")
            elif event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
                rows = event.step_materialization_data.materialization.metadata.get("dagster/row_count")
                self.lines[name].rows = int(str(rows.value)) if rows else None
            elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                self.lines[name].checks.append(event.asset_check_evaluation_data)
            elif event.event_type in (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE):
                self._end(name, entry, event)
            elif event.event_type is dg.DagsterEventType.RUN_SUCCESS:
                self.finished = True
            elif event.event_type in (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED):
                self.finished = False

    def _log_message(self, entry: dg.EventLogEntry) -> None:
        line = self.lines.get(entry.step_key or "")
        if line and (found := parse_progress(entry.user_message)):
            line.done, line.total, line.text = found
            self.progress.update(self.tasks[line.name], completed=line.done, total=line.total, text=line.text)
        elif isinstance(entry.level, int) and entry.level >= logging.WARNING:
            self.console.print(f"  {entry.user_message}", style="yellow", markup=False)

    def _end(self, name: str, entry: dg.EventLogEntry, event: dg.DagsterEvent) -> None:
        line = self.lines[name]
        self.progress.remove_task(self.tasks.pop(name))
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            error = error.cause or error if error else None  # Dagster wraps what the asset raised
            self.console.print(f"[red]✗[/] {name}: failed")
            self.console.print(f"  {error.message.strip() if error else 'no error was recorded'}", markup=False)
            return
        self.console.print(line.summary(entry.timestamp - line.started), highlight=False)
        for check in line.checks:
            if not check.passed:
                self.console.print(f"  {_failed_check(check)}", style="yellow", markup=False, highlight=False)


def _failed_check(check: dg.AssetCheckEvaluation) -> str:
    """Return a failed check in one line, with the numbers and short texts that it recorded."""
    values = {name: metadata.value for name, metadata in check.metadata.items()}
    shown = [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
        if isinstance(value, int | float | str)
    ]
    return f"check {check.check_name} failed ({check.severity.value.lower()}): {', '.join(shown) or 'see the UI'}"


def follow(
    instance: dg.DagsterInstance, process: subprocess.Popen[bytes], since: datetime, display: RunDisplay
) -> None:
    """Feed a display with the events of the run that a process started, until the process has ended."""
    run_id, cursor = None, None
    while True:
        ended = process.poll() is not None
        if run_id is None:
            runs = instance.get_runs(filters=dg.RunsFilter(created_after=since), limit=1)
            run_id = runs[0].run_id if runs else None
        if run_id is not None:
            connection = instance.get_records_for_run(run_id, cursor=cursor)
            cursor = connection.cursor
            display.feed(record.event_log_entry for record in connection.records)
        if ended:
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def run_job(job: str, partition: str) -> int:
    """Run a job for one partition, show its progress, and return the exit status: 0 for a success."""
    console = Console()
    instance = dg.DagsterInstance.get()
    since = datetime.now(UTC)
    log = Path(instance.root_directory) / "logs" / f"{job}-{partition}-{since:%Y%m%d-%H%M%S}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    console.print(f"{job} {partition}; the log with every event: {log}", highlight=False, soft_wrap=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total} {task.fields[text]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    command = [sys.executable, "-m", "finscribe_assets.job_run", job, partition]
    with log.open("wb") as stream, Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        display = RunDisplay(console, progress)
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)  # noqa: S603
        follow(instance, process, since, display)
    if display.finished is not True:
        console.print(f"[red]The run failed.[/] See {log}", soft_wrap=True)
        if not display.lines:
            console.print(log.read_text(encoding="utf-8", errors="replace")[-2000:], markup=False)
    return 0 if display.finished is True and process.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(run_job(*sys.argv[1:3]))
