# SPDX-License-Identifier: GPL-3.0-or-later
"""The service: how soon it is ready and a new device steered, and what it costs to have it run beside 256 devices."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.bench.host import held
from ansible_collections.virtnet.rss.bench.namespace import quiet_network_namespace
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.tests.packets.configurations import DEFAULT, SEEN_THROUGH, SIX
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running

__all__ = ("measure",)

DEVICES = 256
PER_SECOND = 10
STARTS = 15
TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_WAIT = 2.0
FLAGS = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE
# Of the plain program, and of the one that the options' defaults get.
WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {"plain": (SIX, ()), "default": (DEFAULT, SEEN_THROUGH)}
RULES = {
    kind: {"match": {"device": "tap*"}, "hash_types": list(types), "tunnel_types": list(tunnels)}
    for kind, (types, tunnels) in WORDS.items()
}


def measure(*, creations: int, seconds: float) -> dict[str, t.Any]:
    """``start_ms`` is a median without devices; ``latency_ms[program]`` is of so many creations of four-queue devices,
    and ``idle`` of so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "virtnet-rss"
        run_module("host_service", {"path": str(program)})
        print("  starts", flush=True)
        start = _with_service(program, Path(folder) / "a", _start)
        print("  new devices", flush=True)
        latency = {
            kind: _with_service(program, Path(folder) / f"b-{kind}", lambda _service: _latency(creations), rule)
            for kind, rule in RULES.items()
        }
        print(f"  idle with {DEVICES} devices", flush=True)
        idle = _with_service(program, Path(folder) / "c", lambda service: _idle(service, seconds))
    return {"start_ms": start, "latency_ms": latency, "idle": idle, "devices": DEVICES, "creations": creations}


def _with_service(
    program: Path, folder: Path, work: t.Callable[[Running], t.Any], rule: dict[str, t.Any] = RULES["plain"]
) -> t.Any:
    folder.mkdir()
    with quiet_network_namespace():
        service = Running(program, folder)
        service.write(rule)
        service.start()
        try:
            return work(service)
        finally:
            service.kill()


def _start(service: Running) -> float:
    """From the start of its process to the READY=1 that systemd waits for."""
    times = []
    for _round in range(STARTS):
        service.kill()
        begin = time.monotonic()
        service.start()
        times.append(time.monotonic() - begin)
    return statistics.median(times) * 1e3


def _latency(creations: int) -> dict[str, float]:
    """From the ioctl that makes a device to a program that is seen on it; devices come and go as guests do."""
    waits = []
    with Inspector(load_libbpf()) as inspector:
        for number in range(creations):
            begin = time.monotonic()
            queues = []
            for _queue in range(4):
                descriptor = ioctls.open_control()
                ioctls.join_device(descriptor, f"tap{number}", FLAGS)
                queues.append(descriptor)
            waits.append(_steered_after(inspector, f"tap{number}", begin))
            for descriptor in queues:
                os.close(descriptor)
            time.sleep(max(0.0, 1 / PER_SECOND - (time.monotonic() - begin)))
    waits.sort()
    return {
        "median": statistics.median(waits) * 1e3,
        "p99": waits[int(len(waits) * 0.99) - 1] * 1e3,
        "longest": waits[-1] * 1e3,
    }


def _steered_after(inspector: Inspector, device: str, begin: float) -> float:
    while time.monotonic() - begin < LONGEST_WAIT:
        if any(each.name == device and each.program_id for each in inspector.look()):
            return time.monotonic() - begin
        time.sleep(0.002)
    raise RuntimeError(f"{device} was not steered within {LONGEST_WAIT} s")


def _idle(service: Running, seconds: float) -> dict[str, float]:
    assert service.process
    with held(DEVICES):
        wanted = f"{DEVICES} of {DEVICES} devices steered"
        eventually(lambda: wanted in service.status_text(), 60, told=f"not all {DEVICES} devices were steered")
        pid = service.process.pid
        before = _cpu_seconds(pid)
        time.sleep(seconds)
        return {
            "cpu_percent": 100 * (_cpu_seconds(pid) - before) / seconds,
            "rss_mib": _resident_kib(pid) / 1024,
            "seconds": seconds,
        }


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
