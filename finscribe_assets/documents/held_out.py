"""What is held out to test how readers generalise: layout families, fonts, a locale and label wordings.

Documents are drawn from all of them. The splits keep the held-out layouts, fonts and locale of the first batch out of
training. A held-out wording does not keep a document out of training: more than a quarter of all documents have one, so
evaluation only reports on it.
"""

from __future__ import annotations

from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.wordings import wordings

HELD_OUT_LAYOUTS = tuple(name for name, facts in LAYOUT_FACTS.items() if facts.held_out)
HELD_OUT_FONTS = ("Gentium Plus", "Roboto Slab", "IPAexMincho", "AR PL UMing CN", "Amiri")
# A locale that the embedded base reads well. Locales that it lacks are what its first adapter is there to learn.
HELD_OUT_LOCALES = ("sv_SE",)
MIN_WORDINGS_TO_HOLD_OUT = 4  # a label with fewer wordings has none held out


def is_held_out_wording(locale: str, key: str, wording: str) -> bool:
    """Tell whether a wording of a label is held out: the last one, if the label has enough wordings in the locale.

    Args:
        locale: such as ``de_DE``.
        key: the label's key in `languages/*.yaml`.
        wording: the text as a page prints it. It may be in capitals, or followed by `` / `` and its English wording.
    """
    known = wordings(locale, key)
    printed = wording.split(" / ", maxsplit=1)[0].casefold()
    return len(known) >= MIN_WORDINGS_TO_HOLD_OUT and printed == known[-1].casefold()
