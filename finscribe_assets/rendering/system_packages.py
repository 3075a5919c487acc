"""The system libraries and fonts that rendering needs, and the Debian packages that have them.

`python -m finscribe_assets.rendering.system_packages` prints the packages that are missing; `scripts/setup` installs
them. Nothing outside the standard library may be imported here: the engines cannot be imported without Pango.
"""

from __future__ import annotations

import ctypes.util
import shutil
import subprocess

from finscribe_assets.errors import UserError

LIBRARY_PACKAGES = {  # by library
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}
FONT_PACKAGES = {  # by font family
    "DejaVu Sans": "fonts-dejavu-core",
    "DejaVu Serif": "fonts-dejavu-core",
    "DejaVu Sans Mono": "fonts-dejavu-core",
    "Liberation Sans": "fonts-liberation2",
    "Liberation Serif": "fonts-liberation2",
    "Liberation Mono": "fonts-liberation2",
    "Open Sans": "fonts-open-sans",
    "Roboto": "fonts-roboto-unhinted",
    "Carlito": "fonts-crosextra-carlito",
    "Caladea": "fonts-crosextra-caladea",
    "Lato": "fonts-lato",
    "Cantarell": "fonts-cantarell",
    "B612": "fonts-b612",
    "EB Garamond": "fonts-ebgaramond",
    "Courier Prime": "fonts-courier-prime",
    "Comic Neue": "fonts-comic-neue",
    "Noto Serif": "fonts-noto-core",
    "Noto Sans Mono": "fonts-noto-mono",
    "PT Sans": "fonts-paratype",
    "PT Serif": "fonts-paratype",
    "Inter": "fonts-inter",
    "Roboto Slab": "fonts-roboto-slab",
    "Linux Libertine O": "fonts-linuxlibertine",
    "Gentium Plus": "fonts-sil-gentiumplus",
    "Hack": "fonts-hack",
    "IBM 3270": "fonts-3270",
    "IPAexGothic": "fonts-ipaexfont-gothic",
    "IPAexMincho": "fonts-ipaexfont-mincho",
    "WenQuanYi Micro Hei": "fonts-wqy-microhei",
    "AR PL UMing CN": "fonts-arphic-uming",
    "Amiri": "fonts-hosny-amiri",
    "Noto Sans Devanagari": "fonts-noto-core",
    "Noto Sans CJK JP": "fonts-noto-cjk",
    "Noto Serif CJK JP": "fonts-noto-cjk",
    "Noto Sans Mono CJK JP": "fonts-noto-cjk",
    "Noto Sans CJK SC": "fonts-noto-cjk",
    "Noto Serif CJK SC": "fonts-noto-cjk",
    "Noto Sans Mono CJK SC": "fonts-noto-cjk",
    "Noto Sans Arabic": "fonts-noto-core",
    "Noto Sans": "fonts-noto-core",
    "Noto Naskh Arabic": "fonts-noto-core",
    "Noto Kufi Arabic": "fonts-noto-core",
}


def missing_packages() -> list[str]:
    """Return the Debian packages that are missing on this machine, sorted."""
    missing = {package for library, package in LIBRARY_PACKAGES.items() if ctypes.util.find_library(library) is None}
    if shutil.which("fc-list") is None:
        return sorted(missing | {"fontconfig", *FONT_PACKAGES.values()})
    listed = subprocess.run(["fc-list", ":", "family"], check=True, capture_output=True, text=True).stdout  # noqa: S607
    families = {family.strip() for line in listed.splitlines() for family in line.split(",")}
    return sorted(missing | {package for family, package in FONT_PACKAGES.items() if family not in families})


def require_system() -> None:
    """Check that all libraries and fonts are installed: the engines would silently replace a missing font.

    Raises:
        UserError: something is missing; the message has the command that installs it.
    """
    missing = missing_packages()
    if missing:
        raise UserError(
            "rendering needs system packages that are not installed. Run:\n"
            f"    sudo apt-get install -y --no-install-recommends {' '.join(missing)}"
        )


if __name__ == "__main__":
    print(*missing_packages())  # noqa: T201
