"""What assets are given: storage, plans, worker processes and the profile of sizes."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import dagster as dg
from upath import UPath

from finscribe_assets.documents.plan import Plan
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import is_local, write_text
from finscribe_assets.profiles import PROFILES, Profile
from finscribe_assets.shards import LocalShardPool


class Storage(dg.ConfigurableResource):
    """The folders of every asset and partition, as the I/O manager lays them out."""

    root: str

    def folder(self, asset: str, key: str) -> UPath:
        """Return the folder of one asset's partition."""
        return UPath(self.root) / asset / key

    def folder_of(self, context: dg.AssetExecutionContext) -> UPath:
        """Return the folder that the running asset writes."""
        return self.folder(context.asset_key.to_user_string(), context.partition_key)

    def work_folder(self, asset: str, key: str) -> Path:
        """Return a local folder for checkpoints, which a later run of the same partition finds again."""
        root = UPath(self.root)
        home = Path(str(root)) if is_local(root) else Path(tempfile.gettempdir()) / "finscribe"
        folder = home / ".work" / asset / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class PlanStore(dg.ConfigurableResource):
    """Plans by batch key.

    An edge from plan to documents would make the asset graph a circle; the store is the seam that cuts it.
    """

    root: str

    def path(self, key: str) -> UPath:
        """Return the place of a batch's plan."""
        return UPath(self.root) / "plans" / f"{key}.json"

    def read(self, key: str) -> Plan:
        """Return the plan of a batch."""
        path = self.path(key)
        if not path.exists():
            raise MissingInputError(
                f"{path}: no plan for {key}. Materialise seed_plan for the first batch, or hard_sample_plan of the "
                "batch before for a later one."
            )
        return Plan.model_validate_json(path.read_text(encoding="utf-8"))

    def write(self, plan: Plan) -> UPath:
        """Store a plan under its key."""
        path = self.path(plan.key)
        write_text(path, plan.model_dump_json(indent=2) + "\n")
        return path


class Workers(dg.ConfigurableResource):
    """Where a batch's shards run."""

    workers: int = 1

    def pool(self) -> LocalShardPool:
        """Return the pool of worker processes."""
        return LocalShardPool(self.workers)


class Sizes(dg.ConfigurableResource):
    """The profile that sets sizes: tiny, demo or full."""

    profile: str

    def get(self) -> Profile:
        """Return the profile."""
        if self.profile not in PROFILES:
            raise UserError(f"FINSCRIBE_PROFILE is {self.profile!r}; known are {', '.join(PROFILES)}")
        return PROFILES[self.profile]


def progress(context: dg.AssetExecutionContext, total: int, what: str) -> Callable[[int], None]:
    """Return a callback that logs every tenth of the way."""
    done = logged = 0

    def on_shard(rows: int) -> None:
        nonlocal done, logged
        done += rows
        if done == total or done - logged >= total / 10:
            context.log.info(f"{done} of {total} {what}")
            logged = done

    return on_shard
