# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the sizes that virtio and the tun driver set.

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError

__all__ = ("HASH_KEY_SIZE", "INDIRECTION_MAX", "PORT_MAX", "QUEUE_MAX", "check_queue")

HASH_KEY_SIZE = 40
INDIRECTION_MAX = 512
QUEUE_MAX = 255  # drivers/net/tun.c: MAX_TAP_QUEUES is 256
PORT_MAX = 65535


def check_queue(option: str, queue: int) -> None:
    """InputError for a number that no queue can have."""
    if not 0 <= queue <= QUEUE_MAX:
        raise InputError(option, queue, f"queues are numbered from 0 to {QUEUE_MAX}")
