"""Damage page images as printing, handling, scanning and photographing do.

`chain` applies all effects in order, moves the boxes along and marks text that can no longer be read. Effects are in
`ink`, `paper`, `writing`, `light` and `device`; changes of the page's shape are in `bends` and `geometry`.
"""

from finscribe_assets.rendering.damage.chain import degrade
from finscribe_assets.rendering.damage.device import encode

__all__ = ["degrade", "encode"]
