"""The font families that documents are set in, and which of them have the glyphs of a locale."""

from __future__ import annotations

from finscribe_assets.documents.locales import LOCALE_FACTS

# All are in Debian packages; rendering/system_packages.py lists them.
LATIN_FONTS = (
    "DejaVu Sans",
    "DejaVu Serif",
    "DejaVu Sans Mono",
    "Liberation Sans",
    "Liberation Serif",
    "Liberation Mono",
    "Open Sans",
    "Roboto",
    "Carlito",
    "Caladea",
    "Lato",
    "Cantarell",
    "B612",
    "EB Garamond",
    "Courier Prime",
    "Comic Neue",
    "Noto Sans",
    "Noto Serif",
    "Noto Sans Mono",
    "PT Sans",
    "PT Serif",
    "Inter",
    "Roboto Slab",
    "Linux Libertine O",
    "Gentium Plus",
    "Hack",
    "IBM 3270",
)
_OTHER_FONTS = {
    "ja": ("Noto Sans CJK JP", "Noto Serif CJK JP", "Noto Sans Mono CJK JP", "IPAexGothic", "IPAexMincho"),
    "zh": ("Noto Sans CJK SC", "Noto Serif CJK SC", "Noto Sans Mono CJK SC", "WenQuanYi Micro Hei", "AR PL UMing CN"),
    "ar": ("Noto Sans Arabic", "Noto Naskh Arabic", "Noto Kufi Arabic", "Amiri"),
}
MONOSPACED = (
    "DejaVu Sans Mono",
    "Liberation Mono",
    "Courier Prime",
    "Noto Sans Mono",
    "Hack",
    "IBM 3270",
    "Noto Sans Mono CJK JP",
    "Noto Sans Mono CJK SC",
)
FONTS = (*LATIN_FONTS, *(font for fonts in _OTHER_FONTS.values() for font in fonts))
_NO_POLISH = ("B612",)  # lacks ł


def fonts_for(locale: str) -> tuple[str, ...]:
    """Return the font families that have the glyphs of a locale."""
    language = LOCALE_FACTS[locale].language
    fonts = _OTHER_FONTS.get(language, LATIN_FONTS)
    return tuple(font for font in fonts if language != "pl" or font not in _NO_POLISH)
