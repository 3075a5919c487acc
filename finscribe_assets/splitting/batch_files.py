"""Facts of a batch's shards that splitting needs, kept beside its page hashes so that a shard is read once.

A data set lists every shard of all its batches with the shard's hash. Without this record the fiftieth batch would read
the pages of the forty-nine before it, to compute hashes that their manifests already state. The record is a cache: a
shard whose size, or ETag or time of change differs is read again, and a record that cannot be read is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import AnyPath, file_identities, read_table, sha256_of_file, write_text
from finscribe_assets.shards import FINGERPRINT_KEY, row_count, shard_files, shard_metadata

HASHES_RECORD_FILE = "files.json"
IMAGES = "images"


class ShardFacts(BaseModel):
    """What is known of a shard.

    Attributes:
        identity: Changes whenever the file is written, see `files.file_identities`.
        sha256: Hash of the file's bytes.
        rows: Number of its rows.
        metadata: The metadata of its schema, which names its inputs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: str
    sha256: str
    rows: int
    metadata: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the shard's inputs."""
        return self.metadata[FINGERPRINT_KEY.decode()]


class BatchFiles(BaseModel):
    """The shards of a batch by stage and file name, and the resolution of its pages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shards: dict[str, dict[str, ShardFacts]]
    dpi: int

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each shard, by stage and file name, such as ``pairs/part-00000.parquet``."""
        return {
            f"{stage}/{name}": facts.sha256 for stage, files in self.shards.items() for name, facts in files.items()
        }

    def metadata_values(self, stage: str, key: bytes) -> Iterable[str]:
        """Return the values of a key in the metadata of a stage's shards; shards without it are left out."""
        name = key.decode()
        return [facts.metadata[name] for facts in self.shards[stage].values() if name in facts.metadata]


def describe_batch(folders: Mapping[str, AnyPath], record_folder: AnyPath) -> BatchFiles:
    """Return the facts of a batch's shards; only shards that changed since the last call are read.

    Args:
        folders: the folder of each stage, one of them `IMAGES`.
        record_folder: the folder in which the record is kept.

    Raises:
        MissingInputError: a folder has no shards, or lacks one that another stage's folder has.
    """
    known = _read_record(record_folder / HASHES_RECORD_FILE)
    shards = {stage: _describe_folder(folder, known.shards.get(stage, {})) for stage, folder in folders.items()}
    _check_complete(shards, folders)
    first = next(iter(shards[IMAGES]))
    unchanged = known.shards.get(IMAGES, {}).get(first) == shards[IMAGES][first]
    dpi = known.dpi if unchanged else read_table(folders[IMAGES] / first, ["dpi"])["dpi"][0].as_py()
    described = BatchFiles(shards=shards, dpi=dpi)
    if described != known:
        write_text(record_folder / HASHES_RECORD_FILE, described.model_dump_json(indent=1) + "\n")
    return described


def _check_complete(shards: Mapping[str, Mapping[str, ShardFacts]], folders: Mapping[str, AnyPath]) -> None:
    """Refuse a batch that lost a shard: its documents would stand in the splits without pages or pairs."""
    names = set[str]().union(*shards.values())
    for stage, files in shards.items():
        if lost := sorted(names - files.keys()):
            there = next(other for other, found in shards.items() if lost[0] in found)
            raise MissingInputError(
                f"{folders[stage] / lost[0]}: missing, though {folders[there] / lost[0]} is there; run the stage that "
                "writes it again, which keeps the other shards"
            )


def _read_record(path: AnyPath) -> BatchFiles:
    nothing = BatchFiles(shards={}, dpi=0)
    if not path.exists():
        return nothing
    try:
        return BatchFiles.model_validate_json(path.read_bytes())
    except ValidationError:  # of another version
        return nothing


def _describe_folder(folder: AnyPath, known: Mapping[str, ShardFacts]) -> dict[str, ShardFacts]:
    files = shard_files(folder)
    if not files:
        raise MissingInputError(f"{folder}: no part-*.parquet in this folder; run the stage that writes it first")
    identities = file_identities(folder)
    return {
        file.name: facts
        if (facts := known.get(file.name)) and facts.identity == identities[file.name]
        else ShardFacts(
            identity=identities[file.name],
            sha256=sha256_of_file(file),
            rows=row_count(file),
            metadata=shard_metadata(file),
        )
        for file in files
    }
