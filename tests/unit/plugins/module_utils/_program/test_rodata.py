# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel would be given of a configuration, and what is read back of it."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_abi as abi
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_live_abi as live_abi
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, decode, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

KEY = bytes(range(40))
IDENTITY = Identity("tap0", DeviceId(4026531840, 7))
CONFIGURATIONS = {
    "plain": Configuration(RssConfig(KEY, 0x3F, (0, 1, 2, 3))),
    "all hash types": Configuration(RssConfig(KEY, 0x1FF, (3,), default_queue=2)),
    "largest table": Configuration(RssConfig(KEY, 0x3F, tuple(entry % 256 for entry in range(512)))),
    "no redirect, no statistics": Configuration(RssConfig(KEY, 0, (0,), redirect=False), statistics=False),
    "a device without Ethernet": Configuration(RssConfig(KEY, 0x3F, (0, 1)), l3_offset=0),
    "a live table": Configuration(RssConfig(KEY, 0x3F, (0, 1)), guard=Guard(8, 1000)),
    "a live table and features": Configuration(RssConfig(KEY, 0x3F, (0, 1), symmetric=True), guard=Guard(1, 30000)),
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_what_was_written_is_read(configuration: Configuration) -> None:
    content = encode(IDENTITY, configuration)
    assert len(content) == (live_abi if configuration.guard else abi).RODATA_SIZE
    assert decode(content) == (IDENTITY, configuration)


def test_a_name_that_is_no_text() -> None:
    identity = Identity("tap\udcff", DeviceId(1, 1))
    assert decode(encode(identity, CONFIGURATIONS["plain"])) == (identity, CONFIGURATIONS["plain"])


@pytest.mark.parametrize(
    "field",
    [
        abi.Steering.identity.offset + abi.Identity.magic.offset,
        abi.Steering.identity.offset + abi.Identity.layout_version.offset,
        abi.Steering.config.offset + abi.RssConfig.hash_key.offset,
        abi.Steering.config.offset + abi.RssConfig.toeplitz.offset,
    ],
)
def test_what_we_did_not_write_is_not_ours(field: int) -> None:
    """The lookup tables are the key's, so neither can be changed alone."""
    content = bytearray(encode(IDENTITY, CONFIGURATIONS["plain"]))
    content[field] ^= 1
    assert decode(bytes(content)) is None


def test_a_configuration_that_nobody_may_ask_for_is_not_ours() -> None:
    content = bytearray(encode(IDENTITY, CONFIGURATIONS["plain"]))
    content[abi.Steering.config.offset + abi.RssConfig.indirection_mask.offset] = 2  # a table of three entries
    assert decode(bytes(content)) is None


@pytest.mark.parametrize("size", [0, abi.RODATA_SIZE - 1, abi.RODATA_SIZE + 1])
def test_another_size_is_not_ours(size: int) -> None:
    assert decode(encode(IDENTITY, CONFIGURATIONS["plain"]).ljust(size, b"\0")[:size]) is None


def test_a_guard_waits_at_least_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """In jiffies of whatever length the kernel has them."""
    for tick, jiffies in ((0.01, (1, 100)), (0.004, (2, 250)), (0.003333333, (3, 301)), (0.001, (8, 1000))):
        monkeypatch.setattr("time.clock_getres", dict.fromkeys(range(16), tick).__getitem__)
        guard = live_abi.Steering.from_buffer_copy(encode(IDENTITY, CONFIGURATIONS["a live table"])).guard
        assert (guard.idle_ms, guard.deadline_ms) == (8, 1000)
        assert (guard.idle_jiffies, guard.deadline_jiffies) == jiffies
