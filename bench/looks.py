# SPDX-License-Identifier: GPL-3.0-or-later
"""What one look at the host's TAP devices costs, by their number: the inspector's walk, and with everything else."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
import typing as t

from ansible_collections.virtnet.rss.bench.host import held
from ansible_collections.virtnet.rss.bench.namespace import quiet_network_namespace
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._service.signature import signature
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run

__all__ = ("measure",)

HELD, IDLE = 256, 4000  # with four queues each, steered; with none


def measure(*, rounds: int) -> dict[str, t.Any]:
    """Medians in milliseconds of ``load``, and for both kinds of host: the kernel's ``walk``, its bytes as ``devices``,
    the service's ``signature``, the engine's ``observe`` with programs, and ``holders``."""
    print(f"  {HELD} held devices", flush=True)
    with quiet_network_namespace(), held(HELD):
        run(["tap*"], Desired())
        load = [_milliseconds(lambda: Inspector(load_libbpf()).close()) for _round in range(rounds)]
        result: dict[str, t.Any] = {"load_ms": statistics.median(load), str(HELD): _looks(rounds)}
    print(f"  {IDLE} idle devices", flush=True)
    with quiet_network_namespace(), _idle(IDLE):
        result[str(IDLE)] = _looks(rounds)
    return result


@contextlib.contextmanager
def _idle(count: int) -> t.Iterator[None]:
    """They go with the network namespace."""
    lines = "".join(f"tuntap add tap{number} mode tap multi_queue\n" for number in range(count))
    subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True)
    yield


def _looks(rounds: int) -> dict[str, float]:
    with Observer() as observer:
        inspector = observer.inspector
        assert inspector
        devices = observer.devices()  # what it says of programs is known from now on
        work: dict[str, t.Callable[[], object]] = {
            "walk": inspector.records,
            "devices": inspector.look,
            "signature": lambda: signature(observer),
            "observe": observer.devices,
            "holders": lambda: observer.with_holders(devices),
        }
        return {what: statistics.median(_milliseconds(each) for _round in range(rounds)) for what, each in work.items()}


def _milliseconds(work: t.Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3
