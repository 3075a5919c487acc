"""Words that no dictionary has: brands, project names and model numbers, coined from the syllables of a language.

A coined word that is the name of one of the world's largest companies or brands is drawn again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random
from zlib import crc32

import yaml

_DIRECTORY = files("finscribe_assets.documents") / "trades"
_OTHERS = re.compile(r"\W+")
NAMES_PER_RESERVED_NAME = 3  # one name in so many is reserved for documents that examine readers


@cache
def known_names() -> frozenset[str]:
    """Return the names of the largest companies and best-known brands that syllables could form, in lower case."""
    return frozenset((_DIRECTORY / "known_names.txt").read_text(encoding="utf-8").split())


@cache
def _syllables() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return first, middle and last syllables by language."""
    content = yaml.load((_DIRECTORY / "syllables.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {
        language: tuple(tuple(parts[name].split()) or ("",) for name in ("first", "middle", "last"))
        for language, parts in content.items()
    }


def is_reserved(name: str) -> bool:
    """Tell whether a name is reserved for documents that examine readers.

    A third of all names are, by a hash of their letters and digits, so that capitals and commas make no difference.
    """
    return crc32(_OTHERS.sub("", name.casefold()).encode()) % NAMES_PER_RESERVED_NAME == 0


def coin_word(random: Random, language: str, *, reserved: bool | None = None) -> str:
    """Coin a word of two or three syllables.

    Args:
        random: the stream to draw from.
        language: such as ``de``.
        reserved: whether the word is one that only examinations have; any word if None.
    """
    # In languages with their own syllables and Latin letters, half of the brands sound international.
    table = _syllables()
    own = language in table and (language in ("ja", "zh", "ar") or random.random() < 0.5)
    first, middle, last = table[language if own else "international"]
    while True:
        word = random.choice(first) + (random.choice(middle) if random.random() < 0.6 else "") + random.choice(last)
        if word.casefold() not in known_names() and reserved in (None, is_reserved(word)):
            return word


def draw_model(random: Random) -> str:
    """Draw a model number such as ``XR-240`` or ``K 3.42``."""
    letters = "".join(random.choices("ABCDEFGHKLMNPRSTVWX", k=random.randint(1, 3)))
    match random.randrange(6):
        case 0:
            return f"{letters}-{random.randint(2, 99) * 5}"
        case 1:
            return f"{letters}{random.randint(11, 9999)}"
        case 2:
            return f"{letters} {random.randint(1, 9)}.{random.randint(1, 99)}"
        case 3:
            return f"{random.randint(2, 99) * 10}{letters[0]}"
        case 4:
            return f"{letters}{random.randint(1, 99)}-{random.choice('ABCDEPSX')}{random.randint(1, 9)}"
        case _:
            return f"{random.randint(1, 999)}.{random.randint(10, 99)}.{random.randint(100, 999)}"
