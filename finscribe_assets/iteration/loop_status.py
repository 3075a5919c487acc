"""Status of the loop: all iterations on the same exam documents, unfinished batches, and whether it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from finscribe_assets.documents.batch_keys import LAST_BATCH_KEY
from finscribe_assets.iteration.batch_documents import ADAPTER
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.iteration.decision import Decision, IterationRecord
from finscribe_assets.iteration.history import decide_after, records_until
from finscribe_assets.iteration.next_batch import exam_results
from finscribe_assets.promotion.exam_results import BASE_PART


@dataclass(frozen=True)
class LoopStatus:
    """The iterations so far.

    Attributes:
        records: Of the finished iterations, oldest first.
        decision: Whether another one follows the last.
        unfinished: Batches whose iteration has begun and has no plan yet, with the stages that have results.
        same_documents: Whether every iteration was measured on the same documents of the exam's base part.
    """

    records: tuple[IterationRecord, ...]
    decision: Decision
    unfinished: dict[str, tuple[str, ...]]
    same_documents: bool

    @property
    def rows(self) -> list[dict[str, object]]:
        """Return a row for each finished iteration, with the documents spent until then and the weak factors before."""
        rows, spent, before = [], 0, "–"
        for record in self.records:
            spent += record.documents
            row = record.row()
            rows.append(
                {
                    "batch": row["batch"],
                    "documents so far": spent,
                    "usual documents": row["usual documents"],
                    "gain on the exam": row["gain on the exam"],
                    "at most": f"{100 * record.high:+.1f}",
                    "adapter": row["adapter"],
                    "harmful factors": f"{before} → {record.weak}",
                    "next": row["next"],
                }
            )
            before = str(record.weak)
        return rows


def loop_status(storage: BatchStorage, *, limit: int) -> LoopStatus:
    """Return the status of the loop.

    Args:
        storage: Where the batches are.
        limit: Number of iterations after which the loop stops.
    """
    records = records_until(storage, LAST_BATCH_KEY)
    finished = {record.key for record in records}
    begun = [key for key in storage.keys_until(Stage.SYNTHETIC_DOCUMENTS, LAST_BATCH_KEY) if key not in finished]
    unfinished = {key: tuple(str(stage) for stage in Stage if key in storage.keys_until(stage, key)) for key in begun}
    papers = {
        tuple((paper.id, paper.content) for paper in exam_results(storage, record.key)[ADAPTER].parts()[BASE_PART])
        for record in records
    }
    last = records[-1].key if records else LAST_BATCH_KEY
    return LoopStatus(tuple(records), decide_after(storage, last, limit=limit), unfinished, len(papers) <= 1)
