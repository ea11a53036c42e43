# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that the pure part has of its own, since it imports no generated file, are those of bpf/abi.h."""

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_abi
from ansible_collections.virtnet.rss.plugins.module_utils._names.selection import NAME_MAX
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import HASH_KEY_SIZE, INDIRECTION_MAX
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import HASH_INPUT_MAX
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import NAME_SIZE


def test_sizes() -> None:
    assert steering_abi.HASH_KEY_SIZE == HASH_KEY_SIZE
    assert steering_abi.HASH_INPUT_MAX == HASH_INPUT_MAX
    assert steering_abi.INDIRECTION_MAX == INDIRECTION_MAX
    assert steering_abi.DEVICE_NAME_SIZE == NAME_SIZE == NAME_MAX + 1
