"""Samples that a loader drops or fails on are errors that name file, position, field and fix."""

import json
from pathlib import Path

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
from finscribe_assets.instructions.token_count import sample_tokens
from finscribe_assets.rendering.model_resize import PixelBudget
from finscribe_assets_tests.exporting.broken_exports import assert_error

HERE = RecordLocation("data.jsonl", "line 3")


def broken_line(folder: Path, change, line: int = 3) -> None:
    lines = (folder / "data.jsonl").read_bytes().splitlines()
    sample = json.loads(lines[line - 1])
    changed = change(sample)
    lines[line - 1] = changed if isinstance(changed, bytes) else json.dumps(sample).encode()
    (folder / "data.jsonl").write_bytes(b"\n".join(lines) + b"\n")


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
