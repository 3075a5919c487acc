"""The I/O manager: one folder for each asset and partition below one root, on a disk or in an object store.

https://docs.dagster.io/guides/build/io-managers
"""

from __future__ import annotations

import dagster as dg
from upath import UPath

from finscribe_assets.errors import MissingInputError


class BatchFolderIOManager(dg.UPathIOManager):
    """Pass folders between assets instead of values.

    A batch does not fit into memory: an asset writes its own folder shard by shard (`Storage.folder_of`), and the next
    asset gets the folder's path.
    """

    def dump_to_path(self, context: dg.OutputContext, obj: object, path: UPath) -> None:
        """Refuse a value: the asset has written its folder already."""
        raise TypeError(
            f"{context.asset_key.to_user_string()} returned a {type(obj).__name__}; an asset writes its folder "
            f"({path}) itself and returns MaterializeResult without a value"
        )

    def load_from_path(self, context: dg.InputContext, path: UPath) -> UPath:
        """Return the folder of an upstream asset's partition."""
        if not path.exists():
            raise MissingInputError(f"{path}: not there; materialise {context.asset_key.to_user_string()} first")
        return path


class BatchFolderIOManagerFactory(dg.ConfigurableIOManagerFactory[BatchFolderIOManager]):
    """Configuration of the I/O manager."""

    root: str

    def create_io_manager(self, context: dg.InitResourceContext) -> BatchFolderIOManager:
        """Return the I/O manager for the configured root."""
        return BatchFolderIOManager(base_path=UPath(self.root))
