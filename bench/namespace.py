# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace for a measurement, where nobody else says anything."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.netns import own_network_namespace

__all__ = ("quiet_network_namespace",)

# No frames but ours, and no netfilter on the bridge: it would drop packets without checksums.
SETTINGS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
    "bridge/bridge-nf-call-iptables": "0",
    "bridge/bridge-nf-call-ip6tables": "0",
}


@contextlib.contextmanager
def quiet_network_namespace() -> t.Iterator[None]:
    """For the ``with`` block; it goes with everything in it."""
    with own_network_namespace():
        for setting, value in SETTINGS.items():
            path = Path("/proc/sys/net") / setting
            if path.exists():
                path.write_text(value, encoding="ascii")
        yield
