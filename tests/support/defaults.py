# SPDX-License-Identifier: GPL-3.0-or-later
"""What tap_steering computes from when nothing but the key is said."""

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.words import rss_fields

__all__ = ("default_rss",)


def default_rss(key: bytes, queues: int = 4) -> RssConfig:
    """Of a device with so many queues."""
    return RssConfig(hash_key=key, indirection=indirection_table(equal=queues), **rss_fields({}))
