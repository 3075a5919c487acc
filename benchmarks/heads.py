"""How well a page's layout family can be told from its head, which should not be much better than from its type.

Undamaged first pages of each family are rendered. The grey top third of each, scaled down to a fixed size, is compared
with those of all other pages: the family of the nearest page of another vendor is the guess. The share of right guesses
says how much a family's heads look alike, with a 95 % interval over pages (bootstrap). A family is a table and a
structure; its head is a habit of the vendor.

    python benchmarks/heads.py
    python benchmarks/heads.py --pages 20 --by-family
"""

from __future__ import annotations

import argparse
import json
from collections import Counter

import cv2
import numpy as np

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.rendering.page_sampling import without_damage
from finscribe_assets.rendering.render import render

DPI = 72
SIZE, BLUR, COMPARED = (128, 64), 3.0, (32, 16)  # pixels; of those tried, the finest family recogniser
BOOTSTRAP = 2000


def top_third(layout: str, index: int, seed: int) -> tuple[str, np.ndarray]:
    """Return the vendor and the top third of the first page of a document of a family."""
    recipe = Recipe(layouts={layout: 1.0}, document_types={LAYOUT_FACTS[layout].document_types[0]: 1.0})
    drawn = draw_document(seed_plan("batch-000", index + 1, seed, recipe), index)
    page = np.asarray(render(without_damage(drawn), DPI).pages[0].open().convert("L"))
    top = cv2.GaussianBlur(cv2.resize(page[: page.shape[0] // 3], SIZE, interpolation=cv2.INTER_AREA), (0, 0), BLUR)
    return drawn.vendor, cv2.resize(top, COMPARED, interpolation=cv2.INTER_AREA)


def nearest_families(vendors: np.ndarray, families: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return the family of the page that is nearest to each page, of those of other vendors."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    distances = ((flat[:, None] - flat[None]) ** 2).sum(2)
    distances[vendors[:, None] == vendors[None]] = np.inf
    return np.asarray(families[distances.argmin(1)])


def interval(right: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a share, by resampling pages."""
    random = np.random.default_rng(0)
    shares = random.choice(right, (BOOTSTRAP, len(right))).mean(1)
    low, high = np.percentile(shares, (2.5, 97.5))
    return round(float(low), 3), round(float(high), 3)


def main() -> None:
    """Print the share of right guesses as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pages", type=int, default=20, help="pages of each family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--by-family", action="store_true", help="also the share and the commonest guess by family")
    arguments = parser.parse_args()
    tops = [
        (layout, *top_third(layout, index, arguments.seed + 1000 * number))  # families share no document
        for number, layout in enumerate(LAYOUT_FACTS)
        for index in range(arguments.pages)
    ]
    families = np.array([layout for layout, _, _ in tops])
    vendors = np.array([vendor for _, vendor, _ in tops])
    guesses = nearest_families(vendors, families, np.stack([image for _, _, image in tops]))
    right = guesses == families
    result = {
        "families": len(LAYOUT_FACTS),
        "pages": len(tops),
        "right": round(float(right.mean()), 3),
        "interval": interval(right),
    }
    if arguments.by_family:
        result["by_family"] = {
            layout: {
                "right": round(float(right[families == layout].mean()), 2),
                "guesses": dict(Counter(guesses[families == layout].tolist()).most_common(3)),
            }
            for layout in LAYOUT_FACTS
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
