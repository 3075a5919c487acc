"""Damage to a page's pixels, so that it looks like what lies in a mail room. Boxes follow; what is lost is marked."""

from finscribe_assets.rendering.damage.chain import degrade
from finscribe_assets.rendering.damage.device import encode

__all__ = ["degrade", "encode"]
