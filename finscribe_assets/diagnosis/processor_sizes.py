"""To how many pixels a checkpoint's processor scales images, in the layouts of transformers 4 and 5 and of the hub."""

from __future__ import annotations

from pathlib import Path

from finscribe_assets.diagnosis.json_files import read_object

IMAGE_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
MIN_PAGE_PIXELS = 777_000  # at fewer, digits of 8 points on an A4 page are less than 7 pixels high


def image_sizes(folder: Path) -> tuple[str, int, int] | None:
    """Return the file that limits the pixels of images, and the least and the greatest number; None if none does."""
    for name in IMAGE_PROCESSORS:
        settings = read_object(folder / name) or {}
        settings = settings.get("image_processor", settings)
        size = settings.get("size") or {}
        least = settings.get("min_pixels", size.get("shortest_edge", size.get("min_pixels")))
        most = settings.get("max_pixels", size.get("longest_edge", size.get("max_pixels")))
        if isinstance(least, int) and isinstance(most, int):
            return name, least, most
    return None
