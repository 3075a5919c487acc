"""Shapes in SVG that symbols of logos are composed of, and the pen that draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from xml.sax.saxutils import escape, quoteattr

UNIT = 100.0  # side of the square in which a symbol is drawn


@dataclass(frozen=True)
class Pen:
    """What symbols are drawn with."""

    random: Random
    tones: tuple[str, ...]  # main colour, second colour, light and dark tones of the main colour
    initials: str
    font: str

    def tone(self, number: int) -> str:
        """Return a tone by number; numbers beyond the last begin again."""
        return self.tones[number % len(self.tones)]

    def flip(self, chance: float = 0.5) -> bool:
        """Return True with a probability."""
        return self.random.random() < chance

    def letters(self, x: float, y: float, size: float, colour: str, *, bold: bool = True) -> str:
        """Return the initials, centred at a point."""
        text = self.initials if len(self.initials) * size < 1.9 * UNIT else self.initials[0]
        weight = ' font-weight="bold"' if bold else ""
        return (
            f'<text x="{x:.2f}" y="{y + 0.36 * size:.2f}" text-anchor="middle" font-family={quoteattr(self.font)}'
            f'{weight} font-size="{size:.2f}" fill="{colour}">{escape(text)}</text>'
        )


def point_list(points: list[tuple[float, float]]) -> str:
    """Return points as SVG's attribute `points` has them."""
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def polygon(points: list[tuple[float, float]], paint: str) -> str:
    """Return a closed polygon through points."""
    return f'<polygon points="{point_list(points)}" {paint}/>'


def fill(colour: str) -> str:
    """Return the attribute that fills a shape."""
    return f'fill="{colour}"'


def stroke(colour: str, width: float, cap: str = "butt") -> str:
    """Return the attributes that outline a shape."""
    return f'fill="none" stroke="{colour}" stroke-width="{width:.2f}" stroke-linecap="{cap}" stroke-linejoin="round"'


def circle(x: float, y: float, radius: float, paint: str) -> str:
    """Return a circle around a point."""
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" {paint}/>'


def rectangle(x: float, y: float, width: float, height: float, paint: str, round_: float = 0.0) -> str:
    """Return a rectangle from its left and top, with rounded corners if they have a radius."""
    corner = f' rx="{round_:.2f}"' if round_ else ""
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"{corner} {paint}/>'


def turned(content: str, degrees: float, x: float = 50, y: float = 50) -> str:
    """Return SVG rotated around a point; degrees are clockwise."""
    return f'<g transform="rotate({degrees:.2f} {x:.2f} {y:.2f})">{content}</g>'


def corners(count: int, radius: float, start: float = -90.0) -> list[tuple[float, float]]:
    """Return the corners of a regular polygon around the middle."""
    angles = [math.radians(start + 360 * number / count) for number in range(count)]
    return [(50 + radius * math.cos(angle), 50 + radius * math.sin(angle)) for angle in angles]


def arc(radius: float, start: float, sweep: float, x: float = 50, y: float = 50) -> str:
    """Return the path data of a circle's arc; angles in degrees, clockwise from the right."""
    first, last = math.radians(start), math.radians(start + sweep)
    large = int(abs(sweep) > 180)
    return (
        f"M{x + radius * math.cos(first):.2f} {y + radius * math.sin(first):.2f}"
        f"A{radius:.2f} {radius:.2f} 0 {large} {int(sweep > 0)}"
        f" {x + radius * math.cos(last):.2f} {y + radius * math.sin(last):.2f}"
    )


def path(data: str, paint: str) -> str:
    """Return a path from its data, the value of SVG's attribute `d`."""
    return f'<path d="{data}" {paint}/>'


def plate(pen: Pen, paint: str, inset: float = 0.0) -> str:
    """Return a shape that holds letters or another symbol."""
    shape = pen.random.choice(("disc", "square", "round", "hexagon", "octagon", "shield", "diamond", "leaf", "drop"))
    radius, side = 50 - inset, 100 - 2 * inset
    if shape == "disc":
        return circle(50, 50, radius, paint)
    if shape in ("square", "round"):
        return rectangle(inset, inset, side, side, paint, 0 if shape == "square" else side * 0.22)
    if shape in ("hexagon", "octagon", "diamond"):
        count = {"hexagon": 6, "octagon": 8, "diamond": 4}[shape]
        start = pen.random.choice((-90.0, -90.0 + 180 / count)) if count != 4 else -90.0
        return polygon(corners(count, radius, start), paint)
    low, high = inset, 100 - inset
    if shape == "shield":
        return path(f"M{low} {low}H{high}V55Q{high} 85 50 {high}Q{low} 85 {low} 55Z", paint)
    if shape == "leaf":
        return path(f"M{low} {low}H60Q{high} {low} {high} 40V{high}H40Q{low} {high} {low} 60Z", paint)
    return path(
        f"M50 {low}C60 25 {high} 40 {high} 64A{radius} {100 - 64 - inset} 0 0 1 {low} 64C{low} 40 40 25 50 {low}Z",
        paint,
    )
