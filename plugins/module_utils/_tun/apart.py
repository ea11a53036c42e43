# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a child for what a stranger can make wait. Another process may put a file of its own file
# system where a queue was; whoever copies that waits in close() for as long as the stranger likes, in a state that no
# signal ends. So a child copies and looks, and only what it has recognised comes back to this process. One child serves
# many requests: a fork for each took half of the time of attaching. It reads what is in a stranger's memory, too.

from __future__ import annotations

import array
import contextlib
import errno
import json
import math
import os
import select
import signal
import socket
import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError

__all__ = ("LIMIT", "SLICE", "Apart")

LIMIT = 0.5  # seconds that it may wait, or work, for a stranger; a copy takes a fraction of a millisecond
BUSY = 10.0  # seconds that it may take on a host whose processors are busy
SLICE = 0.02  # seconds between two looks at what it waits for
DYING = 0.05  # seconds that a killed child is waited for: one that waits for a stranger does not die
MOST_STUCK = 16  # children that wait for strangers; beyond it nothing is copied any more
MESSAGE_SIZE = 4096

_stuck: dict[int, frozenset[int]] = {}  # by child: the processes of which it copied


class Apart:
    """A child of this process, started with its first request and ended by close(), that answers with descriptors.

    It lives in the network namespace in which it was started.
    """

    def __init__(self, work: t.Callable[[bytes], int], *, limit: float = LIMIT) -> None:
        """``work`` makes a descriptor of a request, or raises DeviceError; ``limit`` is in seconds."""
        self._work = work
        self._limit = limit
        self._child = 0
        self._asked: frozenset[int] = frozenset()
        self._channel: socket.socket | None = None

    def fetch(self, request: bytes, of: t.Iterable[int] = ()) -> int:
        """The descriptor that ``work`` gives in the child, as one of this process; the DeviceError that it raises.

        DeviceError ETIMEDOUT when the child has waited for longer than the limit: it is killed, and left behind where
        it cannot die. The next request starts another one, as after a child that has died; but of the processes ``of``
        which it copied nothing is copied until they let go of it, so each of them costs one child and one limit.
        EAGAIN when the host is too busy for it to run.
        """
        self._asked = frozenset(of)
        _reap()
        if any(self._asked & asked for asked in _stuck.values()):
            raise DeviceError("a helper waits for its holder already", errno=errno.ETIMEDOUT)
        if self._channel is None:
            self._channel = self._start()
        try:
            self._channel.send(request)
            _wait_for(self._channel, self._child, self._limit)
            content, descriptor = _answer(self._channel)
        except (OSError, DeviceError) as exc:
            if exc.errno != errno.ETIMEDOUT:  # it has died, which no stranger can keep it from
                self._asked = frozenset()
            self.close()
            if isinstance(exc, DeviceError):
                raise
            raise DeviceError("the helper that looks at other processes has died", errno=errno.ECHILD) from exc
        self._asked = frozenset()  # nobody keeps it waiting: at its end it may be slow, on a busy host
        if descriptor is None:
            answer = json.loads(content)
            raise DeviceError(answer["message"], errno=answer["errno"])
        return descriptor

    def close(self) -> None:
        """End the child."""
        if self._channel:
            self._channel.close()
            self._channel = None
            _end(self._child, self._asked)

    def _start(self) -> socket.socket:
        if len(_stuck) >= MOST_STUCK:
            raise DeviceError(
                f"{len(_stuck)} helpers of this process wait for other processes already; nobody else is looked at",
                errno=errno.EAGAIN,
            )
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._child = os.fork()
            except BaseException:
                ours.close()
                raise
            if not self._child:
                _serve(self._work, theirs)
        return ours


def _serve(work: t.Callable[[bytes], int], channel: socket.socket) -> None:
    """The child: it answers until nobody asks any more, and ends, whatever happens."""
    try:
        _close_all_but(channel.fileno())
        while True:
            request = channel.recv(MESSAGE_SIZE)
            if not request:
                break
            try:
                descriptor = work(request)
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
                channel.sendmsg([b"{}"], rights)
                os.close(descriptor)
            except DeviceError as exc:
                channel.send(json.dumps({"message": str(exc), "errno": exc.errno}).encode()[:MESSAGE_SIZE])
    finally:
        os._exit(0)


def _close_all_but(kept: int) -> None:
    """The lock of the one writer above all: it is free when its last copy is closed, and this child may never end."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) != kept:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(int(name))


def _wait_for(channel: socket.socket, child: int, limit: float) -> None:
    """Until there is an answer, or the child has waited for so many seconds, or worked: what a stranger has put in the
    place of a queue may take long to give back. That it may not run, for others do, is no stranger's fault: on a busy
    host it takes a second now and then.
    """
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    waited, before, deadline = 0.0, math.inf, time.monotonic() + BUSY
    while not poll.poll(SLICE * 1000):
        waits, worked = _spends(child)
        before = min(before, worked)  # in earlier requests
        # One that has answered waits too. This process may run late as well, so a slice counts as one, however long.
        waited += SLICE if waits and not poll.poll(0) else 0.0
        if max(waited, worked - before) >= limit:
            raise DeviceError(
                f"to look at its holder took more than {limit:g} seconds: the holder makes it wait",
                errno=errno.ETIMEDOUT,
            )
        if time.monotonic() > deadline:
            raise DeviceError(
                f"this host is so busy that its holder could not be looked at in {BUSY:g} seconds; try again",
                errno=errno.EAGAIN,
            )


def _spends(child: int) -> tuple[bool, float]:
    """Whether it waits for anything but a processor, and the seconds of a processor that it has had (proc_pid_stat(5),
    fields 3, 14 and 15). Where that cannot be seen it waits.
    """
    try:
        with open(f"/proc/{child}/stat", "rb") as stream:
            fields = stream.read().rpartition(b") ")[2].split()
    except OSError:
        return True, 0.0
    return fields[0] != b"R", (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answer(channel: socket.socket) -> tuple[bytes, int | None]:
    """What was said, and the descriptor that came with it."""
    room = socket.CMSG_SPACE(array.array("i").itemsize)
    content, rights, flags, _address = channel.recvmsg(MESSAGE_SIZE, room, socket.MSG_CMSG_CLOEXEC)
    if flags & socket.MSG_CTRUNC:
        raise DeviceError("this process may open no more files", errno=errno.EMFILE)
    if not content:
        raise DeviceError("the helper that looks at other processes has died", errno=errno.ECHILD)
    return content, array.array("i", rights[0][2])[0] if rights else None


def _end(child: int, asked: frozenset[int]) -> None:
    """Most have ended by themselves. One that may not be killed, as in a container under AppArmor, ends with its
    channel, unless a stranger keeps it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + DYING
    while not _has_ended(child):
        if time.monotonic() > deadline:
            _stuck[child] = asked
            return
        time.sleep(0.0002)


def _reap() -> None:
    """Forget those whose stranger has let go of them."""
    for child in [child for child in _stuck if _has_ended(child)]:
        del _stuck[child]


def _has_ended(child: int) -> bool:
    """Where this process's parent has it ignore SIGCHLD, nobody has to wait for a child that has ended."""
    try:
        return os.waitpid(child, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True
