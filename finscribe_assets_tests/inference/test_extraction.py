from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.inference.extraction import Extractor, NoLayoutError, extract_rendered
from finscribe_assets.inference.json_grammar import JsonGrammar
from finscribe_assets.inference.prediction import Mode, predict_document
from finscribe_assets.inference.reader import ReadRequest
from finscribe_assets.inference.region_layout import DetectedLines, Region, RegionType, RendererBoxes
from finscribe_assets.inference.typed_boxes import parse_box
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.otsl import to_otsl
from finscribe_assets.instructions.pair import Task
from finscribe_assets.instructions.prompt_wordings import training_wordings
from finscribe_assets.model.decoded_text import DecodedText
from finscribe_assets.rendering.located_boxes import boxes_from_json, to_pixels
from finscribe_assets.rendering.pages import Box, MarkType

randbytes = Random(1).randbytes


@pytest.fixture
def page_file(batch, tmp_path):
    path = tmp_path / "page.png"
    batch.rendered[0].pages[0].open().save(path)
    return path


def test_a_box_of_a_page_is_read_as_in_a_batch(reader, batch, page_file):
    mark = batch.rendered[0].of_type(MarkType.FIELD)[0]
    box = mark.fragments[0].box
    expected = reader.read([ReadRequest((crop(batch.rendered[0].pages[0].open(), box),), "OCR:")])[0]
    record = Extractor(reader).read_file(page_file, box)
    assert (record["text"], record["confidence"]) == (expected.text, round(expected.confidence, 4))


def test_an_image_of_one_line_is_read_whole(reader, batch, page_file, tmp_path):
    box = batch.rendered[0].of_type(MarkType.FIELD)[0].fragments[0].box
    crop(Image.open(page_file), box).save(tmp_path / "line.png")
    expected = reader.read([ReadRequest((crop(Image.open(page_file), box),), "OCR:")])[0]
    assert Extractor(reader).read_file(tmp_path / "line.png")["text"] == expected.text != ""


def test_a_page_without_boxes_is_refused_with_what_to_do(reader, page_file):
    with pytest.raises(NoLayoutError, match=r"single printed lines\. Give a layout .* or use a base that reads pages"):
        Extractor(reader).read_file(page_file)


def test_a_page_of_unknown_origin_gives_lines_and_fields_and_reasons_for_the_others(reader, page_file):
    record = Extractor(reader, DetectedLines()).read_file(page_file)
    lines, fields = record["lines"], flatten(record["response"])
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(0 <= line["confidence"] <= 1 and len(line["box"]) == 4 for line in lines)
    assert len(fields) >= 3
    assert fields.keys() == record["sources"].keys() == record["confidence"].keys()
    for path, number in record["sources"].items():
        is_read = path not in ("document_type", "currency_code")  # these follow from what was read
        assert not is_read or fields[path].split()[0] in lines[number - 1]["text"]
        assert record["reading_confidence"][path] <= lines[number - 1]["confidence"]
        assert 0 < record["confidence"][path] < 1
    not_assigned = [path for group in record["not_assigned"] for path in group["fields"]]
    assert sorted([*not_assigned, *{field_of(path) for path in fields}]) == sorted(TERMS)
    located, complete = boxes_from_json(record["boxes"])
    assert complete and located.keys() == fields.keys() - {"currency_code"}
    with Image.open(page_file) as page:
        for path, boxes in located.items():
            left, top, right, bottom = lines[record["sources"][path] - 1]["box"]
            line = Box(left - 3, top - 3, right + 3, bottom + 3)  # ink may reach over the edges that the finder gave
            assert line.holds(to_pixels(boxes[0].box, page.size)), path


@dataclass(frozen=True)
class FixedLayout:
    """A layout with given regions."""

    found: tuple[Region, ...]
    boxes_are_lines: bool = False
    names_fields: bool = False
    name: str = "fixed"
    margin: int = 0

    def regions(self, document):
        return list(self.found)


def test_blocks_are_read_with_the_prompt_of_their_type(page_reader, page_file, monkeypatch):
    prompts = []
    read = page_reader.read

    def record_prompts(requests, **options):
        prompts.extend(request.prompt for request in requests)
        return read(requests, **options)

    monkeypatch.setattr(page_reader, "read", record_prompts)
    blocks = tuple(Region("", ((0, Box(0, 0, 200, 150)),), region_type) for region_type in RegionType)
    record = Extractor(page_reader, FixedLayout(blocks), max_new_tokens=3).read_file(page_file)
    assert prompts == ["OCR:", "Table Recognition:"]
    assert [line["truncated"] for line in record["lines"]] == [True, True]


def test_sources_point_to_the_box_of_a_value_among_regions_of_several_boxes(reader, page_file, monkeypatch):
    texts = ["Invoice No. 17", "Due Date 10/10/2021", to_otsl([["Description", "Amount"], ["Bolt", "2.00"]])]
    decoded = [DecodedText(text, (1,), (0.5,), truncated=False) for text in texts]
    monkeypatch.setattr(reader, "read", lambda requests, **options: decoded)
    boxes = [(0, Box(10, top, 300, top + 20)) for top in (10, 40, 80)]
    regions = (Region("", tuple(boxes[:2])), Region("", (boxes[2],), RegionType.TABLE))
    record = Extractor(reader, FixedLayout(regions), locale="en_GB").read_file(page_file)
    assert record["sources"] == {
        "document_type": 1,
        "document_number": 1,
        "due_date": 2,
        "lines[0].item_name": 3,
        "lines[0].net_amount": 3,
    }


def test_a_grammar_for_a_base_that_reads_lines_is_refused_before_anything_is_read(reader):
    with pytest.raises(ValueError, match="json: embedded reads single printed lines and writes no JSON"):
        Extractor(reader, grammar=JsonGrammar())


def test_a_base_that_reads_pages_is_given_the_whole_page(page_reader, page_file, monkeypatch):
    expected = page_reader.read(
        [ReadRequest((Image.open(page_file).convert("L"),), training_wordings(Task.FULL_EXTRACTION)[0])],
        max_new_tokens=8,
    )[0]
    monkeypatch.setattr("finscribe_assets.inference.reader.MAX_PAGE_TOKENS", 8)
    record = Extractor(page_reader).read_file(page_file)
    assert record["response"] == expected.text
    assert record["truncated"]


def test_a_rendered_page_gives_the_prediction_of_its_document(reader, batch):
    shard = batch.folder / "images" / "part-00000.parquet"
    rendered = batch.rendered[3]
    assert extract_rendered(reader, shard, rendered.id) == [
        predict_document(reader, rendered, Mode.REGIONS, RendererBoxes())
    ]
    with pytest.raises(ValueError, match=r"part-00000\.parquet: holds no document 'batch-9', but batch-000-000000 to"):
        extract_rendered(reader, shard, "batch-9")


@pytest.mark.parametrize("content", [b"", b"not parquet", b"PAR1" * 20])
def test_a_file_that_is_not_a_shard_is_named(reader, tmp_path, content):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.parquet: not a shard of rendered pages"):
        extract_rendered(reader, tmp_path / "x.parquet")


def test_a_shard_of_another_stage_is_named(reader, batch):
    with pytest.raises(ValueError, match="not a shard of rendered pages"):
        extract_rendered(reader, batch.folder / "pairs" / "part-00000.parquet")


def test_a_box_is_parsed_from_four_numbers():
    assert parse_box("1, 2,30.5,40") == Box(1, 2, 30.5, 40)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "5,5,5,9", "9,1,2,3", "-1,0,5,5", "nan,0,1,1", "0,0,inf,1"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="box: "):
        parse_box(text)


@given(st.text(max_size=20))
def test_any_text_gives_a_box_with_an_area_or_a_value_error(text):
    try:
        box = parse_box(text)
    except ValueError:
        return
    assert box.width > 0
    assert box.height > 0


def test_a_box_outside_the_page_is_refused(reader, page_file):
    with pytest.raises(ValueError, match="no area on a page of"):
        Extractor(reader).read_file(page_file, Box(90_000, 0, 90_010, 5))
