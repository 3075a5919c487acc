"""Find the font file for a family name, as both layout engines find it: by fontconfig.

The library is called in this process. A process needs about a hundred faces, and each call of `fc-match` reads the
configuration and the cache of all fonts again, which takes longer than any page.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from typing import Any, NamedTuple

_FOR_MATCHING = 0  # FcMatchPattern, a value of FcMatchKind


class FontFile(NamedTuple):
    """A face of a font file."""

    path: str
    face: int  # its index in the file, from 0


def match_font(pattern: str) -> FontFile:
    """Return the face that fontconfig finds for a pattern, such as ``Noto Sans:bold``; ``fc-match`` finds the same.

    Raises:
        OSError: fontconfig is not installed, or finds no font at all.
    """
    library = _fontconfig()
    wanted, result = library.FcNameParse(pattern.encode()), ctypes.c_int()
    library.FcConfigSubstitute(None, wanted, _FOR_MATCHING)
    library.FcDefaultSubstitute(wanted)
    found = library.FcFontMatch(None, wanted, ctypes.byref(result))
    library.FcPatternDestroy(wanted)
    if not found:
        raise OSError(
            f"fontconfig finds no font for {pattern!r}; python -m finscribe_assets.rendering.system_packages"
            " prints the Debian packages that are missing"
        )
    path, index = ctypes.c_char_p(), ctypes.c_int()
    library.FcPatternGetString(found, b"file", 0, ctypes.byref(path))
    library.FcPatternGetInteger(found, b"index", 0, ctypes.byref(index))
    # The upper half of the index selects an instance of a variable font, which Pillow selects otherwise.
    file = FontFile((path.value or b"").decode(), index.value & 0xFFFF)
    library.FcPatternDestroy(found)
    return file


@cache
def _fontconfig() -> Any:
    """Load the library and declare the functions that are called (fontconfig.h)."""
    name = ctypes.util.find_library("fontconfig")
    if name is None:
        raise OSError("fontconfig is not installed; run: sudo apt-get install fontconfig")
    library = ctypes.CDLL(name)
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    for function, returned, arguments in (
        ("FcNameParse", pointer, (text,)),
        ("FcConfigSubstitute", number, (pointer, pointer, number)),
        ("FcDefaultSubstitute", None, (pointer,)),
        ("FcFontMatch", pointer, (pointer, pointer, ctypes.POINTER(number))),
        ("FcPatternGetString", number, (pointer, text, number, ctypes.POINTER(text))),
        ("FcPatternGetInteger", number, (pointer, text, number, ctypes.POINTER(number))),
        ("FcPatternDestroy", None, (pointer,)),
    ):
        declared = getattr(library, function)
        declared.restype, declared.argtypes = returned, arguments
    return library
