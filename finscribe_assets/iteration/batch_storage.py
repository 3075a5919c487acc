"""Where the loop's stages keep their results: one folder for each stage and batch, and one plan for each batch."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from upath import UPath

from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN, FIRST_BATCH_KEY, check_batch_key, next_batch_key
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import write_text
from finscribe_assets.importing.inbox import INBOX_KEY_PATTERN
from finscribe_assets.shards import shard_files


class Stage(StrEnum):
    """A stage whose results are stored. The values are folder names, and the keys of the Dagster assets."""

    SYNTHETIC_DOCUMENTS = "synthetic_documents"
    RENDERED_IMAGES = "rendered_images"
    INSTRUCTION_PAIRS = "instruction_pairs"
    DATASET_SPLITS = "dataset_splits"
    TRAINED_ADAPTER = "trained_adapter"
    PREDICTIONS = "predictions"
    EXAM = "exam"
    ADAPTER_REGISTRY = "adapter_registry"
    READER_PROBE = "reader_probe"
    EVALUATION_REPORT = "evaluation_report"
    HARD_SAMPLE_PLAN = "hard_sample_plan"
    REAL_DOCUMENTS = "real_documents"  # of an inbox batch, as the following stages are
    REAL_PREDICTIONS = "real_predictions"
    REAL_REPORT = "real_report"
    REVIEW_QUEUE = "review_queue"
    FITTED_RECIPE = "fitted_recipe"


REAL_STAGES = frozenset(
    (Stage.REAL_DOCUMENTS, Stage.REAL_PREDICTIONS, Stage.REAL_REPORT, Stage.REVIEW_QUEUE, Stage.FITTED_RECIPE)
)


class BatchStorage(Protocol):
    """What an iteration needs of a storage: folders of stages by batch key."""

    @property
    def withdrawals(self) -> UPath:
        """The folder of the steps by which people withdrew or restored adapters, whether or not it exists."""
        ...

    def folder(self, stage: Stage, key: str) -> UPath:
        """Return the folder of one stage of one batch, whether or not it exists."""
        ...

    def keys_until(self, stage: Stage, key: str) -> list[str]:
        """Return the keys up to and including ``key`` for which the stage has a folder, oldest first."""
        ...


class FolderStorage:
    """A storage below one root, on a local disk or in an object store: ``<root>/<stage>/<batch key>/``."""

    def __init__(self, root: str) -> None:
        self.root = UPath(root)

    @property
    def withdrawals(self) -> UPath:
        """The folder of the steps by which people withdrew or restored adapters, whether or not it exists."""
        return self.root / "withdrawals"

    def folder(self, stage: Stage, key: str) -> UPath:
        """Return the folder of one stage of one batch, whether or not it exists.

        Raises:
            UserError: the key is not of the form batch-007, or inbox-007 for a stage of real documents.
        """
        is_real = stage in REAL_STAGES and INBOX_KEY_PATTERN.fullmatch(key)
        return self.root / str(stage) / (key if is_real else check_batch_key(key))

    def keys_until(self, stage: Stage, key: str) -> list[str]:
        """Return the keys up to and including ``key`` for which the stage has a folder, oldest first."""
        folders = (self.root / str(stage)).glob("batch-*")
        return sorted(
            folder.name for folder in folders if BATCH_KEY_PATTERN.fullmatch(folder.name) and folder.name <= key
        )


class PlanInUseError(UserError):
    """A plan that documents have been drawn from is not replaced: data and plan would no longer belong together."""


class PlanFiles:
    """Plans by batch key, as ``<root>/plans/<batch key>.json``.

    An edge from plan to documents would make the asset graph a cycle; this store is the seam that cuts it.
    """

    def __init__(self, root: str) -> None:
        self.folder = UPath(root) / "plans"
        self._documents = FolderStorage(root)

    def path(self, key: str) -> UPath:
        """Return the file of a batch's plan, whether or not it exists.

        Raises:
            UserError: the key is not of the form batch-007.
        """
        return self.folder / f"{check_batch_key(key)}.json"

    def is_drawn(self, key: str) -> bool:
        """Return whether documents have been drawn from the batch's plan."""
        return bool(shard_files(self._documents.folder(Stage.SYNTHETIC_DOCUMENTS, key)))

    def key_for(self, plan: Plan) -> str:
        """Return the key to store a plan under beside those that are drawn.

        That is the plan's own key, or that of the same plan stored before, so that an iteration that is run again adds
        no batch; else the key after the last batch that has a plan.
        """
        if not self.is_drawn(plan.key):
            return plan.key
        keys = sorted(file.stem for file in self.folder.glob("batch-*.json") if BATCH_KEY_PATTERN.fullmatch(file.stem))
        same = (key for key in keys if self.read(key).model_copy(update={"key": plan.key}) == plan)
        return next(same, None) or next_batch_key(keys[-1])

    def read(self, key: str) -> Plan:
        """Return the plan of a batch.

        Raises:
            MissingInputError: the batch has no plan.
        """
        path = self.path(key)
        if not path.exists():
            raise MissingInputError(
                f"{path}: no plan for {key}. Materialise seed_plan for the first batch, or hard_sample_plan of the "
                "batch before for a later one."
            )
        return Plan.model_validate_json(path.read_text(encoding="utf-8"))

    def deployment_recipe(self) -> Recipe:
        """Return the recipe that readers are deployed on: the first batch's.

        Raises:
            MissingInputError: the first batch has no plan.
        """
        return self.read(FIRST_BATCH_KEY).components[0].recipe

    def write(self, plan: Plan) -> UPath:
        """Store a plan under its key, atomically; return the file.

        Raises:
            PlanInUseError: documents have been drawn from another plan of this key.
        """
        path = self.path(plan.key)
        if path.exists():
            stored = self.read(plan.key)
            if stored == plan:
                return path
            if self.is_drawn(plan.key):
                raise PlanInUseError(
                    f"{path}: the documents of {plan.key} have been drawn from this plan, and the new one is another "
                    f"(hash {plan.content_hash()[:12]} instead of {stored.content_hash()[:12]}). Store it as a new "
                    f"batch (hard_sample_plan's setting as_new_batch), or remove what was made of {plan.key} first"
                )
        write_text(path, plan.model_dump_json(indent=2) + "\n")
        return path
