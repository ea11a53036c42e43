# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot an image of image.py under QEMU and reach it by ssh.

A VM writes to an overlay that has no name and dies with the thread that started it, so whatever kills the tests leaves
neither a process nor a disk behind. A VM started with `outlive` stays until `stop`, in this process or a later one.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ..cache import cache_folder
from ..qmp import Channel, Qmp

# Cores and disks are shared with other work, and software emulation takes half a minute on idle ones.
BOOT_SECONDS = 300
# With KVM a kernel writes its first line at once.
SILENT_SECONDS = 30
# Plain Nehalem panics newer kernels at random under software emulation; without cmpxchg16b it does not.
SOFTWARE = ("-accel", "tcg,thread=multi", "-cpu", "Nehalem,-cx16")
HARDWARE = ("-accel", "kvm", "-cpu", "host")
# A QEMU inside the VM has to have that instruction. Then it is the kernel that is told not to use it.
SOFTWARE_NESTS = ("-accel", "tcg,thread=multi", "-cpu", "Nehalem")
WITHOUT_CMPXCHG16B = "clearcpuid=141"
NETWORK_CARD = "virtio-net-pci,netdev=net,romfile="  # no boot ROM: the kernel is given
KERNEL_ARGUMENTS = "root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=-1 mitigations=off"
MEMORY = 768  # MiB
OWN_FILES = ("key", "key.pub", "pid", "ssh_config")
PANIC = "Kernel panic - not syncing"
LOG_FILES = ("console.log", "qemu.log")
SSH_CONFIG = """\
Host vm
  HostName 127.0.0.1
  Port {port}
  User root
  IdentityFile "{key}"
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  ServerAliveInterval 15
  ServerAliveCountMax 8
"""


class MachineError(RuntimeError):
    """The VM did not start, or a command in it failed."""


class Machine:
    """One VM. As a context manager it is stopped at the end; after an error its logs stay in `folder`."""

    def __init__(
        self,
        image: Path,
        *,
        folder: Path | None = None,
        memory: int = MEMORY,
        nests: bool = False,
        append: str = "",
        qemu: t.Sequence[str] = (),
    ) -> None:
        """`append` goes to the kernel's command line, `qemu` to QEMU's, where it may override what was said before.
        A VM that `nests` can run QEMU."""
        self.image = image
        self.memory = memory
        self.nests = nests
        self.append = append
        self.qemu = qemu
        self.folder = folder or _new_folder(image.parent.name)
        self.console = self.folder / "console.log"
        self.ssh_config = self.folder / "ssh_config"
        self.port = 0
        self._accelerated = has_kvm()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Machine:
        self.start()
        return self

    def __exit__(self, error: object, *_details: object) -> None:
        self.stop(keep_logs=error is not None)

    def start(self, *, outlive: bool = False) -> None:
        """Boot, and return when ssh answers. There is a second chance for a kernel that panics in the emulation: with a
        thread for each CPU it does so once in some hundred boots, while it patches its own code; and for one that says
        nothing with KVM: there are machines whose KVM sets up a CPU that then does not run a kernel."""
        for chances in (1, 0):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._launch(outlive=outlive)
                self._wait_for_ssh()
                return
            except BaseException as exc:
                self.stop(keep_logs=True)
                if not (chances and isinstance(exc, MachineError) and self._may_boot_now()):
                    raise
                print(f"booted again: {exc}", file=sys.stderr)

    def stop(self, *, keep_logs: bool = False) -> None:
        """End the VM; remove the folder, or all but the logs in it."""
        stop(self.folder, keep_logs=keep_logs)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def run(
        self,
        command: str,
        *,
        check: bool = True,
        timeout: float | None = 600,
        stdin: t.IO[t.Any] | int = subprocess.DEVNULL,
        stdout: t.IO[t.Any] | int | None = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the VM; what it says on either channel goes to `stdout` (None: this process's own)."""
        try:
            done = subprocess.run(
                ["ssh", "-F", str(self.ssh_config), "vm", command],
                check=False,
                timeout=timeout,
                stdin=stdin,
                stdout=stdout,
                stderr=None if stdout is None else subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired as exc:
            said = (exc.output or b"").decode(errors="replace")  # bytes, whatever the encoding above
            raise MachineError(f"`{command}` did not end within {timeout} s\n{said}") from exc
        if check and done.returncode:
            raise MachineError(f"`{command}` exited with {done.returncode}\n{done.stdout or ''}")
        return done

    def put(self, path: Path, target: str) -> None:
        """Copy a file or a folder into the VM, to the path `target` or into the folder `target`."""
        subprocess.run(["scp", "-q", "-r", "-F", str(self.ssh_config), str(path), f"vm:{target}"], check=True)

    def _launch(self, *, outlive: bool) -> None:
        key = self._new_key()
        with Channel() as channel, (self.folder / "qemu.log").open("wb") as log:
            monitor = Qmp(channel)
            self._process = subprocess.Popen(
                [*(() if outlive else ("setpriv", "--pdeathsig", "KILL")), *self._command(key), *monitor.options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[channel.theirs.fileno()],
                start_new_session=outlive,
                env={**os.environ, "TMPDIR": str(self.folder)},
            )
            (self.folder / "pid").write_text(str(self._process.pid))
            channel.theirs.close()
            try:
                self.port = _forwarded_port(monitor)
            except (OSError, EOFError) as exc:
                self._process.wait(timeout=10)
                raise MachineError(f"QEMU did not start:\n{(self.folder / 'qemu.log').read_text()}") from exc
        self.ssh_config.write_text(SSH_CONFIG.format(port=self.port, key=self.folder / "key"))

    def _command(self, key: str) -> list[str]:
        append = f"{KERNEL_ARGUMENTS} virtnet_rss_key={key} {self.append}"
        processor = HARDWARE if self._accelerated else SOFTWARE
        if self.nests and not self._accelerated:
            processor, append = SOFTWARE_NESTS, f"{append} {WITHOUT_CMPXCHG16B}"
        return [
            *("qemu-system-x86_64", "-machine", "q35,sata=off", *processor),
            *("-smp", "2", "-m", str(self.memory), "-nodefaults", "-display", "none", "-no-reboot"),
            *("-kernel", str(self.image.with_name("vmlinuz")), "-initrd", str(self.image.with_name("initrd.img"))),
            *("-append", append, "-serial", f"file:{self.console}"),
            # The image is never written: snapshot=on makes an overlay in TMPDIR and takes its name away at once.
            *("-drive", f"file={self.image},format=raw,if=virtio,snapshot=on,cache=unsafe"),
            # Port 0: QEMU takes a free one, so nobody can take it in between.
            *("-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22", "-device", NETWORK_CARD),
            *("-device", "virtio-rng-pci", *self.qemu),
        ]

    def _new_key(self) -> str:
        """The public half, which the image takes from the kernel's command line."""
        key = self.folder / "key"
        key.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
        return key.with_suffix(".pub").read_text().split()[1]

    def _wait_for_ssh(self) -> None:
        begin = time.monotonic()
        while not _has_banner(self.port):
            if self._process is None or self._process.poll() is not None:
                raise MachineError(f"QEMU ended during the boot; the console ended with\n{self._end_of_console()}")
            seconds = SILENT_SECONDS if self._accelerated and not self._said() else BOOT_SECONDS
            if time.monotonic() > begin + seconds:
                raise MachineError(f"no ssh after {seconds} s; the console ended with\n{self._end_of_console()}")
            time.sleep(0.5)

    def _may_boot_now(self) -> bool:
        """After a boot that failed; without KVM if it was that."""
        if self._accelerated and not self._said():
            self._accelerated = False
            return True
        return not self._accelerated and PANIC in self._said()

    def _said(self) -> str:
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def _end_of_console(self) -> str:
        return "\n".join(self._said().splitlines()[-25:])


def stop(folder: Path, *, keep_logs: bool = False) -> None:
    """End the VM of that folder, if it runs, and remove what belongs to it, or all of that but the logs."""
    pid_file = folder / "pid"
    if pid_file.exists():
        _end(int(pid_file.read_text()), folder)
    for name in (*OWN_FILES, *(() if keep_logs else LOG_FILES)):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it may not exist, or hold logs or what is not ours
        folder.rmdir()


@functools.lru_cache(maxsize=None)
def has_kvm() -> bool:
    """Whether QEMU can set up a CPU with KVM: /dev/kvm may be there and useless. VIRTNET_RSS_ACCEL overrides."""
    wanted = os.environ.get("VIRTNET_RSS_ACCEL")
    if wanted:
        return wanted == "kvm"
    probe = ["qemu-system-x86_64", "-machine", "q35", *HARDWARE, "-nodefaults", "-display", "none", "-S"]
    done = subprocess.run([*probe, "-monitor", "stdio"], check=False, input=b"quit\n", capture_output=True)
    return done.returncode == 0


def _new_folder(image_name: str) -> Path:
    runs = cache_folder() / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{image_name}-", dir=runs))


def _forwarded_port(monitor: Qmp) -> int:
    """Ask QEMU which port it forwards to the VM's 22; OSError or EOFError if QEMU does not answer."""
    # TCP[HOST_FORWARD]  15  127.0.0.1 40123  10.0.2.15  22  0  0
    table = monitor.monitor("info usernet").splitlines()
    row = next(row for row in table if "HOST_FORWARD" in row)
    return int(row.split()[3])


def _has_banner(port: int) -> bool:
    """QEMU accepts connections before the VM does: only the banner tells that sshd is there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _end(pid: int, folder: Path) -> None:
    """Kill that QEMU; the number may long belong to somebody else, the command line tells."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it may end by itself at any time
        process = os.pidfd_open(pid)
        try:
            if os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes():
                signal.pidfd_send_signal(process, signal.SIGKILL)
                select.select([process], [], [], 30)
        finally:
            os.close(process)
