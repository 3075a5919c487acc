"""Write the samples of a whole training for Paddle's tools: one JSON line for each sample of each step, in order.

Order and augmentation are those of the peft back end, so that all back ends learn the same from the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, groupby, islice
from pathlib import Path
from typing import Any

from finscribe_assets.exporting import erniekit_format, messages_format
from finscribe_assets.exporting.file_names import file_name_for
from finscribe_assets.exporting.json_lines import json_line, read_json_lines
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector
from finscribe_assets.training.line_augmentation import Augmentation
from finscribe_assets.training.prepared_training import PreparedTraining
from finscribe_assets.training.sample_encoding import EncodedSample

SAMPLES_FILE = "data.jsonl"
_IMAGES_FOLDER = "images"


@dataclass(frozen=True)
class PaddleSampleFormat:
    """A format of `exporting`, and the check that finds samples which the tool would drop in silence."""

    make_record: Callable[[str, str, str, list[str]], dict[str, Any]]
    check_record: Callable[[RecordLocation, dict[str, Any], Path, SampleInspector], None]
    encoded: bool  # with our tokens and weights, which `paddleformers_plugin` reads


MESSAGES_SAMPLES = PaddleSampleFormat(
    messages_format.messages_record, messages_format.check_messages_record, encoded=True
)
ERNIEKIT_SAMPLES = PaddleSampleFormat(
    erniekit_format.erniekit_record, erniekit_format.check_erniekit_record, encoded=False
)


def write_epoch_samples(sample_format: PaddleSampleFormat, training: PreparedTraining, folder: Path) -> None:
    """Write the samples of all steps with their images, and check the file as the tool would read it.

    An augmented image is written for each time that it is trained, any other image once.

    Args:
        sample_format: of the tool.
        training: states samples, order and augmentation.
        folder: a new folder.

    Raises:
        ExportError: the tool would drop a sample.
    """
    (folder / _IMAGES_FOLDER).mkdir(parents=True)
    config = training.config
    total = training.order.steps * config.gradient_accumulation * config.batch_size
    image_token = training.data.encoder.processor.image_token_id
    with (folder / SAMPLES_FILE).open("wb") as stream:
        for number, (sample, augmentation) in enumerate(islice(_samples(training), total)):
            images = _write_images(sample, augmentation, folder, number)
            record = sample_format.make_record(
                f"{sample.id}@{number}", sample.sample.prompt, sample.sample.response, images
            )
            stream.write(json_line(record | (_encoded(sample, image_token) if sample_format.encoded else {})))
    inspector = SampleInspector()
    for location, record in read_json_lines(folder / SAMPLES_FILE):
        sample_format.check_record(location, record, folder, inspector)


def _samples(training: PreparedTraining) -> Iterator[tuple[EncodedSample, Augmentation | None]]:
    """Yield samples in the order of training without end, each with the augmentation of its step."""
    for step in count(1):
        augmentation = training.augmentation(step)
        for batch in training.order.batches_of_step(step):
            for sample in batch:
                yield sample, augmentation


def _write_images(sample: EncodedSample, augmentation: Augmentation | None, folder: Path, number: int) -> list[str]:
    names = []
    for index, image in enumerate(sample.sample.images):
        suffix = f"-{number}" if augmentation else ""
        names.append(f"{_IMAGES_FOLDER}/{file_name_for(sample.id)}-{index}{suffix}.png")
        if not (folder / names[-1]).exists():
            pixels = image.open()
            (augmentation(pixels, sample.id) if augmentation else pixels).save(folder / names[-1])
    return names


def _encoded(sample: EncodedSample, image_token: int) -> dict[str, Any]:
    """Return tokens and weights. Each image has one image token, which the plugin repeats for the image's size."""
    prompt = [
        token
        for token, run in groupby(sample.tokens[: sample.response_start])
        for token in ([token] if token == image_token else run)
    ]
    return {
        "prompt_tokens": prompt,
        "answer_tokens": list(sample.response_tokens),
        "weights": list(sample.weights),
        "length": len(sample.tokens),
    }
