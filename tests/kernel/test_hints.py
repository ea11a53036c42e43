# SPDX-License-Identifier: GPL-3.0-or-later
"""What virtnet.rss.tap_steering_info warns of, out of real packets."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.tests.packets.builder import L2TPV3, ipv4, tcp
from ansible_collections.virtnet.rss.tests.packets.generate import random_frames
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module


def steered() -> None:
    (outcome,) = run(["tap0"], Desired(hash_key=bytes(range(40)))).outcomes
    assert outcome.after.state == "steered"


def told(**options: t.Any) -> tuple[list[str], list[str]]:
    """The hints of the device, and the warnings of the task."""
    answer = run_module("tap_steering_info", {"taps": ["tap0"], **options})
    return answer["taps"][0]["hints"], answer.get("warnings", [])


def test_packets_with_nothing_but_addresses(tap: HeldTap) -> None:
    steered()
    assert told() == ([], [])
    assert len(tap.send([ipv4(number.to_bytes(4, "big") + bytes(20), L2TPV3) for number in range(400)])) == 400
    (hint,), warnings = told()
    assert hint.startswith("the busiest queue has 4 times its part: 100 % are hashed by their addresses alone (ipv4);")
    assert "l2tpv3" in hint and warnings == [f"tap0: {hint}"]


def test_an_even_spread_is_no_warning(tap: HeldTap) -> None:
    steered()
    tap.send([ipv4(tcp(number.to_bytes(4, "big"))) for number in range(400)])
    assert told() == ([], [])


def test_xdp_that_goes_past_the_program(tap: HeldTap, tmp_path: Path) -> None:
    """The driver takes such a packet without asking anybody for its queue (tun_xdp_xmit)."""
    steered()
    ifindex = socket.if_nametoindex("tap0")
    build(Path(__file__).parent / "redirect.bpf.c", f"-DIFINDEX={ifindex}", to=tmp_path / "redirect.o")
    for command in (
        "link add veth0 type veth peer name veth1",
        "link set veth0 up",
        "link set veth1 up",
        "link set tap0 up",
        f"link set dev veth0 xdpdrv obj {tmp_path}/redirect.o sec xdp",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    stop = threading.Event()

    def send(name: str) -> None:
        frames = [frame for frame in random_frames(seed=5, count=200) if len(frame) >= 60]
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((name, 0))
            while not stop.wait(0.01):
                for frame in frames[:50]:
                    sender.send(frame)

    for name, said in (("tap0", False), ("veth1", True)):
        stop.clear()
        sender = threading.Thread(target=send, args=(name,))
        sender.start()
        time.sleep(0.1)
        hints, warnings = told(measure=1)
        stop.set()
        sender.join()
        past = [hint for hint in hints if "reached the guest past the program: XDP" in hint]
        assert bool(past) is said and [f"tap0: {hint}" for hint in hints] == warnings
    tap.received()
