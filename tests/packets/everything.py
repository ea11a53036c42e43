# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the packet table: what the plain program knows (table), tunnels, transports, the prototype's cases."""

from __future__ import annotations

from ansible_collections.virtnet.rss.tests.packets.table import ROWS
from ansible_collections.virtnet.rss.tests.packets.transports import TRANSPORT_ROWS
from ansible_collections.virtnet.rss.tests.packets.tunnels import TUNNEL_ROWS
from ansible_collections.virtnet.rss.tests.packets.vectors import VECTOR_ROWS

__all__ = ("EVERY_ROW", "NEW_ROWS")

NEW_ROWS = [*TUNNEL_ROWS, *TRANSPORT_ROWS, *VECTOR_ROWS]
EVERY_ROW = [*ROWS, *NEW_ROWS]
