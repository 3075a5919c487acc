"""Tables, archives and COCO files that a loader fails on are errors that name file, position, field and fix."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finscribe_assets.exporting.folder_export import ExportFormat, validate_export
from finscribe_assets.files import read_table, write_table
from finscribe_assets_tests.exporting.broken_exports import assert_error

# Parquet shards.


def broken_row(folder: Path, change) -> None:
    file = sorted((folder / "data").iterdir())[0]
    table = read_table(file)
    rows = table.to_pylist()
    change(rows)
    write_table(file, pa.Table.from_pylist(rows, schema=table.schema))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rows: rows[1].update(response=" "), "response: empty"),
        (lambda rows: rows[1].update(prompt="<image>?"), "prompt: contains <image>"),
        (lambda rows: rows[1].update(prompt=None), "prompt: NoneType"),
        (lambda rows: rows[1].update(id=rows[0]["id"]), "an earlier sample has the id"),
        (lambda rows: rows[1].update(images=[]), "images: the list is empty"),
        (lambda rows: rows[1]["images"].insert(0, None), "images[0]: there is no image"),
        (lambda rows: rows[1]["images"][0].update(bytes=b"\x89PNG\r\n\x1a\n"), "images[0]: not a complete image"),
        (lambda rows: rows[1].update(spans=[{"start": 0, "end": 10**6, "kind": "value", "path": ""}]), "spans: 0 to"),
        (lambda rows: rows[1].update(spans=None), "spans: not a list"),
    ],
)
def test_rows_that_loaders_fail_on_are_errors(copied, change, expected):
    folder = copied(ExportFormat.HF)
    broken_row(folder, change)
    assert_error(folder, "train-00000-of-00002.parquet: row 2: ", expected)


def test_shards_and_card_must_match(copied):
    folder = copied(ExportFormat.HF)
    first, second = sorted((folder / "data").iterdir())
    whole, card = second.read_bytes(), (folder / "README.md").read_text(encoding="utf-8")
    for change, expected in (
        (lambda: second.write_bytes(whole[:-9]), "not a complete Parquet file"),
        (lambda: pq.write_table(read_table(first).drop_columns(["spans"]), second), "columns"),
        (lambda: pq.write_table(read_table(first).replace_schema_metadata(None), second), "columns"),
        (lambda: second.rename(folder / "data" / "other.parquet"), "name"),
        (lambda: (folder / "README.md").write_text(card.replace("- split: train", "- split: test")), "configs"),
        (lambda: (folder / "README.md").write_text(card.replace("sequence: image", "dtype: string")), "features"),
        (lambda: (folder / "README.md").write_text("no front matter"), "README.md: front matter"),
        ((folder / "README.md").unlink, "README.md: front matter"),
    ):
        change()
        assert_error(folder, expected)
        (folder / "data" / "other.parquet").unlink(missing_ok=True)
        second.write_bytes(whole)
        (folder / "README.md").write_text(card, encoding="utf-8")
        validate_export(folder)


# Tar shards.


def rewrite_tar(folder: Path, change) -> None:
    file = sorted((folder / "shards").iterdir())[0]
    with tarfile.open(file) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]
    changed = change(members)
    with tarfile.open(file, "w") as tar:
        for name, content in members if changed is None else changed:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def with_json(**values):
    def change(members):
        index = next(index for index, (name, _) in enumerate(members) if name.endswith(".json"))
        name, content = members[index]
        members[index] = (name, json.dumps(json.loads(content) | values).encode())

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (with_json(response=""), "response: empty"),
        (with_json(prompt="<image>"), "prompt: contains <image>"),
        (with_json(images=["0.png", "1.png", "2.png"]), "images: "),
        (with_json(images=None), "images: "),
        (with_json(spans=[{"start": 3, "end": 2, "kind": "value", "path": ""}]), "spans: 3 to 2"),
        (
            lambda members: [member for member in members if not member[0].endswith(".json")],
            "json: the member is missing",
        ),
        (lambda members: members[1:], "images: "),
        (lambda members: [members[0], *members], "members: two have the same name"),
        (lambda members: [*members, *members[:2]], "key: an earlier sample has this key"),
        (lambda members: [("nodot", b"x"), *members], "member 'nodot': name"),
        (lambda members: [("__meta__.json", b"{}"), *members], "member '__meta__.json': name"),
        (lambda members: [(members[0][0], b"\x89PNG"), *members[1:]], "not a complete image"),
        (lambda members: [(name, b"\xff" if "json" in name else content) for name, content in members], "not UTF-8"),
    ],
)
def test_tar_members_that_the_loader_skips_are_errors(copied, change, expected):
    folder = copied(ExportFormat.WEBDATASET)
    rewrite_tar(folder, change)
    assert_error(folder, "train-00000.tar: ", expected)


def test_a_truncated_tar_is_an_error(copied):
    folder = copied(ExportFormat.WEBDATASET)
    file = sorted((folder / "shards").iterdir())[0]
    file.write_bytes(file.read_bytes()[:700])
    assert_error(folder, file.name)


# COCO.


def rewrite_coco(folder: Path, change) -> int:
    """Change the annotations and write them as an export does; return the line number of the fifth annotation."""
    file = folder / "annotations" / "instances_train.json"
    data = json.loads(file.read_bytes())
    change(data)
    parts = [f"{json.dumps(name)}: {json.dumps(data[name])}" for name in ("info", "licenses", "categories")]
    lists = [
        '"' + name + '": [\n' + ",\n".join(map(json.dumps, data[name])) + "\n]" for name in ("images", "annotations")
    ]
    file.write_text("{" + ",\n".join([*parts, *lists]) + "}\n", encoding="utf-8")
    return len(parts) + len(data["images"]) + 2 + 1 + 5


def test_coco_that_is_rewritten_unchanged_is_valid(copied):
    folder = copied(ExportFormat.COCO)
    before = validate_export(folder)
    rewrite_coco(folder, lambda data: None)
    assert validate_export(folder) == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda mark: mark.update(bbox=[0, 0, 10, 0]), "bbox: "),
        (lambda mark: mark.update(bbox=[-1, 0, 10, 5]), "bbox: "),
        (lambda mark: mark.update(bbox=[0, 0, 10, 1e5]), "bbox: "),
        (lambda mark: mark.update(bbox=[0, 0, 10]), "bbox: "),
        (lambda mark: mark.update(bbox=[0, 0, 10, True]), "bbox: "),
        (lambda mark: mark.update(area=1), "area: "),
        (lambda mark: mark.update(area=None), "area: "),
        (lambda mark: mark.update(image_id=[]), "image_id: "),
        (lambda mark: mark.update(category_id=99), "category_id: "),
        (lambda mark: mark.update(category_id=None), "category_id: "),
        (lambda mark: mark.update(image_id=99), "image_id: "),
        (lambda mark: mark.update(ignore=1), "ignore: "),
        (lambda mark: mark.update(id=4), "id: 4, expected 5"),
        (lambda mark: mark.update(area=float("nan")), "value: NaN is not JSON"),
    ],
)
def test_boxes_that_loaders_fail_on_are_errors(copied, change, expected):
    folder = copied(ExportFormat.COCO)
    line = rewrite_coco(folder, lambda data: change(data["annotations"][4]))
    assert_error(folder, f"line {line}: {expected}")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data["images"][1].update(id=1), "id: 1, expected 2"),
        (lambda data: data["images"][1].update(width=5), "width and height: "),
        (lambda data: data["images"][1].update(file_name="../../x.jpg"), "file_name: "),
        (lambda data: data["images"][1].update(file_name="none.jpg"), "file_name: "),
        (lambda data: data["categories"].pop(), "categories: "),
        (lambda data: data.update(annotations=[]), "not JSON"),
    ],
)
def test_pages_that_loaders_fail_on_are_errors(copied, change, expected):
    folder = copied(ExportFormat.COCO)
    rewrite_coco(folder, change)
    assert_error(folder, expected)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.replace(b"},\n", b"}\n", 1),
        lambda content: content.replace(b"}\n]", b"},\n]", 1),
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content + b"{}",
        lambda content: content.replace(b'"annotations"', b'"notes"'),
        lambda content: json.dumps(json.loads(content)).encode(),
    ],
)
def test_coco_that_is_not_json_or_not_one_object_per_line_is_an_error(copied, change):
    folder = copied(ExportFormat.COCO)
    file = folder / "annotations" / "instances_train.json"
    file.write_bytes(change(file.read_bytes()))
    assert_error(folder, file.name)
