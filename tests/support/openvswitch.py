# SPDX-License-Identifier: GPL-3.0-or-later
"""Open vSwitch of Debian's packages, unpacked beside the system, with its datapath in user space: no module is needed.

A guest's TAP device is a port of it like any other; packets reach it by a packet socket of the switch.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.cache import cached
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.qemu.image import Packages

__all__ = ("OpenVSwitch", "programs")

PACKAGES = ("openvswitch-switch", "openvswitch-common")
LIBRARIES = ("libcap-ng0", "libevent-2.1-7", "libnuma1", "libunbound8", "libxdp1")


def programs() -> Path:
    """Where they are; the first time they are downloaded, which takes a network."""
    return cached("openvswitch", "programs", hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), _build)


class OpenVSwitch:
    """A switch in this network namespace, of ``programs()``; use it in a ``with`` block, and a folder of its own."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        found = ":".join(str(path.parent) for path in self._root.rglob("lib*.so.*"))
        self._environment = {**os.environ, "LD_LIBRARY_PATH": found, "OVS_RUNDIR": str(folder)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> OpenVSwitch:
        schema, database = self._root / "usr/share/openvswitch/vswitch.ovsschema", self._folder / "conf.db"
        self._run("usr/bin/ovsdb-tool", "create", str(database), str(schema))
        self._start("usr/sbin/ovsdb-server", str(database), f"--remote=punix:{self._folder}/db.sock")
        eventually((self._folder / "db.sock").exists, 10)
        self.vsctl("--no-wait", "init")
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        for name in reversed(list(self._running)):
            self._stop(name)

    def start(self) -> None:
        """The switch itself; its ports are in the database."""
        self._start("usr/lib/openvswitch-switch/ovs-vswitchd", f"unix:{self._folder}/db.sock", "--disable-system")

    def stop(self) -> None:
        self._stop("usr/lib/openvswitch-switch/ovs-vswitchd")

    def vsctl(self, *words: str) -> str:
        """Waits until the switch has done it."""
        return self._run("usr/bin/ovs-vsctl", f"--db=unix:{self._folder}/db.sock", "--timeout=10", *words)

    def _run(self, program: str, *words: str) -> str:
        command = [str(self._root / program), *words]
        return subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True).stdout

    def _start(self, program: str, *words: str) -> None:
        log = self._folder / f"{Path(program).name}.log"
        command = [str(self._root / program), *words, f"--log-file={log}", "-vconsole:off"]
        self._running[program] = subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL)

    def _stop(self, program: str) -> None:
        process = self._running.pop(program)
        process.terminate()
        process.wait(timeout=10)


def _build(scratch: Path, result: Path) -> None:
    Packages(scratch / "apt").unpack(result, *PACKAGES, *LIBRARIES)
