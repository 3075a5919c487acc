"""Whether a host is this machine itself: what servers and clients check before they do without a password.

What belongs here: judging addresses and names of hosts. What follows from it belongs to each server.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str | None) -> bool:
    """Return whether a host is ``localhost`` or a loopback address; other names may resolve to any address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def asks_for_loopback(host_header: str) -> bool:
    """Return whether a request's ``Host`` header, with or without a port, names a loopback host.

    A page of another web site whose name resolves to 127.0.0.1 (DNS rebinding) sends that site's name.
    """
    try:
        return is_loopback(urlsplit(f"//{host_header}").hostname)
    except ValueError:  # such as an unclosed bracket
        return False
