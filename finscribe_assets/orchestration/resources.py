"""Resources: what assets and sensors are given – storage, plans, worker processes, the profile of sizes.

The profile is a plain object (`dg.ResourceParam[Profile]`), handed to `build_defs`; all others take their configuration
from Dagster. https://docs.dagster.io/guides/build/external-resources
"""

import mimetypes
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field
from upath import UPath

from finscribe_assets.documents.batch_keys import check_batch_key
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, as_path, is_local, sha256_of
from finscribe_assets.importing.inbox import InboxBatches
from finscribe_assets.iteration.batch_storage import FolderStorage, PlanFiles, Stage
from finscribe_assets.profiles import Profile
from finscribe_assets.ray_pool import pool_from_environment
from finscribe_assets.shards import ShardPool

if TYPE_CHECKING:
    from finscribe_assets.schema_mapping.mapping import SchemaMapping

LINK_DAYS = 7

ProfileResource = dg.ResourceParam[Profile]


class Storage(dg.ConfigurableResource):
    """The folders of all assets and partitions, where the I/O manager looks for them."""

    root: str
    files_url: str = Field(default="", description="where `finscribe files` serves this storage; empty if nowhere")

    @property
    def batches(self) -> FolderStorage:
        """Return the same folders as the library knows them."""
        return FolderStorage(self.root)

    def folder(self, asset: str, key: str) -> UPath:
        """Return the folder of one partition of an asset."""
        return self.batches.folder(Stage(asset), key)

    def tensorboard_link(self, key: str) -> dg.UrlMetadataValue | dg.PathMetadataValue:
        """Return a link that starts TensorBoard; the path of the partition's logs where no server has the files."""
        if not self.files_url:
            return dg.MetadataValue.path(str(self.batches.folder(Stage.TRAINED_ADAPTER, key) / "tensorboard"))
        return dg.MetadataValue.url(f"{self.files_url.rstrip('/')}/tensorboard")

    def folder_of(self, context: dg.AssetExecutionContext) -> UPath:
        """Return the folder that the running asset writes."""
        return self.folder(context.asset_key.to_user_string(), context.partition_key)

    def link(self, file: AnyPath, anchor: str = "") -> dg.MetadataValue:
        """Return a file of the storage as metadata that a person can open.

        Where `finscribe files` serves the storage it is a link to there, else on S3 a presigned URL, else a path. The
        presigned URL is valid for `LINK_DAYS`, the longest time that S3 signs for, for everybody who sees the page;
        with temporary credentials, only as long as these. Credentials, region and endpoint are those of the
        environment.

        Args:
            file: In the storage.
            anchor: A part of the page; presigned URLs do not have one.
        """
        if self.files_url and str(file).startswith(f"{self.root.rstrip('/')}/"):
            below = str(file).removeprefix(self.root.rstrip("/"))
            return dg.MetadataValue.url(f"{self.files_url.rstrip('/')}{below}{anchor and f'#{anchor}'}")
        if UPath(file).protocol not in ("s3", "s3a"):
            return dg.MetadataValue.path(str(file))
        from dagster_aws.s3 import S3Resource  # boto3 takes half a second to import

        bucket, _, key = UPath(file).path.partition("/")
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        return dg.MetadataValue.url(
            S3Resource()
            .get_client()
            .generate_presigned_url(
                "get_object",
                Params={"Bucket": bucket, "Key": key, "ResponseContentType": f"{kind}; charset=utf-8"},
                ExpiresIn=LINK_DAYS * 86_400,
            )
        )

    def work_folder(self, asset: str, key: str) -> Path:
        """Return a local folder for checkpoints, which a later run of the same partition finds again.

        The asset removes it when it has succeeded. For a storage that is not local, the folder is in this machine's
        folder for temporary files, below a name that belongs to the storage.
        """
        root = UPath(self.root)
        home = Path(tempfile.gettempdir()) / "finscribe" / sha256_of(self.root)[:16]
        folder = (Path(str(root)) if is_local(root) else home) / ".work" / asset / check_batch_key(key)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class PlanStore(dg.ConfigurableResource):
    """Plans by batch key."""

    root: str

    @property
    def files(self) -> PlanFiles:
        """Return the plans as the library knows them."""
        return PlanFiles(self.root)


class Inbox(dg.ConfigurableResource):
    """Where real documents arrive, and under which terms they may be used."""

    root: str = Field(default="", description="a folder or s3://…; empty if there is no inbox")
    licence: str = Field(default="own documents", description="kept in the import report")
    locale: str = Field(default="", description="of documents that state none, such as de_DE")
    mapping: str = Field(default="", description="of the keys of JSON ground truth: a YAML file, or a name like sroie")
    train: bool = Field(
        default=False,
        description="mark corrected documents of training vendors for training; they are no longer scored",
    )

    @property
    def folder(self) -> AnyPath:
        """Return the inbox.

        Raises:
            UserError: There is none.
        """
        if not self.root:
            raise UserError("FINSCRIBE_INBOX is not set; set it to the folder or s3://… that documents arrive in")
        return as_path(self.root)

    def batches(self, storage: "Storage") -> InboxBatches:
        """Return the batches that were taken from the inbox."""
        return InboxBatches(storage.root)


class ServiceLog(dg.ConfigurableResource):
    """The log that `finscribe serve --log` writes."""

    folder: str = Field(default="", description="of the log; empty if there is none")
    days: int = Field(default=7, description="number of latest days that are compared with those before")

    @property
    def path(self) -> Path:
        """Return the folder.

        Raises:
            UserError: FINSCRIBE_SERVICE_LOG is not set.
        """
        if not self.folder:
            raise UserError("FINSCRIBE_SERVICE_LOG is not set; name the folder that `finscribe serve --log` writes")
        return Path(self.folder)


class UserSchema(dg.ConfigurableResource):
    """The mapping of a user's keys in which pairs are made: a file, or a shipped one's name; empty for none.

    Predictions, reports and plans of a batch follow from the pairs that its adapter was trained on.
    """

    name: str = ""

    def mapping(self) -> "SchemaMapping | None":
        """Return the mapping; None where there is none."""
        from finscribe_assets.schema_mapping.mapping_files import load_mapping

        return load_mapping(self.name) if self.name else None


class Workers(dg.ConfigurableResource):
    """Worker processes on which a batch's shards run: of this machine, or of the Ray cluster of FINSCRIBE_RAY."""

    workers: int = 1

    def pool(self) -> ShardPool:
        """Return the pool of worker processes."""
        return pool_from_environment(self.workers)
