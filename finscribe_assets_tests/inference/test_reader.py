from collections import Counter

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.inference.region_layout import RendererBoxes
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.otsl import from_otsl
from finscribe_assets.instructions.pair import TABLE_PROMPT
from finscribe_assets.model.adapters import ADAPTER_WEIGHTS
from finscribe_assets.model.decoded_text import geometric_mean
from finscribe_assets.model.line_finding import find_lines
from finscribe_assets.model.line_images import fit_line
from finscribe_assets.pretraining.line_cutting import with_plain_spaces
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets_tests.training.adapter_data import source_of

PROMPT = "OCR:"


@pytest.fixture(scope="module")
def lines(batch):
    """Return requests for every field's lines of two documents, and the texts printed in them."""
    requests, texts = [], []
    for document in batch.rendered[:2]:
        pages = [page.open() for page in document.pages]
        marks = {mark.name: mark for mark in document.marks}
        for region in RendererBoxes().regions(document):
            for index, (page, box) in enumerate(region.lines):
                requests.append(ReadRequest((crop(pages[page], box),), PROMPT))
                texts.append(marks[region.path].fragments[index].text.replace("\u00a0", " ").replace("\u202f", " "))
    return requests, texts


@torch.no_grad()
def generate(reader, requests, max_new_tokens):
    """Return the texts of transformers' own `generate`, and the probability of each token."""
    images = [[fit_line(image) if reader.reads_lines else image for image in request.images] for request in requests]
    chats = [
        [
            {
                "role": "user",
                "content": [
                    *({"type": "image", "image": image.convert("RGB")} for image in opened),
                    {"type": "text", "text": request.prompt},
                ],
            }
        ]
        for request, opened in zip(requests, images, strict=True)
    ]
    inputs = reader.encoder.processor.apply_chat_template(
        chats,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs={"padding": True, "padding_side": "left"},
    )
    output = reader.model.generate(
        **inputs, max_new_tokens=max_new_tokens, do_sample=False, output_scores=True, return_dict_in_generate=True
    )
    tokens = output.sequences[:, inputs["input_ids"].shape[1] :]
    probabilities = torch.stack([scores.softmax(-1) for scores in output.scores], dim=1).gather(2, tokens[..., None])[
        ..., 0
    ]
    return reader.tokenizer.batch_decode(tokens, skip_special_tokens=True), probabilities


def test_reading_equals_transformers_greedy_generation(reader, lines):
    # Widths and lengths differ, so padding and rows that end early occur.
    requests = sorted(lines[0], key=lambda request: request.images[0].width)[::12]
    texts, probabilities = generate(reader, requests, 40)
    readings = reader.read(requests, max_new_tokens=40)
    assert [reading.text for reading in readings] == texts
    for reading, expected in zip(readings, probabilities, strict=True):
        assert reading.probabilities == pytest.approx(expected[: len(reading.tokens)].tolist(), abs=2e-4)


def test_reading_pages_equals_transformers_generation_for_images_of_several_sizes(page_reader):
    gradient = Image.linear_gradient("L")
    requests = [ReadRequest((gradient.resize(size),), "Read it.") for size in ((300, 200), (150, 400), (90, 90))]
    requests.append(ReadRequest((gradient, gradient.resize((400, 100))), "Read both."))
    texts, probabilities = generate(page_reader, requests, 12)
    readings = page_reader.read(requests, max_new_tokens=12)
    assert [reading.text for reading in readings] == texts
    for reading, expected in zip(readings, probabilities, strict=True):
        assert reading.probabilities == pytest.approx(expected[: len(reading.tokens)].tolist(), abs=2e-4)


def test_texts_come_in_the_order_of_requests_for_any_batch_size(reader, lines):
    requests = lines[0][:30]
    together = reader.read(requests)
    by_threes = reader.read(requests, batch_size=3)
    assert [reading.text for reading in by_threes] == [reading.text for reading in together]
    confidences = [reading.confidence for reading in together]
    assert [reading.confidence for reading in by_threes] == pytest.approx(confidences, abs=1e-4)


def test_a_table_is_read_by_its_printed_lines(batch, reader):
    read_cells, printed_cells = 0, 0
    for document in batch.rendered[:20]:
        for table in document.of_type(MarkType.TABLE):
            part = table.fragments[0]
            (decoded,) = reader.read([ReadRequest((crop(document.pages[part.page].open(), part.box),), TABLE_PROMPT)])
            cells = Counter(text for row in from_otsl(decoded.text) for text in row if text)
            printed = Counter(
                with_plain_spaces(cell.text)
                for mark in document.of_type(MarkType.CELL)
                for cell in mark.fragments
                if cell.page == part.page and cell.text
            )
            read_cells += (cells & printed).total()
            printed_cells += printed.total()
    assert printed_cells > 300
    assert read_cells > 0.7 * printed_cells


def test_a_block_is_read_line_by_line(batch, reader):
    document = batch.rendered[0]
    part = next(mark for mark in document.of_type(MarkType.REGION) if mark.name == "seller").fragments[0]
    image = crop(document.pages[part.page].open(), part.box)
    (block,) = reader.read([ReadRequest((image,), PROMPT, is_block=True)])
    lines = reader.read([ReadRequest((strip,), PROMPT) for strip in find_lines(image).images()])
    assert block.text.split("\n") == [line.text for line in lines]
    assert len(lines) > 1
    assert block.confidence == pytest.approx(geometric_mean([value for line in lines for value in line.probabilities]))
    assert reader.read([ReadRequest((Image.new("L", (200, 100), 255),), TABLE_PROMPT)])[0].text == ""


def test_the_shipped_base_reads_most_short_amounts(reader, lines):
    short = [(request, text) for request, text in zip(*lines, strict=True) if text.isascii() and 0 < len(text) <= 4]
    readings = reader.read([request for request, _ in short])
    correct = sum(reading.text == text for reading, (_, text) in zip(readings, short, strict=True))
    assert len(short) >= 8
    assert correct >= 0.7 * len(short)


def test_a_text_that_reaches_the_token_limit_is_marked_as_truncated(reader, lines):
    longest = max(zip(*lines, strict=True), key=lambda pair: len(pair[1]))[0]
    truncated, whole = (reader.read([longest], max_new_tokens=count)[0] for count in (3, 96))
    assert truncated.truncated
    assert len(truncated.tokens) == 3
    assert not whole.truncated
    assert whole.tokens[:3] == truncated.tokens
    assert whole.tokens[-1] == reader.tokenizer.eos_token_id


def test_token_ends_locate_each_token_in_the_text(reader, lines):
    reading = max(reader.read(lines[0][:20]), key=lambda reading: len(reading.text))
    ends = reader.token_ends(reading)
    assert len(ends) == len(reading.tokens)
    pieces = [reading.text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert "".join(pieces) == reading.text
    assert pieces[:-1] == [reader.tokenizer.decode([token]) for token in reading.tokens[:-1]]


def test_no_requests_give_no_texts(reader):
    assert reader.read([]) == []


def test_confidence_is_a_geometric_mean():
    assert geometric_mean([0.5, 0.5, 0.5]) == pytest.approx(0.5)
    assert geometric_mean([0.9, 0.1]) == pytest.approx(0.3)
    assert geometric_mean([1.0, 0.0]) == 0.0
    assert geometric_mean([]) == 0.0


def test_an_adapter_changes_what_is_read(reader, batch, tmp_path, lines):
    settings = AdapterConfig(rank=2, alpha=4, max_steps=1, batch_size=4, validation_samples=0, threads=1)
    train_adapter(settings, source_of(batch, tmp_path / "splits"), tmp_path / "adapter", tmp_path / "work")
    adapted = Reader(adapter=tmp_path / "adapter", threads=1)
    assert adapted.identity != reader.identity
    weights = load_file(tmp_path / "adapter" / ADAPTER_WEIGHTS)
    # An adapter whose update is zero reads like the base; one with a large update does not.
    for factor, same in ((0.0, True), (400.0, False)):
        scaled = {name: tensor * factor if "lora_B" in name else tensor for name, tensor in weights.items()}
        save_file(scaled, tmp_path / "adapter" / ADAPTER_WEIGHTS, metadata={"format": "pt"})
        actual = Reader(adapter=tmp_path / "adapter", threads=1).read(lines[0][:12])
        expected = reader.read(lines[0][:12])
        assert ([reading.text for reading in actual] == [reading.text for reading in expected]) is same


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_reads_what_the_cpu_reads(reader, lines):
    requests = lines[0][:40]
    expected = Reader(device="cpu", threads=1).read(requests)
    actual = Reader(device="cuda").read(requests)
    assert sum(on_gpu.text == on_cpu.text for on_gpu, on_cpu in zip(actual, expected, strict=True)) >= 38


def test_a_missing_gpu_is_an_error_and_not_a_silent_fallback():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ValueError, match="torch finds no GPU"):
        Reader(device="cuda")
