# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams between a test and a QEMU that it starts, and the machine protocol that QEMU speaks over one (QMP)."""

from __future__ import annotations

import json
import socket
import typing as t

__all__ = ("Channel", "Qmp", "QmpError")

SECONDS = 60


class QmpError(RuntimeError):
    """QEMU refused a command; its own words."""


class Channel:
    """Our end, and the socket that QEMU inherits. Whoever has started QEMU closes ``theirs``: then, and not before, a
    QEMU that has gone is noticed."""

    def __init__(self) -> None:
        self._socket, self.theirs = socket.socketpair()
        self._stream = self._socket.makefile("rw", encoding="utf-8", errors="replace", newline="\n")

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Both ends."""
        for end in (self._stream, self._socket, self.theirs):
            end.close()

    def say(self, line: str) -> None:
        """One line."""
        self._stream.write(line + "\n")
        self._stream.flush()

    def hear(self, timeout: float) -> str:
        """One line; EOFError when QEMU has gone, TimeoutError after so many seconds."""
        self._socket.settimeout(timeout)
        line = self._stream.readline()
        if not line:
            raise EOFError("QEMU has gone")
        return line


class Qmp:
    """QEMU's machine protocol over a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ready = False

    def options(self) -> list[str]:
        """Of the QEMU that is to speak it."""
        chardev = f"socket,id=monitor,fd={self._channel.theirs.fileno()}"
        return ["-chardev", chardev, "-mon", "chardev=monitor,mode=control"]

    def ask(self, command: str, arguments: dict[str, t.Any] | None = None) -> t.Any:
        """What QEMU answers; QmpError if it refuses."""
        if not self._ready:
            self._ready = True
            self.ask("qmp_capabilities")
        self._channel.say(json.dumps({"execute": command, "arguments": arguments or {}}))
        while True:  # greetings and events come in between
            answer = json.loads(self._channel.hear(SECONDS))
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QmpError(answer["error"]["desc"])

    def monitor(self, command: str) -> str:
        """A command of QEMU's human monitor, and what it prints."""
        return str(self.ask("human-monitor-command", {"command-line": command}))
