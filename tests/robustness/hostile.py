# SPDX-License-Identifier: GPL-3.0-or-later
"""A neighbour who means harm, beside the service: how long another guest's new device waits and what the service takes,
beside each of his ways and beside all of them together. Exits with 1 where that is more than is promised."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import shutil
import stat
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.robustness.figures import keep, parser_of
from ansible_collections.virtnet.rss.tests.support.netns import enter_new_network_namespace
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running

__all__ = ("WAYS", "Seen", "beside", "problems")

TUNSETIFF, TUNSETSTEERINGEBPF, IFF = 0x400454CA, 0x800454E0, 0x1102
QUEUES, CLEARED = 4, 100
MOST_SECONDS, MOST_MIB, MOST_CORE = 0.100, 64, 0.15  # what is promised
WAIT_SECONDS = 20.0
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000  # include/uapi/linux/sched.h, mount.h
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "-U", "-r", "-n", "-m"]
# What a process that calls itself QEMU may say of itself.
ODD = ["-nic", '{"type":"tap","model":true}', "-name", '{"guest":true}', "-netdev", '{"type":"tap","id":[1]}']
Closing = contextlib.AbstractContextManager  # of a way: from when it works until it is over


class Seen(t.NamedTuple):
    """What was measured beside one way; times in seconds."""

    waits: list[float]  # from the first queue of a new device to the line that says that it is steered
    core: float  # of one core, over all of that
    mib: float  # the most that was resident

    @property
    def p99(self) -> float:
        """99 of 100 waited no longer."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]

    def figures(self) -> dict[str, float]:
        """For the page."""
        return {
            "devices": len(self.waits),
            "median_ms": round(1000 * statistics.median(self.waits), 1),
            "p99_ms": round(1000 * self.p99, 1),
            "core_percent": round(100 * self.core, 1),
            "mib": round(self.mib, 1),
        }


def problems(way: str, seen: Seen) -> list[str]:
    """What is more than is promised."""
    found = []
    if seen.p99 > MOST_SECONDS:
        found.append(f"{way}: a new device waits {seen.p99:.3f} s")
    if seen.mib > MOST_MIB:
        found.append(f"{way}: the service takes {seen.mib:.0f} MiB")
    if seen.core > MOST_CORE:
        found.append(f"{way}: the service takes {100 * seen.core:.0f} % of a core")
    return found


def open_queue(name: str, *, device: str = "/dev/net/tun") -> int:
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF))
    return descriptor


@contextlib.contextmanager
def neighbour(role: str) -> t.Iterator[None]:
    """One of tests/robustness/neighbour.py's, as a user without privileges whose Python is called like QEMU."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        for name, number in (("tun", os.makedev(10, 200)), ("fuse", os.makedev(10, 229))):
            os.mknod(f"{folder}/{name}", stat.S_IFCHR | 0o666, number)
            os.chmod(f"{folder}/{name}", 0o666)
        script, python = shutil.copy(Path(__file__).with_name("neighbour.py"), folder), f"{folder}/qemu-system-x86_64"
        shutil.copy(os.path.realpath("/usr/bin/python3"), python)
        command = [*NOBODY, python, script, role, folder, *ODD]
        environment = {"PATH": os.environ["PATH"], "PYTHONHOME": "/usr"}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin and process.stdout
        try:
            assert process.stdout.readline() == b"ready\n", role
            yield
        finally:
            process.stdin.close()  # which ends it, and its children
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            process.kill()
            process.wait()
            process.stdout.close()


@contextlib.contextmanager
def cleared() -> t.Iterator[None]:
    """A hundred devices whose holder takes their programs off ten times a second."""
    queues, over = [open_queue(f"clear{number}") for number in range(CLEARED)], threading.Event()

    def clear() -> None:
        while not over.wait(0.1):
            for descriptor in queues:
                fcntl.ioctl(descriptor, TUNSETSTEERINGEBPF, struct.pack("=i", -1))

    thread = threading.Thread(target=clear)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for descriptor in queues:
            os.close(descriptor)


@contextlib.contextmanager
def together() -> t.Iterator[None]:
    """All of them."""
    with contextlib.ExitStack() as stack:
        for way, begin in WAYS.items():
            if way not in ("nothing", "all together"):
                stack.enter_context(begin())
        yield


WAYS: dict[str, t.Callable[[], Closing[None]]] = {
    "nothing": contextlib.nullcontext,
    "odd words and names": lambda: neighbour("words"),
    "1.5 GiB of arguments": lambda: neighbour("arguments"),
    "1.2 million copied descriptors": lambda: neighbour("descriptors"),
    "a FUSE that never answers": lambda: neighbour("fuse"),
    "100 devices cleared ten times a second": cleared,
    "all together": together,
}


class Log:
    """The lines of a running service, as they come."""

    def __init__(self, running: Running) -> None:
        assert running.process and running.process.stdout
        self._stream = running.process.stdout.fileno()
        self._rest = b""

    def wait_for(self, beginning: str) -> float | None:
        """When a line with this beginning came; None: it did not."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if select.select([self._stream], [], [], 0.1)[0]:
                self._rest += os.read(self._stream, 1 << 16)
                *lines, self._rest = self._rest.split(b"\n")
                if any(line.startswith(beginning.encode()) for line in lines):
                    return time.monotonic()
        return None


def beside(begin: t.Callable[[], Closing[None]], service: Running, devices: int) -> Seen:
    """What new devices wait while something goes on, in the network namespace of the service."""
    service.write({"name": "guests", "match": {"device": "vnet*"}}, {"name": "others", "match": {"device": "clear*"}})
    with begin():
        service.start()
        assert service.process
        pid, log = service.process.pid, Log(service)
        began, used = time.monotonic(), _used(pid)
        waits = [_wait_of(f"vnet{number}", log) for number in range(devices)]
        core = (_used(pid) - used) / (time.monotonic() - began)
        seen = Seen(waits, core, _most_resident(pid))
        assert service.process.poll() is None, "the service has ended"
    return seen


def _wait_of(name: str, log: Log) -> float:
    time.sleep(0.3)  # guests do not come one behind the other
    begin, queues = time.monotonic(), [open_queue(name) for _queue in range(QUEUES)]
    try:
        came = log.wait_for(f"{name}: attach")
    finally:
        for descriptor in queues:
            os.close(descriptor)
    return (came or begin + WAIT_SECONDS) - begin


def _used(pid: int) -> float:
    """Seconds of a CPU."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _most_resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def own_run() -> None:
    """A /run of this process and its children alone: no other test of this machine shall keep the lock meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    for call, given in (
        (libc.unshare, (CLONE_NEWNS,)),
        (libc.mount, (None, b"/", None, MS_REC | MS_PRIVATE, None)),
        (libc.mount, (b"none", b"/run", b"tmpfs", 0, None)),
    ):
        if call(*given):
            raise OSError(ctypes.get_errno(), call.__name__)


def main() -> int:
    parser = parser_of("hostile", __doc__)
    parser.add_argument("--devices", type=int, default=100, help="beside each way")
    parser.add_argument("--way", choices=list(WAYS), help="only this one")
    arguments = parser.parse_args()
    enter_new_network_namespace()
    own_run()
    figures, found = {}, []
    for way in [arguments.way] if arguments.way else list(WAYS):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "virtnet-rss"
            run_module("host_service", {"path": str(program)})
            service = Running(program, Path(folder))
            try:
                seen = beside(WAYS[way], service, arguments.devices)
            finally:
                service.kill()
        figures[way] = seen.figures()
        found += problems(way, seen)
        print(f"{way}: {figures[way]}", flush=True)
    print(*found, sep="\n")
    keep(arguments, {"ways": figures, "problems": found})
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
