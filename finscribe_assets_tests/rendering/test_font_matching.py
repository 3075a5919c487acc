"""Faces are those that fontconfig's own command finds, and their characters those that the font's table lists."""

from __future__ import annotations

import subprocess

import pytest
from fontTools.ttLib import TTFont

from finscribe_assets.rendering.font_faces import _characters
from finscribe_assets.rendering.font_matching import match_font


@pytest.mark.parametrize(
    "pattern", ["Lato", "Lato:bold", "Noto Serif CJK JP:bold", "Noto Sans:light:italic", "No Such"]
)
def test_fc_match_finds_the_same_face(pattern: str) -> None:
    command = ["fc-match", "-f", "%{file}\n%{index}", pattern]
    path, index = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    assert match_font(pattern) == (path, int(index) & 0xFFFF)


@pytest.mark.parametrize("family", ["Lato", "Caladea", "Amiri"])
def test_the_characters_of_a_family_are_those_of_its_file(family: str) -> None:
    with TTFont(match_font(family).path, fontNumber=match_font(family).face) as font:
        assert _characters(family) == set(font.getBestCmap())
