"""Samples that a loader drops or fails on are errors that name file, position, field and fix."""

import io
import json
import shutil
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.diagnosis.diagnose import diagnose
from finscribe_assets.diagnosis.traps import Severity
from finscribe_assets.exporting.folder_export import ExportFormat, validate_export
from finscribe_assets.exporting.json_lines import json_line, parse_object, read_json_lines
from finscribe_assets.exporting.sample_checks import (
    ExportError,
    RecordLocation,
    SampleInspector,
    check_spans,
    check_texts,
)
from finscribe_assets.files import read_table, write_table
from finscribe_assets.instructions.token_count import sample_tokens
from finscribe_assets.rendering.model_resize import PixelBudget

HERE = RecordLocation("data.jsonl", "line 3")


@pytest.fixture
def copied(exported, tmp_path):
    """Return a function that gives a copy of an export, to be broken."""

    def copy(format_: ExportFormat) -> Path:
        return Path(shutil.copytree(exported(format_), tmp_path / "copy"))

    return copy


def broken_line(folder: Path, change, line: int = 3) -> None:
    lines = (folder / "data.jsonl").read_bytes().splitlines()
    sample = json.loads(lines[line - 1])
    changed = change(sample)
    lines[line - 1] = changed if isinstance(changed, bytes) else json.dumps(sample).encode()
    (folder / "data.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def assert_error(folder: Path, *parts: str, **options) -> None:
    """Validate an export; the error must begin with its folder, contain all parts and say what to do."""
    with pytest.raises(ExportError) as error:
        validate_export(folder, **options)
    message = str(error.value)
    assert message.startswith(str(folder))
    assert all(part in message for part in parts), message
    assert ";" in message or "export again" in message


@pytest.mark.parametrize("format_", ExportFormat)
def test_the_doctor_finds_no_error_in_an_export(exported, format_):
    assert [finding for finding in diagnose(str(exported(format_))) if finding.severity is Severity.ERROR] == []


def test_the_doctor_names_a_sample_that_a_loader_drops(copied):
    folder = copied(ExportFormat.MESSAGES)
    broken_line(folder, lambda sample: sample.update(images=["images/none.png"]))
    findings = [finding for finding in diagnose(str(folder)) if finding.severity is Severity.ERROR]
    assert [finding.trap for finding in findings] == ["picture-unreadable"]
    assert findings[0].place.startswith(f"{folder / 'data.jsonl'}: line 3: images[0]")


@pytest.mark.parametrize("format_", ExportFormat)
def test_an_export_is_valid_and_counted(work, exported, format_):
    tally = validate_export(exported(format_)).tally
    if format_ is ExportFormat.COCO:
        assert tally.images == sum(len(work.rendered[name].pages) for name in work.documents)
        return
    assert tally.samples == len(work.expected)
    images = [image for pair in work.expected.values() for image in work.pixels(pair)]
    if format_ in (ExportFormat.HF, ExportFormat.WEBDATASET):
        assert tally.images == len(images)
        assert tally.small_images == sum(min(image.shape[:2]) < 28 for image in images) > 0
    lengths = {id_: len(pair.prompt) + len(pair.response) for id_, pair in work.expected.items()}
    assert lengths[tally.longest_id] == tally.longest_characters == max(lengths.values())


def test_questions_about_the_same_pages_are_turns_of_one_sample(work, tmp_path):
    tally = work.export(tmp_path / "out", ExportFormat.MESSAGES, max_turns=4).tally
    assert tally.pairs == len(work.expected) > tally.samples
    records = [json.loads(line) for line in (tmp_path / "out" / "data.jsonl").read_text().split("\n") if line]
    said = []
    for record in records:
        messages = record["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
        assert len(messages) <= 8
        first = messages[0]["content"].removeprefix("<image>" * len(record["images"]))
        said += zip([first, *(message["content"] for message in messages[2::2])], messages[1::2], strict=True)
    expected = sorted((pair.prompt, pair.response) for pair in work.expected.values())
    assert sorted((prompt, answer["content"]) for prompt, answer in said) == expected
    assert all("page-" in name for record in records if len(record["messages"]) > 2 for name in record["images"])


@pytest.mark.parametrize("format_", [format_ for format_ in ExportFormat if format_ is not ExportFormat.COCO])
def test_samples_with_too_many_tokens_are_reported(work, exported, format_):
    budget = PixelBudget(max_pixels=28 * 28 * 400)
    tally = validate_export(exported(format_), max_tokens=600, budget=budget).tally
    tokens = {
        id_: sample_tokens([image.shape[1::-1] for image in work.pixels(pair)], (pair.prompt, pair.response), budget)
        for id_, pair in work.expected.items()
    }
    assert set(tally.too_long) == {id_ for id_, count in tokens.items() if count > 600} != set()
    assert tally.most_tokens == max(tokens.values())


def set_content(turn: int, text):
    return lambda sample: sample["messages"][turn].update(content=text)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (set_content(1, " \n"), "response: empty"),
        (set_content(1, None), "response: NoneType"),
        (set_content(1, "an <image> more"), "response: contains <image>"),
        (set_content(1, "<video>"), "response: contains <video>"),
        (set_content(1, "half \ud83d"), "response: half a surrogate pair"),
        (set_content(0, "no image here"), "messages[0].content: 0 <image> tags for 1 images"),
        (set_content(0, "<image><image>two"), "messages[0].content: 2 <image> tags for 1 images"),
        (set_content(0, "last<image>"), "messages[0].content: 1 <image> tags for 1 images"),
        (set_content(0, "<image>"), "prompt: empty"),
        (set_content(0, "<image>what is this <audio>"), "prompt: contains <audio>"),
        (set_content(0, ["<image>"]), "messages[0].content: list"),
        (lambda s: s.update(images=["images/none.png"]), "images[0]: 'images/none.png' does not exist"),
        (lambda s: s.update(images=["../../etc/hostname"]), "is outside the export"),
        (lambda s: s.update(images=["/etc/hostname"]), "is outside the export"),
        (lambda s: s.update(images=["https://example.org/a.png"]), "is outside the export"),
        (lambda s: s.update(images=[7]), "images[0]: 7 is not a path"),
        (lambda s: s.update(images=None), "images: not a list"),
        (lambda s: s.update(images=[]), "images: not a list"),
        (lambda s: s["messages"].reverse(), "messages: not user and assistant in turn"),
        (lambda s: s["messages"].append(s["messages"][0]), "messages: not user and assistant"),
        (lambda s: s["messages"].pop(), "messages: not user and assistant"),
        (lambda s: s.update(messages="text"), "messages: not user and assistant"),
        (lambda s: s.pop("id") and None, "id: None is not an id"),
        (lambda s: b"", "not JSON"),
        (lambda s: b"{", "not JSON"),
        (lambda s: b"[]", "a JSON list"),
        (lambda s: b'{"a": NaN}', "NaN is not JSON"),
        (lambda s: json.dumps(s, ensure_ascii=False).encode("utf-16"), "not UTF-8"),
    ],
)
def test_messages_that_loaders_drop_are_errors(copied, change, expected):
    folder = copied(ExportFormat.MESSAGES)
    broken_line(folder, change)
    assert_error(folder, "data.jsonl: line 3: ", expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s["text_info"][1].update(text=""), "response: empty"),
        (lambda s: s["text_info"][0].update(text="<image>OCR:"), "prompt: contains <image>"),
        (lambda s: s["text_info"][1].update(tag="mask"), "text_info: not one text tagged mask"),
        (lambda s: s["text_info"].reverse(), "text_info: not one text tagged mask"),
        (lambda s: s.update(text_info=None), "text_info: not one text tagged mask"),
        (lambda s: s.update(image_info=[]), "image_info: not a list"),
        (
            lambda s: s["image_info"][0].update(matched_text_index=1),
            "image_info[0].matched_text_index: 1 does not place",
        ),
        (lambda s: s["image_info"][0].pop("matched_text_index") and None, "image_info[0].matched_text_index"),
        (lambda s: s["image_info"][0].update(image_url="./images/none.png"), "image_info[0].image_url"),
        (lambda s: s["image_info"][0].update(image_url="../x.png"), "is outside the export"),
    ],
)
def test_erniekit_samples_that_loaders_drop_are_errors(copied, change, expected):
    folder = copied(ExportFormat.ERNIEKIT)
    broken_line(folder, change)
    assert_error(folder, "data.jsonl: line 3: ", expected)


@pytest.mark.parametrize("format_", [ExportFormat.MESSAGES, ExportFormat.ERNIEKIT])
def test_a_repeated_id_is_an_error(work, copied, format_):
    folder = copied(format_)
    broken_line(folder, lambda sample: sample.update(id=next(iter(work.expected))))
    assert_error(folder, "line 3", "id: ", "an earlier sample has the id")


@pytest.mark.parametrize("format_", [ExportFormat.MESSAGES, ExportFormat.ERNIEKIT, ExportFormat.COCO])
@pytest.mark.parametrize("kept", [0, 0.5, 0.98])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_truncated_image_is_an_error(copied, format_, kept, suffix):
    folder = copied(format_)
    files = sorted((folder / "images").rglob(f"*.{suffix}"), key=lambda file: file.stat().st_size)
    if not files:
        assert (format_, suffix) == (ExportFormat.COCO, "png")  # pages are stored as JPEG where they are scans
        return
    files[-1].write_bytes(files[-1].read_bytes()[: int(kept * files[-1].stat().st_size)])
    assert_error(folder, files[-1].name)


@pytest.mark.parametrize("format_", [ExportFormat.MESSAGES, ExportFormat.HF, ExportFormat.WEBDATASET])
def test_a_text_longer_than_the_limit_is_an_error(exported, format_):
    longest = validate_export(exported(format_)).tally.longest_characters
    assert validate_export(exported(format_), max_characters=longest).tally.longest_characters == longest
    assert_error(exported(format_), f"{longest} characters, the limit is {longest - 1}", max_characters=longest - 1)


def test_an_interrupted_export_is_an_error(copied, tmp_path):
    folder = copied(ExportFormat.ERNIEKIT)
    record = json.loads((folder / "export.json").read_text())
    (folder / "export.json").write_text(json.dumps(record | {"finished": False}))
    assert_error(folder, "export.json", "finished", "run it again")
    with pytest.raises(ValueError, match="not an export"):
        validate_export(tmp_path)


def test_the_registration_with_llama_factory_is_checked(copied):
    folder = copied(ExportFormat.MESSAGES)
    (folder / "dataset_info.json").write_text("{}")
    assert_error(folder, "dataset_info.json")


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


# Any text.


@given(st.text(max_size=60), st.text(max_size=60) | st.text(st.sampled_from("<image>\ud800\u2028\r\n "), max_size=12))
def test_any_text_survives_a_line_of_json_or_is_an_error(tmp_path_factory, prompt, response):
    try:
        check_texts(HERE, prompt, response)
    except ExportError as error:
        invalid = [
            not text.strip() or "<" in text or any("\ud800" <= character <= "\udfff" for character in text)
            for text in (prompt, response)
        ]
        assert any(invalid)
        assert str(error).startswith("data.jsonl: line 3: ")
        return
    line = json_line({"prompt": prompt, "response": response})
    # It is one line for every reader, whatever it takes for a line end.
    assert line.decode().splitlines() == [line.decode().removesuffix("\n")]
    path = tmp_path_factory.mktemp("lines") / "data.jsonl"
    path.write_bytes(line * 2)
    assert [record for _, record in read_json_lines(path)] == 2 * [{"prompt": prompt, "response": response}]


def test_values_that_json_cannot_express_are_never_written():
    for value in (float("nan"), float("inf"), "half \udc00"):
        with pytest.raises(ValueError, match=r"surrogates not allowed|not JSON compliant"):
            json_line({"value": value})


def test_ids_are_unique_texts():
    inspector = SampleInspector()
    inspector.check_sample(HERE, "a", "prompt", "response")
    for id_, expected in (("a", "earlier sample"), ("", "is not an id"), (7, "is not an id")):
        with pytest.raises(ExportError, match=expected):
            inspector.check_sample(HERE, id_, "prompt", "response")
    assert inspector.tally().samples == 1


@given(st.integers(-3, 9), st.integers(-3, 9))
def test_spans_must_be_inside_the_response(start, end):
    span = [{"start": start, "end": end, "kind": "value", "path": ""}]
    if 0 <= start < end <= 5:
        check_spans(HERE, span, "12345")
    else:
        with pytest.raises(ExportError, match="spans"):
            check_spans(HERE, span, "12345")


def test_json_is_parsed_as_strictly_as_by_the_strictest_loader():
    assert parse_object(HERE, b'{"a": 1}') == {"a": 1}
    for content in (b"", b"1", b'{"a": Infinity}', b"\xff{}", b"{} {}"):
        with pytest.raises(ExportError, match=r"data\.jsonl: line 3"):
            parse_object(HERE, content)
