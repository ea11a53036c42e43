# SPDX-License-Identifier: GPL-3.0-or-later
"""The inspector on real devices: every device of every namespace, what a descriptor is, and who holds what."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inspector as module
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector, TunDevice
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Indirection
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import open_process
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.netns import own_network_namespace

FLAGS = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE
TUNSETIFINDEX = 0x400454DA
# Linux 5.17 has bpf_loop(), older kernels take the other walk; this one takes both.
WALKS = (module.WALKS[:1], module.WALKS[1:])


@pytest.fixture(params=WALKS, ids=lambda walks: walks[0])
def inspector(request: pytest.FixtureRequest) -> t.Iterator[Inspector]:
    with Inspector(load_libbpf(), walks=request.param) as loaded:
        yield loaded


@pytest.fixture
def any_inspector() -> t.Iterator[Inspector]:
    with Inspector(load_libbpf()) as loaded:
        yield loaded


def here(found: t.Iterable[TunDevice]) -> dict[str, TunDevice]:
    """Those of this network namespace, by name."""
    inode = current_namespace().inode
    return {device.name: device for device in found if device.netns_inode == inode}


@contextlib.contextmanager
def made(name: str, *words: str) -> t.Iterator[None]:
    subprocess.run(["ip", "tuntap", "add", name, *words], check=True)
    yield


@contextlib.contextmanager
def opened(name: str, flags: int = FLAGS, ifindex: int | None = None) -> t.Iterator[int]:
    """A queue of a device of our own."""
    descriptor = ioctls.open_control()
    try:
        if ifindex:
            fcntl.ioctl(descriptor, TUNSETIFINDEX, ifindex.to_bytes(4, sys.byteorder))
        ioctls.join_device(descriptor, name, flags)
        yield descriptor
    finally:
        os.close(descriptor)


def test_every_device_of_every_namespace(inspector: Inspector, tap: HeldTap) -> None:
    tap.set_queue(3, enabled=False)
    with made("idle0", "mode", "tap", "multi_queue", "vnet_hdr", "user", "65534"), made("tun0", "mode", "tun"):
        outer, inner = current_namespace().inode, 0
        with own_network_namespace(), made("tap0", "mode", "tap"):
            inner = current_namespace().inode
            everything = inspector.look()
            assert inspector.look_in(inner) == ([each for each in everything if each.netns_inode == inner], {None})
    found = {(device.netns_inode, device.name): device for device in everything}
    held, idle, layer3 = found[outer, "tap0"], found[outer, "idle0"], found[outer, "tun0"]
    assert (held.queues, held.disabled_queues, held.program_id, held.owner) == (3, 1, None, None)
    assert (idle.queues, idle.disabled_queues, idle.owner, idle.group) == (0, 0, 65534, None)
    assert held.tun_flags & 0xFFFF == FLAGS and idle.tun_flags & ioctls.IFF_VNET_HDR and not held.vnet_header % 2
    assert layer3.tun_flags & ioctls.IFF_TUN and not layer3.tun_flags & ioctls.IFF_TAP
    link = find_link("idle0")
    assert link and idle.ifindex == link.ifindex
    assert found[inner, "tap0"].birth not in (0, held.birth)
    assert everything[0].netns_inode == inner  # the one that was asked in comes first


def test_which_program_steers_it(inspector: Inspector, tap: HeldTap) -> None:
    """Held or not."""
    with made("tap1", "mode", "tap", "multi_queue"):
        assert {device.program_id for device in here(inspector.look()).values()} == {None}
        future = Desired(indirection=Indirection(equal=4), allow_future_queues=True)
        outcomes = run(["tap*"], future).outcomes
        attached = {outcome.after.name: outcome.after.program and outcome.after.program.id for outcome in outcomes}
        found = {name: device.program_id for name, device in here(inspector.look()).items()}
        assert found == attached and None not in found.values() and tap.pid
        assert set(found.values()) <= inspector.look_in(current_namespace().inode)[1]
        run(["tap*"], Desired(present=False))
        assert {device.program_id for device in here(inspector.look()).values()} == {None}


def test_more_devices_than_there_is_room_for() -> None:
    """It is loaded anew, with more."""
    with Inspector(load_libbpf(), room=2) as inspector, contextlib.ExitStack() as stack:
        for number in range(20):
            stack.enter_context(opened(f"tap{number}"))
        assert set(here(inspector.look())) == {f"tap{number}" for number in range(20)}
        assert inspector.records()[1] == 0


def test_what_there_is_no_room_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROOM", 3)
    with Inspector(load_libbpf(), room=3) as inspector, contextlib.ExitStack() as stack:
        for number in range(5):
            stack.enter_context(opened(f"tap{number}"))
        records, left_out = inspector.records()
        assert len(module.devices_of(records)) == 3 and left_out >= 2
        assert len(here(inspector.look())) == 3  # our own come first


def test_equal_bytes_are_an_equal_state(any_inspector: Inspector, tap: HeldTap) -> None:
    before = any_inspector.look()
    assert here(any_inspector.look()) == here(before)
    tap.set_queue(0, enabled=False)
    assert here(any_inspector.look())["tap0"].disabled_queues == 1


def test_a_device_that_is_made_again_has_another_birth(any_inspector: Inspector) -> None:
    """Its maker can give it the same name and the same index."""
    with opened("tap0", ifindex=4242) as descriptor:
        first = here(any_inspector.look())["tap0"]
        assert any_inspector.in_hand(descriptor).device == first
    with opened("tap0", ifindex=4242):
        second = here(any_inspector.look())["tap0"]
    assert (first.ifindex, second.ifindex) == (4242, 4242) and first.birth != second.birth
    assert first._replace(birth=second.birth) == second


def test_a_renamed_device_keeps_its_birth(any_inspector: Inspector) -> None:
    with opened("tap0"):
        first = here(any_inspector.look())["tap0"]
        subprocess.run(["ip", "link", "set", "tap0", "name", "other0"], check=True)
        assert here(any_inspector.look())["other0"] == first._replace(name="other0")


def test_what_a_descriptor_of_ours_is(any_inspector: Inspector) -> None:
    with opened("tap0") as queue, contextlib.ExitStack() as stack:
        device = any_inspector.in_hand(queue).device
        assert device == here(any_inspector.look())["tap0"] and device.queues == 1
        ioctls.detach_queue(queue)
        again = any_inspector.in_hand(queue).device
        assert again and (again.queues, again.disabled_queues) == (0, 1)
        control = ioctls.open_control()
        stack.callback(os.close, control)
        assert any_inspector.in_hand(control) == (None, "it is a queue of no device")
        file = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, file)
        assert any_inspector.in_hand(file) == (None, "it is another file")
        assert any_inspector.in_hand(99999) == (None, "it is closed")


def test_the_device_has_gone_from_under_the_descriptor(any_inspector: Inspector) -> None:
    subprocess.run(["ip", "tuntap", "add", "tap0", "mode", "tap", "multi_queue"], check=True)
    with opened("tap0", FLAGS) as queue:
        subprocess.run(["ip", "link", "del", "tap0"], check=True)
        assert any_inspector.in_hand(queue) == (None, "it is a queue of no device")


def test_what_another_process_has(any_inspector: Inspector, tap: HeldTap) -> None:
    """Before anything is copied."""
    pidfd = open_process(tap.pid)
    try:
        inode = current_namespace().inode
        (device,) = here(any_inspector.look()).values()
        for queue in any_inspector.holders([(inode, device.ifindex)]):
            assert any_inspector.in_hand(queue.descriptor, pidfd=pidfd).device == device
        assert any_inspector.in_hand(0, pidfd=pidfd) == (None, "it is another file")
        assert any_inspector.in_hand(999, pidfd=pidfd) == (None, "it is closed")
        with socket.socket() as no_pidfd:
            assert any_inspector.in_hand(0, pidfd=no_pidfd.fileno()) == (None, "its process has gone")
        tap.process.kill()
        tap.process.wait()
        assert any_inspector.in_hand(3, pidfd=pidfd) == (None, "its process has gone")
    finally:
        os.close(pidfd)


def test_holders_of_the_wanted_devices_only(inspector: Inspector, tap: HeldTap) -> None:
    with HeldTap("tap1", 2) as other:
        devices = here(inspector.look())
        keys = {name: (device.netns_inode, device.ifindex) for name, device in devices.items()}
        assert inspector.holders([]) == []
        for held, count in ((tap, 4), (other, 2)):
            found = inspector.holders([keys[held.name]])
            assert [(queue.pid, (queue.netns_inode, queue.ifindex)) for queue in found] == [
                (held.pid, keys[held.name])
            ] * count
            assert len({queue.descriptor for queue in found}) == count
            assert {queue.command for queue in found} == {os.path.basename(sys.executable)[:15]}
        assert len(inspector.holders(list(keys.values()))) == 6


def test_a_thousand_copies_of_a_descriptor(inspector: Inspector) -> None:
    """They are counted in the kernel, and half of them are told."""
    with opened("tap0") as queue, contextlib.ExitStack() as stack:
        for _copy in range(1000):
            stack.callback(os.close, os.dup(queue))
        device = here(inspector.look())["tap0"]
        assert len(inspector.holders([(device.netns_inode, device.ifindex)])) == 512


def test_a_disabled_queue_is_held(inspector: Inspector, tap: HeldTap) -> None:
    for queue in (0, 2):
        tap.set_queue(queue, enabled=False)
    (device,) = here(inspector.look()).values()
    assert len(inspector.holders([(device.netns_inode, device.ifindex)])) == 4


def test_more_queues_than_there_is_room_for() -> None:
    with Inspector(load_libbpf(), room=3) as inspector, contextlib.ExitStack() as stack:
        queues = {stack.enter_context(opened(f"tap{number}")) for number in range(20)}
        keys = [(each.netns_inode, each.ifindex) for each in here(inspector.look()).values()]
        assert {queue.descriptor for queue in inspector.holders(keys)} == queues


def test_what_stays_while_a_process_runs_one_program(inspector: Inspector) -> None:
    """Its number may come again, and a child becomes QEMU without another number."""
    code = "import os, sys; print(flush=True); sys.stdin.readline(); os.execv(sys.executable, [sys.executable, '-c', "
    code += "'import sys; print(flush=True); sys.stdin.read()'])"
    with opened("tap0") as queue:
        (device,) = here(inspector.look()).values()

        def images() -> dict[int | None, module.Image]:
            found = inspector.holders([(device.netns_inode, device.ifindex)])
            return {each.pid: each.image for each in found}

        command = [sys.executable, "-c", code]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[queue], close_fds=True
        ) as child:
            assert child.stdin and child.stdout and child.stdout.readline()
            first = images()
            assert first == images() and set(first) == {os.getpid(), child.pid}
            child.stdin.write(b"\n")
            child.stdin.flush()
            assert child.stdout.readline()
            then = images()
            child.stdin.close()
    assert then[os.getpid()] == first[os.getpid()]
    before, after = first[child.pid], then[child.pid]
    assert after.started == before.started > then[os.getpid()].started and after.programs > before.programs


@pytest.mark.parametrize("inside", [True, False], ids=["asked from inside", "held from inside"])
def test_process_ids_are_those_of_the_one_who_asks(inside: bool) -> None:
    """In a pid namespace, as a container's, the kernel's own numbers mean other processes."""
    code = """
import os, sys, subprocess
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
inside = sys.argv[1] == "inside"
def holders():
    with Inspector(load_libbpf()) as inspector:
        inode = os.stat("/proc/self/ns/net").st_ino
        keys = [(each.netns_inode, each.ifindex) for each in inspector.look() if each.netns_inode == inode]
        return {queue.pid for queue in inspector.holders(keys)}
with HeldTap("tap0", 2) as tap:
    print("ok" if holders() == {tap.pid} and tap.pid < 100 else (holders(), tap.pid))
    sys.stdout.flush()
    if not inside:
        sys.stdin.read()
"""
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code]
    if inside:
        done = subprocess.run([*command, "inside"], check=True, capture_output=True, text=True)
        assert done.stdout == "ok\n", done
        return
    process = subprocess.Popen([*command, "outside"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ok\n"
    with Inspector(load_libbpf()) as inspector:
        (device,) = here(inspector.look()).values()
        found = {queue.pid for queue in inspector.holders([(device.netns_inode, device.ifindex)])}
    assert len(found) == 1 and all(pid and os.path.exists(f"/proc/{pid}") for pid in found)
    process.communicate()


def processor_seconds(work: t.Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


MANY = """
import os, resource, signal, sys
_soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
each = min(hard, 20000) - 10
for _copy in range(each):
    os.dup(0)
children = []
for _child in range(1200000 // each):
    children.append(os.fork())
    if not children[-1]:
        signal.pause()
print("ready", flush=True)
sys.stdin.read()
for child in children:
    os.kill(child, signal.SIGKILL)
"""


def test_more_than_a_million_open_files(inspector: Inspector, request: pytest.FixtureRequest) -> None:
    """Without bpf_loop() each is looked at: the kernel stops after a million that say nothing, and is asked again."""
    with opened("tap0"), made("tap1", "mode", "tap"):
        held, idle = ([(each.netns_inode, each.ifindex)] for each in here(inspector.look()).values())
        stranger = subprocess.Popen([sys.executable, "-c", MANY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert stranger.stdout and stranger.stdout.readline() == b"ready\n"
            assert inspector.holders(idle) == []
            assert [queue.pid for queue in inspector.holders(held)] == [os.getpid()]
            if request.node.callspec.params["inspector"] == WALKS[0]:  # 5 ms; 130 ms where each file is looked at
                assert min(processor_seconds(lambda: inspector.holders(held)) for _round in range(3)) < 0.05
        finally:
            stranger.communicate()
