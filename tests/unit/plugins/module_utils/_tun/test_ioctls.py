# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls

# On the architectures with the generic ioctl encoding, and on powerpc, mips and sparc: what a C compiler makes of
# include/uapi/linux/if_tun.h.
NUMBERS = [
    ("TUNSETIFF", 0x400454CA, 0x800454CA),
    ("TUNSETPERSIST", 0x400454CB, 0x800454CB),
    ("TUNSETOWNER", 0x400454CC, 0x800454CC),
    ("TUNSETGROUP", 0x400454CE, 0x800454CE),
    ("TUNGETIFF", 0x800454D2, 0x400454D2),
    ("TUNSETQUEUE", 0x400454D9, 0x800454D9),
    ("TUNSETSTEERINGEBPF", 0x800454E0, 0x400454E0),
    ("TUNGETDEVNETNS", 0x000054E3, 0x200054E3),
]
FLAGS = [
    ("IFF_TUN", 0x0001),
    ("IFF_TAP", 0x0002),
    ("IFF_NAPI", 0x0010),
    ("IFF_NAPI_FRAGS", 0x0020),
    ("IFF_MULTI_QUEUE", 0x0100),
    ("IFF_DETACH_QUEUE", 0x0400),
    ("IFF_PERSIST", 0x0800),
    ("IFF_NO_PI", 0x1000),
    ("IFF_VNET_HDR", 0x4000),
]
OLD_ENCODING = os.uname().machine.startswith(("ppc", "mips", "sparc"))


@pytest.mark.parametrize(("name", "generic", "old"), NUMBERS)
def test_numbers(name: str, generic: int, old: int) -> None:
    assert getattr(ioctls, name) == (old if OLD_ENCODING else generic)


@pytest.mark.parametrize(("name", "value"), FLAGS)
def test_flags(name: str, value: int) -> None:
    assert getattr(ioctls, name) == value


def test_no_number_is_untested() -> None:
    numbers = {name for name in vars(ioctls) if name.startswith("TUN") and isinstance(getattr(ioctls, name), int)}
    assert numbers == {name for name, _generic, _old in NUMBERS}


@pytest.mark.parametrize("name", ["", "tap0", "a" * 15, "é" * 7, "tap\udcff"])
def test_ifreq_is_whole(name: str) -> None:
    """40 bytes: the kernel copies all of them in and out."""
    request = ioctls.ifreq(name, 0x1102)
    encoded = os.fsencode(name)
    assert len(request) == 40
    assert request[:16] == encoded.ljust(16, b"\0")
    assert int.from_bytes(request[16:18], sys.byteorder) == 0x1102
    assert not any(request[18:])


def test_ifreq_takes_flags_without_a_sign() -> None:
    assert ioctls.ifreq("tap0", 0x1FFFF)[16:18] == b"\xff\xff"


@pytest.mark.parametrize("name", ["a" * 16, "é" * 8])
def test_a_name_that_does_not_fit(name: str) -> None:
    with pytest.raises(DeviceError, match="has 16 bytes; a device name has at most 15"):
        ioctls.ifreq(name, 0)
