# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host pays: time of a module's own process beside ping's, by number of devices and by phase, and memory."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import typing as t

from ansible_collections.virtnet.rss.bench import peers
from ansible_collections.virtnet.rss.bench.namespace import quiet_network_namespace
from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.support.run_module import PYTHON, TREE, run_module

__all__ = ("held", "measure")

COUNTS = (1, 16, 64, 256)
WORKS = ("attach", "replace", "nothing", "info")
FLAGS = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE
TASK = {"taps": ["tap*"]}


def measure(*, rounds: int) -> dict[str, t.Any]:
    """``phases[count][work]`` of the plain program and ``default[count][work]`` of that of the options' defaults
    (medians, seconds), ``processes``, and ``memory[program]``."""
    result: dict[str, t.Any] = {"phases": {}, "default": {}, "processes": {}, "memory": {}, "rounds": rounds}
    for count in COUNTS:
        print(f"  {count} devices", flush=True)
        with quiet_network_namespace(), held(count):
            result["phases"][count] = _phases(count, rounds, "plain")
            if count == COUNTS[-1]:
                result["default"][count] = _phases(count, rounds, "default")
            result["processes"][count] = _processes(rounds)
    with quiet_network_namespace(), held(1):
        for kind in ("plain", "default"):
            _run_phases("attach", kind)
            result["memory"][kind] = _kernel_memory()
            run_module("tap_steering", {**TASK, "state": "absent"})
    return result


@contextlib.contextmanager
def held(count: int) -> t.Iterator[None]:
    """So many four-queue TAP devices, held by this process."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            for _queue in range(peers.QUEUES):
                descriptor = ioctls.open_control()
                stack.callback(os.close, descriptor)
                ioctls.join_device(descriptor, f"tap{number}", FLAGS)
        yield


def _phases(count: int, rounds: int, kind: str) -> dict[str, t.Any]:
    """Each kind of work in a process of its own; a round goes from automatic selection and back to it."""
    samples: dict[str, list[dict[str, t.Any]]] = {work: [] for work in WORKS}
    for _round in range(rounds):
        for work in WORKS:
            sample = _run_phases(work, kind)
            if sample["devices"] != count:
                raise RuntimeError(f"{work}: {sample['devices']} of {count} devices")
            samples[work].append(sample)
        run_module("tap_steering", {**TASK, "state": "absent"})
    return {
        work: {
            "total": statistics.median(sample["total"] for sample in taken),
            "processor": statistics.median(sample["processor"] for sample in taken),
            "peak_kib": max(sample["peak_kib"] for sample in taken),
            "phases": {
                name: statistics.median(sample["phases"][name] for sample in taken) for name in taken[0]["phases"]
            },
        }
        for work, taken in samples.items()
    }


def _run_phases(work: str, kind: str) -> dict[str, t.Any]:
    # ansible's module_utils come from the Python that runs this, everything else from the distribution's.
    path = os.pathsep.join((TREE, *(folder for folder in sys.path if folder.endswith("site-packages"))))
    command = [PYTHON, str(peers.FOLDER / "phases.py"), work, kind]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=True)
    found: dict[str, t.Any] = json.loads(done.stdout)
    return found


def _processes(rounds: int) -> dict[str, float]:
    """Wall time of whole processes that take turns: ping, a run without a change, a look."""
    run_module("tap_steering", TASK)
    samples: dict[str, list[float]] = {"ping": [], "nothing": [], "info": []}
    for _round in range(2 * rounds):
        for name, module, options in (
            ("ping", "ansible.modules.ping", {}),
            ("nothing", "tap_steering", TASK),
            ("info", "tap_steering_info", {}),
        ):
            begin = time.perf_counter()
            result = run_module(module, options)
            samples[name].append(time.perf_counter() - begin)
            if result.get("failed") or result.get("changed"):
                raise RuntimeError(f"{module}: {result}")
    return {name: statistics.median(values) for name, values in samples.items()}


def _kernel_memory() -> dict[str, int]:
    """Bytes that the kernel accounts to the program and the maps of one steered device (``memlock`` of fdinfo)."""
    libbpf = load_libbpf()
    program = next(sighting.device.program for sighting in look(["*"], [current_namespace()]).sightings)
    descriptor = inventory.open_program(libbpf, program.id) if program else None
    if descriptor is None:
        raise RuntimeError("no device is steered")
    sizes = {"program": _memlock(descriptor)}
    for map_id in inventory.program_of(libbpf, descriptor).map_ids:
        of_map = inventory.open_map(libbpf, map_id)
        if of_map is not None:
            sizes[os.fsdecode(inventory.map_info(libbpf, of_map).name)] = _memlock(of_map)
            os.close(of_map)
    os.close(descriptor)
    return sizes


def _memlock(descriptor: int) -> int:
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as fdinfo:
        return next(int(line.split()[1]) for line in fdinfo if line.startswith("memlock:"))
