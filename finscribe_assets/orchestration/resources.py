"""Resources: what assets and sensors are given – storage, plans, worker processes, the profile of sizes.

The profile is a plain object (`dg.ResourceParam[Profile]`), handed to `build_defs`; all others take their configuration
from Dagster. https://docs.dagster.io/guides/build/external-resources
"""

import tempfile
from pathlib import Path

import dagster as dg
from upath import UPath

from finscribe_assets.files import is_local
from finscribe_assets.iteration.batch_storage import FolderStorage, PlanFiles, Stage
from finscribe_assets.profiles import Profile
from finscribe_assets.shards import LocalShardPool

ProfileResource = dg.ResourceParam[Profile]


class Storage(dg.ConfigurableResource):
    """The folders of all assets and partitions, where the I/O manager looks for them."""

    root: str

    @property
    def batches(self) -> FolderStorage:
        """Return the same folders as the library knows them."""
        return FolderStorage(self.root)

    def folder(self, asset: str, key: str) -> UPath:
        """Return the folder of one partition of an asset."""
        return self.batches.folder(Stage(asset), key)

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
    """Plans by batch key."""

    root: str

    @property
    def files(self) -> PlanFiles:
        """Return the plans as the library knows them."""
        return PlanFiles(self.root)


class Workers(dg.ConfigurableResource):
    """Worker processes on which a batch's shards run."""

    workers: int = 1

    def pool(self) -> LocalShardPool:
        """Return the pool of worker processes."""
        return LocalShardPool(self.workers)
