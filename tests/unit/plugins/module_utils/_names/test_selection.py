# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._names.selection import check_names, select
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import IFF_TAP, IFF_TUN
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

LINKS = [
    Link("lo", 1, ""),
    Link("eth0", 2, ""),
    Link("vnet10", 3, "tun", IFF_TAP),
    Link("vnet1", 4, "tun", IFF_TAP),
    Link("vnet2", 5, "tun", IFF_TUN),
    Link("vnet3", 6, "macvtap"),
    Link("tap[0]", 7, "tun", IFF_TAP),
    Link("TAP9", 8, "tun", IFF_TAP),
    Link("br0", 9, "bridge"),
]
SELECTED = [
    (["vnet1"], ["vnet1"]),
    (["vnet1", "vnet10"], ["vnet1", "vnet10"]),
    (["vnet*"], ["vnet10", "vnet1"]),  # in the kernel's order; neither the layer 3 device nor the macvtap
    (["vnet1", "vnet*"], ["vnet1", "vnet10"]),
    (["vnet1", "vnet1"], ["vnet1"]),
    (["vnet?"], ["vnet1"]),
    (["vnet[0-9]*"], ["vnet10", "vnet1"]),
    (["[!v]*"], ["tap[0]", "TAP9"]),
    (["tap*"], ["tap[0]"]),  # letters of another case are other letters
    (["tap[[]0]"], ["tap[0]"]),
    (["*"], ["vnet10", "vnet1", "tap[0]", "TAP9"]),
]
REFUSED = [
    ([], "name at least one TAP device"),
    ([""], "not empty"),
    (["vnet1", ""], "not empty"),
    (["."], "slash, colon or"),
    ([".."], "slash, colon or"),
    (["a/b"], "slash, colon or"),
    (["a:1"], "slash, colon or"),
    (["all"], "'all' or 'default'"),
    (["a%d"], "percent sign"),
    (["à"], "byte a0"),
    (["a b"], "white space"),
    (["a\tb"], "white space"),
    (["a\u00a0b"], "white space"),
    (["a\n"], "printable"),
    (["a\0"], "printable"),
    (["a\ud800"], "printable"),
    (["vnet *"], "white space"),
    (["a" * 128], "at most 127 bytes"),
    (["é" * 64], "at most 127 bytes"),
    (["vnet4"], "there is no such device"),
    (["vnet1", "vnet4"], "there is no such device"),
    (["VNET1"], "there is no such device"),
    (["lo"], "a hardware or loopback device"),
    (["br0"], "a device of kind bridge"),
    (["vnet3"], "a device of kind macvtap"),
    (["vnet2"], r"a layer 3 device of the tun driver \(IFF_TUN\)"),
    (["vnet*", "vnet2"], r"a layer 3 device of the tun driver \(IFF_TUN\)"),
]


@pytest.mark.parametrize(("names", "found"), SELECTED, ids=" ".join)
def test_select(names: list[str], found: list[str]) -> None:
    links, warnings = select("taps", names, LINKS)
    assert [link.name for link in links] == found
    assert warnings == []


@pytest.mark.parametrize(("names", "reason"), REFUSED, ids=str)
def test_refused(names: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        select("taps", names, LINKS)
    assert caught.value.option == "taps"
    assert "\n" not in str(caught.value)


def test_each_pattern_without_a_match_is_a_warning() -> None:
    links, warnings = select("taps", ["eth*", "vnet1", "x?"], LINKS)
    assert [link.name for link in links] == ["vnet1"]
    assert warnings == ["taps: no TAP device matches 'eth*'", "taps: no TAP device matches 'x?'"]


def test_the_longest_names() -> None:
    check_names("taps", ["a" * 127, "é" * 63, "*" * 140])
