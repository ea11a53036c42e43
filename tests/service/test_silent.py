# SPDX-License-Identifier: GPL-3.0-or-later
"""A look opens nothing: beside a foreign socket filter, and with devices that are held, idle, and idle in a bridge, no
queue is opened, no descriptor is copied, and netlink has nothing to tell."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import socket
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import RULE

PASSES = 100
QUIET_BRIDGE = ("forward_delay", "0", "mcast_snooping", "0")
SO_ATTACH_BPF = 50
QUEUES = {"indirection": {"equal": 4}, "allow_future_queues": True}

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is needed")


@pytest.fixture
def host(tap: HeldTap) -> t.Iterator[None]:
    """tap0 is held and foreign's, tap1 held, tap2 idle, tap3 idle in a bridge; a filter of a socket is nobody's."""
    rodata = bytearray(encode(Identity("tap0", DeviceId(1, 2)), Configuration(RssConfig(bytes(range(40)), 63, (3,)))))
    rodata[-100] ^= 1
    for name in ("tap2", "tap3"):
        subprocess.run(["ip", "tuntap", "add", name, "mode", "tap", "multi_queue"], check=True)
    subprocess.run(
        ["ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"], check=True
    )
    subprocess.run(["ip", "link", "set", "tap3", "master", "br0", "up"], check=True)
    subprocess.run(["ip", "link", "set", "br0", "up"], check=True)
    with HeldTap("tap1"), SteeringProgram(load_libbpf(), bytes(rodata), queues=4) as program, socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, SO_ATTACH_BPF, program.descriptor)
        foreign.set_program(tap, program.descriptor)
        with Listener() as listener:  # a bridge has its own things to tell at first
            eventually(listener.is_silent, 20)
        yield


class Listener:
    """What happens to links and neighbours of bridges in this network namespace during the ``with`` block."""

    def __enter__(self) -> Listener:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 1))  # RTMGRP_LINK
        self._socket.setblocking(False)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def is_silent(self) -> bool:
        """For one second."""
        self.messages()
        time.sleep(1)
        return not self.messages()

    def messages(self) -> list[bytes]:
        found = []
        try:
            while True:
                found.append(self._socket.recv(1 << 16))
        except BlockingIOError:
            return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def watched(log: Path) -> list[str]:
    """A command in front of another that writes down what that and its children open and copy."""
    return ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=open,openat,openat2,pidfd_open,pidfd_getfd,ioctl"]


def assert_nothing(log: Path, listener: Listener) -> None:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    assert any("openat" in line for line in lines), "nothing was watched"
    assert [line for line in lines if "net/tun" in line or "pidfd_getfd" in line or "TUN" in line] == []
    assert listener.messages() == []


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    ("name", "options", "check"),
    [
        ("tap_steering_info", {}, False),
        ("tap_steering_info", {"netns": "all"}, False),
        ("tap_steering", {"taps": ["*"], **QUEUES}, True),
        ("tap_steering", {"taps": ["*"], "state": "absent"}, True),
        ("tap_steering", {"taps": ["*"], "state": "absent"}, False),  # there is nothing to detach
    ],
)
def test_modules(log: Path, name: str, options: dict[str, t.Any], check: bool) -> None:
    with Listener() as listener:
        result = run_module(name, options, check=check, wrapper=watched(log))
        assert_nothing(log, listener)
    assert not result.get("failed"), result
    inode = os.stat("/proc/self/ns/net").st_ino
    states = {
        each["name"]: each.get("before", each)["state"]
        for each in result["taps"]
        if each.get("netns_inode", inode) == inode
    }
    assert states == {"tap0": "foreign", "tap1": "automatic", "tap2": "automatic", "tap3": "automatic"}


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("words", [["status"], ["apply", "--dry-run"], ["release", "--all", "--dry-run"], ["metrics"]])
def test_commands(service: Running, log: Path, words: list[str]) -> None:
    service.write({**RULE, **QUEUES})
    with Listener() as listener:
        done = service.command(*words, wrapper=watched(log), check=False)  # some say by it that no service runs
        assert ("tap1" in done.stdout) == (words[0] != "release"), done  # which tells what it gives back: nothing here
        assert_nothing(log, listener)


def _passed(service: Running, before: float) -> bool:
    return bool(service.status()["last_pass"] != before)


@pytest.mark.usefixtures("host")
def test_a_hundred_passes(service: Running, log: Path) -> None:
    """Of the service, once it has steered what it should."""
    service.write({**RULE, **QUEUES})
    service.start("--watch", "0.05")
    process = service.process
    assert process
    tracer = subprocess.Popen([*watched(log), "-p", str(process.pid)])
    with Listener() as listener:
        eventually(lambda: log.exists() and log.stat().st_size, 10)
        for _pass in range(PASSES):
            before = service.status()["last_pass"]
            process.send_signal(signal.SIGHUP)
            eventually(functools.partial(_passed, service, before), 10)
        tracer.terminate()
        tracer.wait()
        # Somebody else on this host may give devices back to automatic selection, those of all namespaces among them.
        assert "somebody had taken it off" not in service.stop()
        assert_nothing(log, listener)
