"""Symbols of logos: families of geometric shapes in SVG, with parts, proportions, rotations and tones at random."""

from __future__ import annotations

import math
from collections.abc import Callable

from finscribe_assets.rendering.logo_shapes import (
    Pen,
    arc,
    circle,
    corners,
    fill,
    path,
    plate,
    point_list,
    polygon,
    rectangle,
    stroke,
    turned,
)

Symbol = Callable[[Pen], str]


def _monogram(pen: Pen) -> str:
    filled, size = pen.flip(0.6), pen.random.uniform(44, 58)
    bold = pen.flip(0.75)
    if filled:
        base = plate(pen, fill(pen.tone(0)))
        band = rectangle(18, 82, 64, 5, fill(pen.tone(1))) if pen.flip(0.25) else ""
        return base + band + pen.letters(50, 50, size, "#fff", bold=bold)
    width = pen.random.uniform(3, 9)
    return plate(pen, stroke(pen.tone(1), width), width) + pen.letters(50, 50, size * 0.9, pen.tone(0), bold=bold)


def _initial_over_swoosh(pen: Pen) -> str:
    low, bend = pen.random.uniform(66, 78), pen.random.uniform(10, 30)
    swoosh = f"M2 {low:.2f}Q50 {low + bend:.2f} 98 {low - bend:.2f}Q55 {low + bend * 1.7:.2f} 2 {low:.2f}Z"
    return pen.letters(50, 42, 78, pen.tone(0), bold=pen.flip(0.7)) + path(swoosh, fill(pen.tone(1)))


def _bars(pen: Pen) -> str:
    count = pen.random.randint(3, 6)
    pattern = pen.random.choice(("rising", "falling", "wave", "valley", "free"))
    share = [(number + 1) / count for number in range(count)]
    heights = {
        "rising": share,
        "falling": share[::-1],
        "wave": [0.45 + 0.5 * math.sin(math.pi * (number + 0.5) / count) for number in range(count)],
        "valley": [0.4 + 0.6 * abs(2 * (number + 0.5) / count - 1) for number in range(count)],
        "free": [pen.random.uniform(0.3, 1) for _ in range(count)],
    }[pattern]
    step = 100 / count
    thick = step * pen.random.uniform(0.5, 0.85)
    round_ = thick / 2 if pen.flip(0.4) else 0
    middle = pen.flip(0.3)
    odd = pen.random.randrange(count)
    drawn = "".join(
        rectangle(
            number * step + (step - thick) / 2,
            (50 - 50 * height) if middle else 100 - 100 * height,
            thick,
            100 * height,
            fill(pen.tone(1 if number == odd else 0)),
            round_,
        )
        for number, height in enumerate(heights)
    )
    return turned(drawn, pen.random.choice((0, 0, 90, -90)))


def _arcs(pen: Pen) -> str:
    count, start = pen.random.randint(2, 4), pen.random.choice((-90, 0, 90, 180, -45, -135))
    sweep = pen.random.choice((90, 180, 240, 270, 300))
    step = 46 / count
    width = step * pen.random.uniform(0.45, 0.8)
    turn = pen.random.choice((0, 0, 40, 90))
    cap = pen.random.choice(("butt", "round"))
    drawn = "".join(
        path(
            arc(step * (number + 1) - width / 2, start + turn * number, sweep),
            stroke(pen.tone(number % 2), width, cap),
        )
        for number in range(count)
    )
    return drawn + (circle(50, 50, step * 0.3, fill(pen.tone(1))) if pen.flip(0.4) else "")


def _petals(pen: Pen) -> str:
    count = pen.random.choice((3, 4, 5, 6, 8))
    near, wide = pen.random.uniform(4, 16), pen.random.uniform(8, 20) * (1.3 if count < 5 else 0.8)
    kind = pen.random.choice(("leaf", "ellipse", "drop", "kite"))
    tip = 50 - 49
    petal = {
        "leaf": f"M50 {50 - near:.2f}Q{50 - wide * 1.5:.2f} {(50 - near + tip) / 2:.2f} 50 {tip}"
        f"Q{50 + wide * 1.5:.2f} {(50 - near + tip) / 2:.2f} 50 {50 - near:.2f}Z",
        "ellipse": f"M50 {tip}A{wide:.2f} {(49 - near) / 2:.2f} 0 0 1 50 {50 - near:.2f}"
        f"A{wide:.2f} {(49 - near) / 2:.2f} 0 0 1 50 {tip}Z",
        "drop": f"M50 {50 - near:.2f}C{50 - wide * 2:.2f} 20 {50 - wide:.2f} {tip} 50 {tip}"
        f"C{50 + wide:.2f} {tip} {50 + wide * 2:.2f} 20 50 {50 - near:.2f}Z",
        "kite": f"M50 {50 - near:.2f}L{50 - wide:.2f} 22L50 {tip}L{50 + wide:.2f} 22Z",
    }[kind]
    two = pen.flip(0.6)
    drawn = "".join(
        turned(path(petal, fill(pen.tone(number % 2 if two else 0))), 360 * number / count + 0.0)
        for number in range(count)
    )
    return drawn + (circle(50, 50, near * 0.7, fill(pen.tone(1))) if near > 7 and pen.flip() else "")


def _waves(pen: Pen) -> str:
    count, width = pen.random.randint(2, 4), pen.random.uniform(7, 13)
    height, cycles = pen.random.uniform(6, 16), pen.random.choice((1, 1.5, 2))
    drawn = ""
    for number in range(count):
        y = 50 + (number - (count - 1) / 2) * width * 1.9
        reach = 50 - 14 * abs(number - (count - 1) / 2) if pen.flip(0.3) else 46
        step = 2 * reach / (2 * cycles)
        data = f"M{50 - reach:.2f} {y:.2f}"
        for half in range(int(2 * cycles)):
            x = 50 - reach + half * step
            side = -height if half % 2 else height
            data += f"Q{x + step / 2:.2f} {y + side:.2f} {x + step:.2f} {y:.2f}"
        drawn += path(data, stroke(pen.tone(number % 2), width, "round"))
    return drawn


def _rings(pen: Pen) -> str:
    count = pen.random.randint(2, 4)
    radius, width = {2: 30.0, 3: 25.0, 4: 24.0}[count], pen.random.uniform(6, 12)
    radius -= width / 2
    centres = {
        2: [(33.0, 50.0), (67.0, 50.0)],
        3: corners(3, 26, pen.random.choice((-90.0, 90.0))),
        4: corners(4, 26, pen.random.choice((-90.0, -45.0))),
    }[count]
    filled = pen.flip(0.3)
    return "".join(
        circle(x, y, radius, fill(pen.tone(number)) if filled and number % 2 else stroke(pen.tone(number), width))
        for number, (x, y) in enumerate(centres)
    )


def _grid(pen: Pen) -> str:
    """Return a symmetrical pattern of dots, squares or diamonds."""
    side = pen.random.choice((3, 4, 5))
    step, shape = 100 / side, pen.random.choice(("dot", "square", "diamond"))
    grows = pen.flip(0.4)
    drawn = ""
    for row in range(side):
        half = [pen.flip(0.6) for _ in range((side + 1) // 2)]
        half[0] = half[0] or (row in (0, side - 1) and side < 5)
        for column, shown in enumerate(half + half[: side // 2][::-1]):
            if not shown:
                continue
            x, y = (column + 0.5) * step, (row + 0.5) * step
            size = step * (0.2 + 0.26 * (row + 1) / side if grows else 0.42)
            paint = fill(pen.tone(1 if (row + column) % 3 == 0 else 0))
            if shape == "dot":
                drawn += circle(x, y, size, paint)
            else:
                square = rectangle(x - size, y - size, 2 * size, 2 * size, paint)
                drawn += square if shape == "square" else turned(square, 45, x, y)
    return drawn or circle(50, 50, 40, fill(pen.tone(0)))


def _peaks(pen: Pen) -> str:
    count = pen.random.randint(2, 3)
    drawn = ""
    for number in range(count):
        x, wide = 22 + 56 * number / (count - 1), pen.random.uniform(26, 40)
        top = pen.random.uniform(8, 45)
        drawn += polygon([(x - wide, 88), (x, top), (x + wide, 88)], fill(pen.tone(number)))
    sun = circle(pen.random.choice((16, 84)), 16, 10, fill(pen.tone(1))) if pen.flip(0.4) else ""
    return sun + drawn


def _roof(pen: Pen) -> str:
    width, slope = pen.random.uniform(6, 12), pen.random.uniform(0.6, 1.0)
    drawn = ""
    for number in range(pen.random.randint(1, 3)):
        top = 18 + number * width * 2.1
        drawn += path(
            f"M6 {top + 44 * slope:.2f}L50 {top:.2f}L94 {top + 44 * slope:.2f}",
            stroke(pen.tone(number), width),
        )
    base = rectangle(26, 78, 48, 16, fill(pen.tone(1))) if pen.flip() else ""
    return drawn + base


def _sun(pen: Pen) -> str:
    count, core = pen.random.choice((8, 10, 12, 16)), pen.random.uniform(12, 24)
    wide = pen.random.uniform(2.5, 5)
    long, short = 49.0, pen.random.uniform(32, 49)
    half = pen.flip(0.3)
    rays = "".join(
        turned(
            rectangle(50 - wide / 2, 50 - reach, wide, reach - core - 5, fill(pen.tone(number % 2)), wide / 2),
            (180 / count) * (2 * number if not half else number) - (90 if half else 0),
        )
        for number, reach in enumerate((long if number % 2 == 0 else short) for number in range(count + int(half)))
    )
    return rays + circle(50, 50, core, fill(pen.tone(0)))


def _chevrons(pen: Pen) -> str:
    count, width = pen.random.randint(2, 3), pen.random.uniform(9, 15)
    step = 100 / (count + 1)
    drawn = "".join(
        path(
            f"M{step * number + 4:.2f} 14L{step * number + step + 8:.2f} 50L{step * number + 4:.2f} 86",
            stroke(pen.tone(number), width, pen.random.choice(("butt", "round"))),
        )
        for number in range(count)
    )
    return turned(drawn, pen.random.choice((0, -90, 180, -45)))


def _cube(pen: Pen) -> str:
    """Return a hexagon of three rhombs, whole or with gaps, or a stack of sheets."""
    corner, gap = corners(6, 49), pen.random.choice((0.0, 0.0, 3.0))
    drawn = ""
    for number in range(3):
        face = [(50.0, 50.0), *(corner[(2 * number + 1 + offset) % 6] for offset in range(3))]
        middle = [sum(axis) / 4 for axis in zip(*face, strict=True)]
        shift = [(coordinate - 50) / 28 * gap for coordinate in middle]
        drawn += polygon([(x + shift[0], y + shift[1]) for x, y in face], fill(pen.tone(number)))
    inner = polygon(corners(6, pen.random.uniform(14, 24)), 'fill="#fff"') if pen.flip(0.35) else ""
    return turned(drawn + inner, pen.random.choice((0, 0, 180, 30)))


def _pinwheel(pen: Pen) -> str:
    count, turn = pen.random.choice((3, 4, 5, 6, 8)), pen.random.uniform(15, 70)
    curved = pen.flip()
    outer = [math.radians(-90 + turn), math.radians(-90)]
    (x1, y1), (x2, y2) = ((50 + 48 * math.cos(angle), 50 + 48 * math.sin(angle)) for angle in outer)
    blade = (
        f"M50 50L{x2:.2f} {y2:.2f}"
        + (f"Q{x1 + 8:.2f} {y2 - 2:.2f} {x1:.2f} {y1:.2f}" if curved else f"L{x1:.2f} {y1:.2f}")
        + "Z"
    )
    return "".join(turned(path(blade, fill(pen.tone(number % 2))), 360 * number / count) for number in range(count))


def _quarters(pen: Pen) -> str:
    """Return two by two, or three by three, quarter discs and squares."""
    side = pen.random.choice((2, 2, 3))
    step = 100 / side
    drawn = ""
    for row in range(side):
        for column in range(side):
            x, y, paint = column * step, row * step, fill(pen.tone(pen.random.randrange(3)))
            form = pen.random.choice(("quarter", "quarter", "quarter", "square", "disc", "none"))
            if form == "square":
                drawn += rectangle(x, y, step, step, paint)
            elif form == "disc":
                drawn += circle(x + step / 2, y + step / 2, step / 2, paint)
            elif form == "quarter":
                quarter = path(
                    f"M{x:.2f} {y:.2f}H{x + step:.2f}A{step:.2f} {step:.2f} 0 0 1 {x:.2f} {y + step:.2f}Z",
                    paint,
                )
                drawn += turned(quarter, 90 * pen.random.randrange(4), x + step / 2, y + step / 2)
    return drawn or plate(pen, fill(pen.tone(0)))


def _curve(pen: Pen) -> str:
    """Return a closed curve: of Lissajous, or a rose."""
    first, second = pen.random.choice(((1, 2), (2, 3), (3, 2), (3, 4), (1, 3), (3, 5)))
    is_rose, phase = pen.flip(), pen.random.choice((0.0, math.pi / 4, math.pi / 2))
    points = []
    for step in range(161):
        t = 2 * math.pi * step / 160
        if is_rose:
            reach = 26 + 19 * math.cos((first + second) * t)
            points.append((50 + reach * math.cos(t - math.pi / 2), 50 + reach * math.sin(t - math.pi / 2)))
        else:
            points.append((50 + 44 * math.sin(first * t + phase), 50 + 44 * math.sin(second * t)))
    if is_rose and pen.flip():
        return polygon(points, fill(pen.tone(0))) + circle(50, 50, pen.random.uniform(6, 16), fill(pen.tone(1)))
    return f'<polyline points="{point_list(points)}" {stroke(pen.tone(0), pen.random.uniform(3.5, 8))}/>'


def _crescent(pen: Pen) -> str:
    radius, shift = pen.random.uniform(30, 40), pen.random.uniform(12, 24)
    moon = circle(50, 50, 48, fill(pen.tone(0))) + circle(50 + shift, 50 - shift * 0.6, radius, 'fill="#fff"')
    star = pen.random.choice((0, 1, 2))
    if star == 1:
        moon += circle(50 + shift, 50 - shift * 0.6, radius * 0.45, fill(pen.tone(1)))
    elif star:
        spikes = corners(10, 1, -90)
        reach = [radius * (0.5 if number % 2 == 0 else 0.2) for number in range(10)]
        centre = (50 + shift, 50 - shift * 0.6)
        moon += polygon(
            [
                (centre[0] + (x - 50) * far, centre[1] + (y - 50) * far)
                for (x, y), far in zip(spikes, reach, strict=True)
            ],
            fill(pen.tone(1)),
        )
    return turned(moon, pen.random.choice((0, 90, 180, -60, 35)))


def _gear(pen: Pen) -> str:
    teeth, hole = pen.random.choice((6, 8, 10, 12)), pen.random.uniform(12, 24)
    points = []
    for number in range(teeth * 4):
        angle = 2 * math.pi * (number + 0.5) / (teeth * 4)
        reach = 48 if number % 4 < 2 else 37
        points.append((50 + reach * math.cos(angle), 50 + reach * math.sin(angle)))
    inside = pen.letters(50, 50, 34, "#fff") if pen.flip(0.4) else circle(50, 50, hole, 'fill="#fff"')
    return polygon(points, fill(pen.tone(0))) + inside


def _stripes(pen: Pen) -> str:
    """Return a disc, a square or a triangle cut into stripes."""
    count = pen.random.randint(4, 7)
    step, shape = 100 / count, pen.random.choice(("disc", "square", "triangle"))
    drawn = ""
    for number in range(count):
        y, thick = step * number + step * 0.12, step * pen.random.uniform(0.6, 0.76)
        middle = abs(y + thick / 2 - 50) / 50
        reach = {
            "disc": 50 * math.sqrt(max(0.02, 1 - middle**2)),
            "square": 50,
            "triangle": 8 + 42 * (y + thick) / 100,
        }[shape]
        drawn += rectangle(
            50 - reach, y, 2 * reach, thick, fill(pen.tone(number % 2 if pen.flip(0.3) else 0)), thick / 2
        )
    return turned(drawn, pen.random.choice((0, 0, 90, -30, 45)) if shape != "triangle" else 0)


def _knot(pen: Pen) -> str:
    """Return a few long pills that cross in the middle."""
    count, width = pen.random.randint(2, 4), pen.random.uniform(16, 26)
    filled = pen.flip(0.4)
    return "".join(
        turned(
            rectangle(
                50 - width / 2,
                3,
                width,
                94,
                fill(pen.tone(number)) if filled else stroke(pen.tone(number), 5),
                width / 2,
            ),
            180 * number / count + (45 if count == 2 else 0),
        )
        for number in range(count)
    )


SYMBOLS: dict[Symbol, float] = {
    _monogram: 4,
    _initial_over_swoosh: 1,
    _bars: 1.2,
    _arcs: 1.2,
    _petals: 1.5,
    _waves: 1,
    _rings: 1,
    _grid: 1.2,
    _peaks: 0.8,
    _roof: 0.8,
    _sun: 1,
    _chevrons: 1,
    _cube: 1,
    _pinwheel: 1,
    _quarters: 1.4,
    _curve: 1.2,
    _crescent: 0.8,
    _gear: 0.6,
    _stripes: 1.2,
    _knot: 1,
}
