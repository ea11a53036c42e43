# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_abi
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_full_abi as abi
from ansible_collections.virtnet.rss.plugins.module_utils._program.features import features_of, read_features
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, decode, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import HASH_TYPES, RssConfig, hash_types_to_mask
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.configurations import CONFIGURATIONS, PINS, configuration

KEY, TABLE = bytes(range(40)), tuple(entry % 8 for entry in range(64))
IDENTITY = Identity("tap0", DeviceId(4026531840, 7))


def features(name: str) -> abi.Features:
    return features_of(configuration(name, KEY, TABLE, 3))


def type_of(of: abi.Features, row: int, number: int) -> str | None:
    found = of.types[row * abi.CLASS_COUNT + number]
    return HASH_TYPES[found - 1] if found else None


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_was_written_is_read(name: str) -> None:
    rss = configuration(name, KEY, TABLE, 3)
    read = read_features(features(name))
    assert {word: getattr(rss, word) for word in read} == read


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_rodata_of_both_programs(name: str) -> None:
    wanted = Configuration(configuration(name, KEY, TABLE, 3))
    content = encode(IDENTITY, wanted)
    assert len(content) == (steering_abi if wanted.rss.is_plain else abi).RODATA_SIZE
    assert decode(content) == (IDENTITY, wanted)


def test_a_table_that_does_not_follow_from_the_rest_is_somebody_elses() -> None:
    content = bytearray(encode(IDENTITY, Configuration(configuration("everything", KEY, TABLE, 3))))
    place = abi.Rodata.steering.offset + abi.Steering.features.offset + 6  # the class of TCP
    assert content[place] == abi.CLASS_TCP
    content[place] = abi.CLASS_UDP
    assert decode(bytes(content)) is None


def test_layouts_are_told_apart_by_version_and_size() -> None:
    assert (steering_abi.ABI_LAYOUT_VERSION, abi.ABI_LAYOUT_VERSION) == (1, 2)
    assert steering_abi.RODATA_SIZE != abi.RODATA_SIZE


def test_only_what_is_on_is_looked_at() -> None:
    six, everything = features("six types"), features("everything")
    assert [number for number in range(256) if six.classes4[number]] == [6, 17]
    assert all(six.classes6[number] == abi.CLASS_EXTENSION for number in (0, 43, 44, 51, 60, 135))
    assert everything.classes4[4] == abi.CLASS_TUNNEL_IPV4
    assert everything.classes4[17] == abi.CLASS_UDP | abi.CLASS_TUNNEL_UDP
    assert everything.classes4[51] == abi.CLASS_AH


def test_types_by_kind_of_packet() -> None:
    found = features("everything")
    assert type_of(found, abi.ROW_NONE, abi.CLASS_TCP) is None
    assert type_of(found, abi.ROW_IPV4, abi.CLASS_NONE) == "ipv4"
    assert type_of(found, abi.ROW_IPV4, abi.CLASS_TCP) == "tcpv4"
    assert type_of(found, abi.ROW_IPV6_EX, abi.CLASS_UDP) == "udpv6_ex"
    assert type_of(found, abi.ROW_IPV6_EX, abi.CLASS_SCTP) == "sctp"
    assert type_of(found, abi.ROW_IPV6, abi.CLASS_FLOW_LABEL) == "flow_label"


def test_what_differs_by_direction_counts_for_nothing_when_both_go_to_one_queue() -> None:
    found = features("everything, symmetric")
    for number in (abi.CLASS_ESP_UDP, abi.CLASS_GTPU_TEID):
        assert type_of(found, abi.ROW_IPV4, number) == "ipv4"
    assert type_of(found, abi.ROW_IPV6, abi.CLASS_FLOW_LABEL) == "ipv6"
    assert found.classes4[50] == abi.CLASS_NONE


def test_pins_need_the_ports_of_sctp() -> None:
    rss = RssConfig(KEY, hash_types_to_mask(["ipv4"]), TABLE, pins=PINS)
    found = features_of(rss)
    assert found.classes4[132] == abi.CLASS_SCTP
    assert type_of(found, abi.ROW_IPV4, abi.CLASS_SCTP) == "ipv4"


def test_what_all_pins_have_in_common() -> None:
    of_one_protocol = features("pins of one protocol")
    # TCP in IPv4; the ports differ in some bits and not in others
    assert of_one_protocol.pins_mask & 0xFFFF == 0x03FF
    assert of_one_protocol.pins_value & 0xFFFF == 0x0106
    for pin in of_one_protocol.pins[: of_one_protocol.pin_count]:
        assert not (pin.value ^ of_one_protocol.pins_value) & of_one_protocol.pins_mask
    assert features("pins").pins_mask == 0
