"""The proxy that requests to a server go through, as the environment says."""

import os
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


class Proxy(NamedTuple):
    """A proxy: its address, the variable that names it, and the host that is reached through it."""

    address: str
    variable: str
    host: str


def proxy_for(uri: str) -> Proxy | None:
    """The proxy on the way to an address; None where there is none."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    if proxy_bypass(parts.hostname):
        return None
    proxies = getproxies()
    for scheme in (parts.scheme, "all"):
        if address := proxies.get(scheme):
            names = (name for name in os.environ if name.lower() == f"{scheme}_proxy")
            return Proxy(address, next(names, "the system's settings"), parts.hostname)
    return None
