# SPDX-License-Identifier: GPL-3.0-or-later
"""A real guest: QEMU, by software emulation, on a TAP device of this network namespace that was made beforehand.

    with multi_queue_tap("tap0"), Guest("tap0") as guest:
        guest.run("ethtool -L eth0 combined 2")

It dies with the thread that started it, if not before.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.eventually import settled
from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, IFF_VNET_HDR, open_queue
from ansible_collections.virtnet.rss.tests.support.qemu.image import Qemu, guest_kernel, qemu_7
from ansible_collections.virtnet.rss.tests.support.qmp import Channel, Qmp

# Cores are shared with other work; on idle ones a guest is up after 4 seconds.
BOOT_SECONDS = 120
# Plain Nehalem panics newer kernels at random under software emulation; without cmpxchg16b it does not.
MACHINE = ("-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "Nehalem,-cx16", "-m", "256", "-nodefaults")
KERNEL_ARGUMENTS = "console=ttyS0 net.ifnames=0 panic=-1 mitigations=off quiet"
MAC = "02:00:00:00:00:01"  # where tests/packets/builder.py sends to
RING = 256  # packets that one queue of the guest has room for
END = "\x04"  # begins the line that ends an answer (see init)
DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL")
WITHOUT_CAPABILITIES = ("--inh-caps=-all", "--bounding-set=-all")


class GuestError(RuntimeError):
    """The guest did not start, or a command in it failed."""


@contextlib.contextmanager
def multi_queue_tap(name: str) -> t.Iterator[str]:
    """A persistent TAP device that is up and gets no packets but the tests'."""
    subprocess.run(["ip", "tuntap", "add", name, "mode", "tap", "multi_queue", "vnet_hdr", "user", "root"], check=True)
    try:
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)


class Guest:
    """One QEMU process with one network card; use it in a `with` block."""

    def __init__(
        self,
        tap: str,
        *,
        qemu: Qemu | None = None,
        queues: int = 4,
        device: str = "",
        vhost: bool = False,
        managed: bool = False,
        snapshots: bool = False,
        boot_seconds: float = BOOT_SECONDS,
    ) -> None:
        """``device`` has more properties of the network card (``rss=on,hash=on``); with ``snapshots`` QEMU can save and
        load its state; with ``vhost`` the host's kernel moves the packets. ``managed`` starts it as libvirt does:
        without capabilities, with descriptors of the device handed over, and with arguments in JSON."""
        self.tap = tap
        self.qemu = qemu or qemu_7()
        self.queues = queues
        self.device = device
        self.vhost = vhost
        self.managed = managed
        self.snapshots = snapshots
        self.boot_seconds = boot_seconds

    def __enter__(self) -> Guest:
        with contextlib.ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guest-")))
            self._commands, self._monitor = stack.enter_context(Channel()), stack.enter_context(Channel())
            self.qmp = Qmp(self._monitor)
            self._process = self._launch()
            stack.callback(self._end)
            self._wait_until_up()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self, command: str, *, timeout: float = 60) -> str:
        """What a shell command in the guest says; GuestError if it fails."""
        self._commands.say(command)
        said, status = self._answer(timeout)
        if status != "0":
            raise GuestError(f"`{command}` in the guest exited with {status}: {said}")
        return said

    def received(self) -> list[int]:
        """Packets that the guest has received, for each queue that it uses."""
        return [int(count) for count in re.findall(r"rx_queue_\d+_packets: (\d+)", self.run("ethtool -S eth0"))]

    def receive(self, frames: t.Sequence[bytes]) -> list[int]:
        """Send frames to the TAP device as the host's network does: how many the guest received on each queue."""
        before = latest = self.received()
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((self.tap, 0))
            for start in range(0, len(frames), RING):
                for frame in frames[start : start + RING]:
                    sender.send(frame)
                latest = self._received_so_many(sum(before) + min(start + RING, len(frames)))
        return [now - then for now, then in zip(latest, before)]

    def enable_rss(self) -> None:
        """Make the guest's driver give its hash key and its indirection table to the device."""
        self.run(f"ethtool -X eth0 equal {self.queues}")

    def set_queues(self, count: int) -> None:
        """Change how many queues the guest uses."""
        self.run(f"ethtool -L eth0 combined {count}")

    def reboot(self) -> None:
        """Boot the guest again, in the same QEMU."""
        self.qmp.ask("system_reset")
        self._wait_until_up()

    def log(self) -> str:
        """The end of what QEMU and the guest's kernel said."""
        return "\n".join((self._folder / "log").read_text(errors="replace").splitlines()[-25:])

    def _launch(self) -> subprocess.Popen[bytes]:
        with contextlib.ExitStack() as handed_over, (self._folder / "log").open("wb") as log:
            queues = [int(open_queue(self.tap, FLAGS | IFF_VNET_HDR)) for _queue in range(self.queues * self.managed)]
            for descriptor in queues:
                handed_over.callback(os.close, descriptor)
            for channel in (self._commands, self._monitor):
                handed_over.callback(channel.theirs.close)
            return subprocess.Popen(
                [*DIE_WITH_US, *(WITHOUT_CAPABILITIES if self.managed else ()), *self._command(queues)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[*queues, self._commands.theirs.fileno(), self._monitor.theirs.fileno()],
            )

    def _command(self, queues: list[int]) -> list[str]:
        boot = guest_kernel()
        return [
            *self.qemu.command,
            *MACHINE,
            *("-display", "none", "-smp", str(self.queues), "-append", KERNEL_ARGUMENTS),
            *("-kernel", str(boot.kernel), "-initrd", str(boot.initramfs)),
            *("-serial", "stdio"),
            *("-chardev", f"socket,id=commands,fd={self._commands.theirs.fileno()}", "-serial", "chardev:commands"),
            *self.qmp.options(),
            *(self._network_in_json(queues) if self.managed else self._network()),
            *(self._disk() if self.snapshots else ()),
        ]

    def _network(self) -> list[str]:
        vhost = "on" if self.vhost else "off"
        netdev = f"tap,id=net,ifname={self.tap},queues={self.queues},vhost={vhost},script=no,downscript=no"
        card = ",".join(f"{name}={value}" for name, value in self._card().items())
        return ["-netdev", netdev, "-device", card.partition("=")[2]]

    def _network_in_json(self, queues: list[int]) -> list[str]:
        netdev = {"type": "tap", "fds": ":".join(map(str, queues)), "vhost": self.vhost, "id": "net"}
        switches: dict[str, object] = {"on": True, "off": False}
        card = {name: switches.get(value, value) for name, value in self._card().items()}
        card["vectors"] = int(self._card()["vectors"])
        return ["-netdev", json.dumps(netdev), "-device", json.dumps(card)]

    def _card(self) -> dict[str, str]:
        """The network card; without a boot ROM, for the kernel is given."""
        card = {"driver": "virtio-net-pci", "netdev": "net", "mac": MAC, "romfile": "", "mq": "on"}
        card["vectors"] = str(2 * self.queues + 2)
        return {**card, **dict(part.split("=") for part in self.device.split(",") if part)}

    def _disk(self) -> list[str]:
        """Where QEMU keeps snapshots; the guest does not see it."""
        path = str(self._folder / "state.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "1G"], check=True)
        return ["-drive", f"file={path},if=none,id=state"]

    def _received_so_many(self, packets: int) -> list[int]:
        """As soon as it is that many, or what it is after ten seconds."""
        latest: list[int] = []

        def are_there() -> bool:
            latest[:] = self.received()
            return sum(latest) >= packets

        settled(are_there, 10)
        return latest

    def _wait_until_up(self) -> None:
        try:
            _said, status = self._answer(self.boot_seconds)
        except (EOFError, TimeoutError) as exc:
            raise GuestError(f"the guest did not come up:\n{self.log()}") from exc
        assert status == "up"

    def _answer(self, timeout: float) -> tuple[str, str]:
        said = ""
        while True:
            line = self._commands.hear(timeout)
            if line.startswith(END):
                return said, line[1:].strip()
            said += line

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
