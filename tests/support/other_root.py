# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine's root file system to be written to, and no file of it changed: an overlay in a mount namespace."""

from __future__ import annotations

import contextlib
import os
import subprocess

__all__ = ("OtherRoot",)

# What is written lies in memory and goes with the process. A /run of its own: no systemd, and no lock of others.
SCRIPT = """
mount -t tmpfs none {here} && mkdir {here}/upper {here}/work {here}/root || exit
mount -t overlay -o lowerdir=/,upperdir={here}/upper,workdir={here}/work none {here}/root || exit
for name in proc sys dev {shared}; do mkdir -p {here}/root/$name && mount --rbind /$name {here}/root/$name || exit; done
mount -t tmpfs none {here}/root/run || exit
echo ready
read -r _
"""


class OtherRoot:
    """Use it in a ``with`` block; ``folder`` must be empty. ``shared`` is a folder that is the same there."""

    def __init__(self, folder: str, *, shared: str = "") -> None:
        self.root = os.path.join(folder, "root")
        self._script = SCRIPT.format(here=folder, shared=shared.lstrip("/"))
        self._stack = contextlib.ExitStack()
        self.wrapper: list[str] = []  # in front of a command that shall run there

    def __enter__(self) -> OtherRoot:
        process = subprocess.Popen(
            ["unshare", "--mount", "bash", "-c", self._script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin and process.stdout
        self._stack.enter_context(process)  # waits for it, last
        self._stack.callback(process.stdin.close)
        assert process.stdout.readline() == "ready\n"
        self.wrapper = ["nsenter", f"--target={process.pid}", "--mount", "chroot", self.root]
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def run(self, *command: str, check: bool = True, given: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(
            [*self.wrapper, *command], capture_output=True, text=True, check=check, input=given, env=environment
        )

    def has(self, *paths: str) -> set[str]:
        """Those of them that are there."""
        listed = self.run("ls", "-d", *paths, check=False).stdout
        return set(listed.split())
