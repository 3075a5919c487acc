import io
import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from finscribe_assets.documents.elements import TERMS
from finscribe_assets.documents.schema import flatten
from finscribe_assets.inference.doclayout import DocLayout
from finscribe_assets.inference.extraction import Extractor, NoLayoutError, extract_rendered
from finscribe_assets.inference.image_input import ImageError, open_image, parse_box
from finscribe_assets.inference.json_constraint import JsonGrammar
from finscribe_assets.inference.reader import ReadRequest
from finscribe_assets.inference.region_layout import DetectedLines, Region, RegionType
from finscribe_assets.instructions.crops import crop
from finscribe_assets.rendering.pages import Box, MarkType

randbytes = Random(1).randbytes


@pytest.fixture
def page_file(batch, tmp_path):
    path = tmp_path / "page.png"
    batch.rendered[0].pages[0].open().save(path)
    return path


def test_a_box_of_a_page_is_read_as_the_batch_reader_reads_it(reader, batch, page_file):
    mark = batch.rendered[0].of_type(MarkType.FIELD)[0]
    box = mark.fragments[0].box
    expected = reader.read([ReadRequest((crop(batch.rendered[0].pages[0].open(), box),), "OCR:")])[0]
    found = Extractor(reader).read_file(page_file, box)
    assert (found["text"], found["confidence"]) == (expected.text, round(expected.confidence, 4))


def test_an_image_of_one_line_is_read_whole(reader, batch, page_file, tmp_path):
    box = batch.rendered[0].of_type(MarkType.FIELD)[0].fragments[0].box
    crop(Image.open(page_file), box).save(tmp_path / "line.jpg", quality=95)
    assert Extractor(reader).read_file(tmp_path / "line.jpg")["text"]


def test_a_page_without_boxes_is_refused_with_what_to_do(reader, page_file):
    with pytest.raises(NoLayoutError, match=r"single printed lines\. Give a layout .* or use a base that reads pages"):
        Extractor(reader).read_file(page_file)


def test_a_page_of_unknown_origin_gives_lines_fields_and_what_stays_open(reader, page_file):
    record = Extractor(reader, DetectedLines()).read_file(page_file)
    lines, fields = record["lines"], flatten(record["response"])
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(0 <= line["confidence"] <= 1 and len(line["box"]) == 4 for line in lines)
    assert fields.keys() == record["sources"].keys() == record["confidence"].keys()
    for path, number in record["sources"].items():
        assert path == "document_type" or fields[path] in lines[number - 1]["text"]
    open_fields = [path for part in record["not_assigned"] for path in part["fields"]]
    assert sorted([*open_fields, *fields]) == sorted(TERMS)


class Blocks(DocLayout):
    """A layout of blocks that needs no PaddleX."""

    def __post_init__(self):
        pass

    def regions(self, document):
        box = Box(0, 0, 200, 150)
        return [Region("", ((0, box),), region_type) for region_type in RegionType]


def test_blocks_are_read_with_the_prompt_of_their_kind(page_reader, page_file, monkeypatch):
    prompts = []
    reading = page_reader.read

    def noted(requests, **options):
        prompts.extend(request.prompt for request in requests)
        return reading(requests, **options)

    monkeypatch.setattr(page_reader, "read", noted)
    record = Extractor(page_reader, Blocks(), max_new_tokens=3).read_file(page_file)
    assert prompts == ["OCR:", "Table Recognition:"]
    assert [line["truncated"] for line in record["lines"]] == [True, True]


def test_what_cannot_go_together_is_refused_before_anything_is_read(reader):
    with pytest.raises(ValueError, match="json: embedded reads single printed lines and writes no JSON"):
        Extractor(reader, grammar=JsonGrammar())


def test_a_model_that_reads_pages_is_given_the_whole_page(page_reader, page_file, monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.reader.MAX_PAGE_TOKENS", 5)
    assert Extractor(page_reader).read_file(page_file)["truncated"]


def test_a_rendered_page_gives_its_documents_fields(reader, batch):
    shard = batch.folder / "images" / "part-00000.parquet"
    drawn = batch.documents[3]
    (record,) = extract_rendered(reader, shard, drawn.id)
    assert record["id"] == drawn.id
    assert flatten(record["response"]).keys() <= drawn.printed.keys()
    with pytest.raises(ValueError, match=r"part-00000\.parquet: holds no document 'batch-9'"):
        extract_rendered(reader, shard, "batch-9")


@pytest.mark.parametrize("content", [b"", b"not parquet", b"PAR1" * 20])
def test_what_is_no_shard_is_named(reader, tmp_path, content):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.parquet: not a shard of rendered pages"):
        extract_rendered(reader, tmp_path / "x.parquet")


def test_a_shard_of_another_stage_is_named(reader, batch):
    with pytest.raises(ValueError, match="not a shard of rendered pages"):
        extract_rendered(reader, batch.folder / "pairs" / "part-00000.parquet")


def png(width, height, rows=b""):
    def chunk(kind, body):
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bomb.png", png(60_000, 60_000), "pixels"),
        ("large.png", png(8_000, 8_000), r"8000 × 8000 pixels are more than 50,000,000; scale it down"),
        ("cut.png", png(400, 400, randbytes(401 * 400))[:9_000], "cannot be read as an image"),
        ("text.png", b"Rechnung 17", "not an image in a supported format"),
        ("empty.png", b"", "not an image in a supported format"),
        ("page.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image in a supported format"),
        ("page.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image in a supported format"),
    ],
)
def test_hostile_images_are_refused_by_name(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=said) as refused:
        open_image(tmp_path / name)
    assert name in str(refused.value)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"BM"]))
def test_no_bytes_do_worse_than_an_image_error(tmp_path_factory, body, magic):
    path = tmp_path_factory.mktemp("any") / "x"
    path.write_bytes(magic + body)
    try:
        image = open_image(path)
    except ImageError:
        return
    assert image.mode == "L"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"nowhere\.png: cannot be read"):
        open_image(tmp_path / "nowhere.png")


def test_an_image_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: rows are columns
    buffer = io.BytesIO()
    Image.new("RGB", (30, 10)).save(buffer, "JPEG", exif=exif)
    (tmp_path / "photo.jpg").write_bytes(buffer.getvalue())
    assert open_image(tmp_path / "photo.jpg").size == (10, 30)


def test_a_box_is_four_numbers_with_an_area():
    assert parse_box("1, 2,30.5,40") == Box(1, 2, 30.5, 40)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "5,5,5,9", "9,1,2,3", "-1,0,5,5", "nan,0,1,1", "0,0,inf,1"])
def test_other_texts_are_no_boxes(text):
    with pytest.raises(ValueError, match="box: "):
        parse_box(text)


@given(st.text(max_size=20))
def test_no_text_does_worse_than_a_value_error(text):
    try:
        box = parse_box(text)
    except ValueError:
        return
    assert box.width > 0
    assert box.height > 0


def test_a_box_off_the_page_is_refused(reader, page_file):
    with pytest.raises(ValueError, match="no area on a page of"):
        Extractor(reader).read_file(page_file, Box(90_000, 0, 90_010, 5))
