# SPDX-License-Identifier: GPL-3.0-or-later
"""When steering fails for real: what the task asked for happens, the result says so, and packets show it."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import socket
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import parse_release
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._steering import observe
from ansible_collections.virtnet.rss.plugins.module_utils._steering import run as engine
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._steering.report import outcome_report
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link
from ansible_collections.virtnet.rss.tests.packets.generate import sendable_frames
from ansible_collections.virtnet.rss.tests.support.bpf_objects import formal_program
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap, set_up
from ansible_collections.virtnet.rss.tests.support.refuse_call import refusing
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

FRAMES = sendable_frames(seed=5, count=200)
KEY = bytes(range(40))
STEERED_BEFORE = Desired(hash_key=KEY, redirect=False, default_queue=2)
PLAIN: dict[str, t.Any] = {"hash_types": 0x3F, "tunnel_types": 0}  # what the tests' own programs have the layout of
WANTED = {"taps": ["tap0"], "hash_key": KEY.hex(), "default_queue": 1}
FALLBACKS = ("disable", "keep", "fail")
BEFORE = ("automatic", "steered")
ALL_QUEUES = {0, 1, 2, 3}
KERNEL = parse_release(os.uname().release)


@dataclass(frozen=True)
class Cause:
    """Something that the host lacks: a command that takes it away from what runs behind it, and what is said then."""

    name: str
    wrapper: tuple[str, ...]
    stage: str  # this and the reason are patterns
    reason: str
    errno: int | None
    blind: bool = True  # what steers the device cannot be seen either


def refused_by_seccomp(name: str) -> Cause:
    number: int = getattr(errno, name)
    reason = re.escape(os.strerror(number)) + ".*seccomp filter"
    return Cause(f"seccomp-{name}", tuple(refusing(name)), "load", reason, number)


# The inspector takes eleven descriptors more; it is not there where a module has no BTF, before Linux 5.11.
ENOUGH_TO_LOOK = ("prlimit", f"--nofile={25 if KERNEL >= (5, 11) else 12}")
CAUSES = (
    # CAP_SYS_ADMIN stands for CAP_BPF, which is number 39 for tools that are older than it
    Cause(
        "capability",
        ("setpriv", "--bounding-set=-cap_39,-sys_admin"),
        "load",
        "Operation not permitted.*CAP_BPF or CAP_SYS_ADMIN is missing",
        errno.EPERM,
    ),
    refused_by_seccomp("EPERM"),
    refused_by_seccomp("ENOSYS"),
    # Descriptors enough to look, too few to load or to prove: the lack of a resource on every kernel.
    Cause("descriptors", ENOUGH_TO_LOOK, "load|prove", "Too many open files", errno.EMFILE, blind=False),
)


@pytest.fixture(scope="session")
def without_libbpf(tmp_path_factory: pytest.TempPathFactory) -> Cause:
    """A library folder with everything but libbpf, mounted over the real one where nobody else sees it."""
    libraries = Path(load_libbpf().path).parent
    folder = tmp_path_factory.mktemp("libraries")
    all_of_them, rest = folder / "all", folder / "rest"
    all_of_them.mkdir()
    rest.mkdir()
    for library in libraries.iterdir():
        if not library.name.startswith("libbpf."):
            (rest / library.name).symlink_to(all_of_them / library.name)
    hide = 'mount --bind "$1" "$2" && mount --bind "$3" "$1" && shift 3 && exec "$@"'
    wrapper = ("unshare", "--mount", "sh", "-c", hide, "sh", str(libraries), str(all_of_them), str(rest))
    return Cause("libbpf", wrapper, "load", r"libbpf was not found .*libbpf\.so\.1: cannot open shared object", None)


@pytest.fixture(params=["libbpf", *CAUSES], ids=lambda cause: getattr(cause, "name", cause))
def cause(request: pytest.FixtureRequest) -> Cause:
    found = request.getfixturevalue("without_libbpf") if request.param == "libbpf" else request.param
    assert isinstance(found, Cause)
    return found


@pytest.fixture(params=BEFORE)
def before(request: pytest.FixtureRequest, tap: HeldTap) -> str:
    """What tap0 is steered by when the task comes."""
    state: str = request.param
    if state == "steered":
        assert engine.run(["tap0"], STEERED_BEFORE).outcomes[0].after.state == "steered"
    assert_packets(tap, state)
    return state


def assert_packets(tap: HeldTap, state: str) -> None:
    """Automatic selection spreads flows that the guest has not answered; STEERED_BEFORE takes them all to one queue."""
    arrived = tap.send(FRAMES)
    assert len(arrived) == len(FRAMES)
    assert {queue for queue, _frame in arrived} == ({2} if state == "steered" else ALL_QUEUES)


def assert_fell_back(tap: HeldTap, report: dict[str, t.Any], *, cause: Cause, fallback: str, before: str) -> None:
    """Names the stage, the reason and the errno; claims what packets show, and no more than can be known."""
    left = "automatic" if fallback == "disable" else before
    said = report["fallback"]
    assert re.fullmatch(cause.stage, said["stage"]) and said["errno"] == cause.errno
    assert re.search(cause.reason, said["reason"]) and "\n" not in said["reason"]
    assert (report["action"], report["state"], report["after"]["state"]) == ("fallback", left, left)
    assert report["before"]["state"] == before and report["reason"] == ""
    assert report["changed"] == (left != before)
    assert not report["verified"]
    assert_packets(tap, left)


def assert_left_alone(tap: HeldTap, result: dict[str, t.Any], *, before: str) -> None:
    """Nobody can tell what steers the device, and so nothing is changed; a fleet must not be green for it."""
    report = result["taps"][0]
    assert (report["action"], report["state"], report["changed"]) == ("keep", "unknown", False)
    assert result["failed"] and not result["changed"] and result["msg"] == report["reason"]
    assert "may be steered by a foreign program (" in result["msg"] and "foreign: replace" in result["msg"]
    assert_packets(tap, before)


@pytest.mark.parametrize("fallback", FALLBACKS)
def test_the_module_falls_back(tap: HeldTap, cause: Cause, before: str, fallback: str) -> None:
    result = run_module("tap_steering", {**WANTED, "fallback": fallback}, wrapper=cause.wrapper)
    if cause.blind:
        assert_left_alone(tap, result, before=before)
        return
    report = result["taps"][0]
    assert_fell_back(tap, report, cause=cause, fallback=fallback, before=before)
    assert result["fallback"] and result["changed"] == report["changed"]
    if fallback == "fail":
        assert result["failed"] and result["msg"] == f"Steering failed: tap0: {report['fallback']['reason']}"
    else:
        assert "failed" not in result
        assert any(report["fallback"]["reason"] in warning for warning in result["warnings"])


def test_check_mode_foresees_a_fallback(tap: HeldTap, cause: Cause, before: str) -> None:
    result = run_module("tap_steering", WANTED, wrapper=cause.wrapper, check=True)
    if cause.blind:
        assert_left_alone(tap, result, before=before)
        return
    report = result["taps"][0]
    assert (report["action"], report["state"]) == ("fallback", "automatic")
    assert report["changed"] == (before == "steered")
    assert_packets(tap, before)


def test_what_cannot_be_told_is_not_taken_off(tap: HeldTap, cause: Cause, before: str) -> None:
    """The device may have anybody's program, whose loader has closed its descriptor."""
    result = run_module("tap_steering", {"taps": ["tap0"], "state": "absent"}, wrapper=cause.wrapper)
    if cause.blind:
        assert_left_alone(tap, result, before=before)
        return
    report = result["taps"][0]
    assert (report["fallback"], report["state"]) == (None, "automatic")
    assert report["action"] == ("detach" if before == "steered" else "none")
    assert_packets(tap, "automatic")


def test_detaching_needs_no_bpf(tap: HeldTap, cause: Cause, before: str) -> None:
    """Where it is asked for. A detach that was done is a change."""
    options = {"taps": ["tap0"], "state": "absent", "foreign": "replace"}
    result = run_module("tap_steering", options, wrapper=cause.wrapper)
    report = result["taps"][0]
    assert (report["fallback"], report["state"]) == (None, "automatic")
    assert report["action"] == ("detach" if cause.blind or before == "steered" else "none")
    assert result["changed"] == report["changed"] == (report["action"] == "detach")
    assert_packets(tap, "automatic")


def test_the_memory_lock_limit() -> None:
    """Kernels before 5.11 count maps against it and refuse; newer ones charge the memory cgroup and do not."""
    limited = ("prlimit", "--memlock=4096", "setpriv", "--bounding-set=-sys_resource")
    with HeldTap("tap0") as tap:
        report = run_module("tap_steering", {**WANTED, "redirect": False}, wrapper=limited)["taps"][0]
        if KERNEL >= (5, 11):
            assert (report["state"], report["fallback"]) == ("steered", None)
            assert {queue for queue, _frame in tap.send(FRAMES)} == {1}
        else:
            assert (report["state"], report["fallback"]["stage"]) == ("automatic", "load")
            assert report["fallback"]["errno"] == errno.EPERM and "RLIMIT_MEMLOCK" in report["fallback"]["reason"]
            assert_packets(tap, "automatic")


@pytest.mark.parametrize("limit", range(5, 16))
def test_a_shortage_of_descriptors_anywhere(tap: HeldTap, limit: int) -> None:
    """Wherever the descriptors run out, there is one sentence, and packets show what is claimed."""
    engine.run(["tap0"], STEERED_BEFORE)
    result = run_module("tap_steering", {**WANTED, "redirect": False}, wrapper=("prlimit", f"--nofile={limit}"))
    if result.get("failed"):
        assert "cannot be looked at: Too many open files" in result["msg"] or "may be steered by" in result["msg"]
        assert_packets(tap, "steered")
    elif result["fallback"]:
        assert result["taps"][0]["state"] == "automatic"
        assert_packets(tap, "automatic")
    elif result["taps"][0]["action"] == "keep":  # it takes a load to tell a direct build, and what is unknown is left
        assert (result["taps"][0]["state"], result["changed"]) == ("unknown", False)
        assert "Too many open files" in result["taps"][0]["reason"] or "cannot be told" in result["taps"][0]["reason"]
        assert_packets(tap, "steered")
    else:
        assert result["taps"][0]["state"] == "steered"
        assert {queue for queue, _frame in tap.send(FRAMES)} == {1}


# What a steering program must not do, as C; the sentence that its refusal must give, in any kernel's words.
REFUSED = {
    "reads out of bounds": (
        "rodata[bpf_get_prandom_u32()]",
        r"unbounded memory access|unbounded.*min value|outside of the (array|allowed memory) range",
        errno.EACCES,
    ),
    "never ends": (
        "({ while (bpf_get_prandom_u32()) ; 0; })",
        r"infinite loop detected at insn \d+",
        errno.EINVAL,
    ),
    "writes .rodata": ("({ *(volatile unsigned char *)rodata = 1; 0; })", "write into map forbidden", errno.EACCES),
}
WRONG = {"always queue 0": "0", "a queue at random": "bpf_get_prandom_u32() & 3"}
LIBBPF_VERIFIER_ERROR = 4007  # what libbpf before 0.7 makes of the kernel's errno


@pytest.fixture
def run_with(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Any]]:
    """The engine with another program than the embedded one; gives what the module would report."""

    def steer(queue: str, **options: t.Any) -> dict[str, t.Any]:
        monkeypatch.setattr(engine, "Applier", functools.partial(Applier, elf=formal_program(queue)))
        outcome = engine.run(["tap0"], Desired(hash_key=KEY, **PLAIN, **options)).outcomes[0]
        return outcome_report(outcome, netns="", check=False)

    return steer


@pytest.mark.parametrize("fallback", FALLBACKS)
@pytest.mark.parametrize("fault", REFUSED)
def test_an_object_that_the_verifier_refuses(
    tap: HeldTap, before: str, fallback: str, fault: str, run_with: t.Callable[..., dict[str, t.Any]]
) -> None:
    queue, reason, number = REFUSED[fault]
    report = run_with(queue, fallback=fallback)
    if report["fallback"]["errno"] == LIBBPF_VERIFIER_ERROR:
        number = LIBBPF_VERIFIER_ERROR
    cause = Cause("verifier", (), "load", f"verifier refused the program: .*({reason})", number, blind=False)
    assert_fell_back(tap, report, cause=cause, fallback=fallback, before=before)
    log = report["fallback"]["verifier_log"]
    assert re.search(reason, log)


def test_a_very_long_log_is_shortened(tap: HeldTap, run_with: t.Callable[..., dict[str, t.Any]]) -> None:
    """The verifier walks a loop round by round: what it says of one that ends badly has a megabyte."""
    report = run_with(
        "({ for (volatile unsigned long i = 0; i < 2000; i++) ; rodata[bpf_get_prandom_u32()]; })", fallback="keep"
    )
    log = report["fallback"]["verifier_log"]
    assert re.search(REFUSED["reads out of bounds"][1], report["fallback"]["reason"])
    assert log.startswith("0: ") and "bytes left out" in log and "processed " in log and len(log) < 100_000


@pytest.mark.parametrize("fallback", FALLBACKS)
@pytest.mark.parametrize("fault", WRONG)
def test_a_proof_that_fails(
    tap: HeldTap, before: str, fallback: str, fault: str, run_with: t.Callable[..., dict[str, t.Any]]
) -> None:
    report = run_with(WRONG[fault], fallback=fallback)
    cause = Cause("proof", (), "prove", r"sends test frame \d+ to queue \d, Microsoft's table to", None, blind=False)
    assert_fell_back(tap, report, cause=cause, fallback=fallback, before=before)


def test_without_a_proof_the_wrong_program_is_attached(tap: HeldTap) -> None:
    """So it is the proof that keeps it off."""
    with observe.Observer() as observer:
        (device,) = observer.devices()
    step = plan(Desired(hash_key=KEY, fallback="fail", verify=False, **PLAIN), device, new_key=bytes)
    outcome = Applier(check=False, elf=formal_program("3")).apply(step)
    assert (outcome.action, outcome.fallback) == ("attach", None)
    assert {queue for queue, _frame in tap.send(FRAMES)} == {3}


class TestBlind:
    """bpf() is refused, so nobody can tell who steers the device."""

    wrapper = refused_by_seccomp("EPERM").wrapper

    @pytest.fixture
    def queues(self) -> t.Iterator[list[int]]:
        """tap1, steered to queue 3 by a program that its holder, this process, has open: as QEMU with rss=on."""
        flags = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE
        rss = RssConfig(hash_key=KEY, hash_types=63, indirection=(0,), redirect=False, default_queue=3)
        rodata = encode(Identity("elsewhere", DeviceId(0, 0)), Configuration(rss))
        with contextlib.ExitStack() as stack:
            found = [ioctls.open_control() for _queue in range(4)]
            for descriptor in found:
                stack.callback(os.close, descriptor)
                ioctls.join_device(descriptor, "tap1", flags)
            program = stack.enter_context(SteeringProgram(load_libbpf(), rodata, queues=4))
            ioctls.set_steering_program(found[0], program.descriptor)
            yield found

    @pytest.mark.parametrize("state", ["present", "absent"])
    @pytest.mark.parametrize("fallback", FALLBACKS)
    def test_a_holder_with_a_program_is_left_alone(self, queues: list[int], state: str, fallback: str) -> None:
        options = {"taps": ["tap1"], "state": state, "fallback": fallback}
        result = run_module("tap_steering", options, wrapper=self.wrapper)
        report = result["taps"][0]
        assert (report["action"], report["state"], report["changed"]) == ("keep", "unknown", False)
        assert "may be steered by a foreign program (bpf_prog_get_next_id" in report["reason"]
        assert receiving_queues("tap1", queues) == {3}

    def test_foreign_fail_fails(self, queues: list[int]) -> None:
        result = run_module("tap_steering", {"taps": ["tap1"], "foreign": "fail"}, wrapper=self.wrapper)
        assert result["failed"] and "may be steered by a foreign program (bpf_prog_get_next_id" in result["msg"]
        assert receiving_queues("tap1", queues) == {3}

    def test_foreign_replace_falls_back(self, queues: list[int]) -> None:
        result = run_module("tap_steering", {"taps": ["tap1"], "foreign": "replace"}, wrapper=self.wrapper)
        report = result["taps"][0]
        assert (report["action"], report["state"]) == ("fallback", "unknown")
        assert receiving_queues("tap1", queues) == {3}  # what is not known to be ours is not taken off

    def test_foreign_replace_takes_off_what_is_there(self, queues: list[int]) -> None:
        options = {"taps": ["tap1"], "state": "absent", "foreign": "replace"}
        result = run_module("tap_steering", options, wrapper=self.wrapper)
        report = result["taps"][0]
        assert (report["action"], report["state"], report["changed"]) == ("detach", "automatic", True)
        assert receiving_queues("tap1", queues) == ALL_QUEUES


def receiving_queues(name: str, queues: t.Sequence[int]) -> set[int]:
    """The queues of a device of this process that FRAMES land on."""
    set_up(name)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((name, 0))
        for frame in FRAMES:
            sender.send(frame)
    found = set()
    for number, descriptor in enumerate(queues):
        with contextlib.suppress(BlockingIOError):
            while os.read(descriptor, 2000):
                found.add(number)
    return found


@pytest.fixture
def without_btf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that has no BTF of tun: the programs themselves must answer which device they steer."""

    def refuse(_libbpf: object) -> t.NoReturn:
        raise CapabilityError("no BTF")

    monkeypatch.setattr(observe, "Inspector", refuse)


@pytest.mark.usefixtures("without_btf")
def test_a_detached_program_that_the_kernel_has_not_freed_yet_is_not_taken_for_attached(tap: HeldTap) -> None:
    for _round in range(10):
        attached = engine.run(["tap0"], STEERED_BEFORE).outcomes[0]
        assert (attached.action, attached.after.state) == ("attach", "steered")
        detached = engine.run(["tap0"], Desired(present=False)).outcomes[0]
        assert (detached.action, detached.after.state) == ("detach", "automatic")
    assert_packets(tap, "automatic")


@pytest.mark.usefixtures("without_btf")
@pytest.mark.parametrize("fallback", FALLBACKS)
def test_a_proof_that_fails_without_btf(
    tap: HeldTap, before: str, fallback: str, run_with: t.Callable[..., dict[str, t.Any]]
) -> None:
    report = run_with("0", fallback=fallback)
    cause = Cause("proof", (), "prove", "sends test frame", None, blind=False)
    assert_fell_back(tap, report, cause=cause, fallback=fallback, before=before)


def test_what_was_done_is_reported_though_the_last_look_fails(tap: HeldTap, monkeypatch: pytest.MonkeyPatch) -> None:
    look = observe.Observer.devices
    failures = iter([False, True])

    def fail_the_second_time(observer: observe.Observer, links: t.Sequence[Link]) -> list[Device]:
        if next(failures):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return look(observer, links)

    monkeypatch.setattr(observe.Observer, "devices", fail_the_second_time)
    result = engine.run(["tap0"], STEERED_BEFORE)
    assert (result.outcomes[0].action, result.outcomes[0].after.state) == ("attach", "steered")
    assert any("Too many open files" in warning for warning in result.warnings)
    assert_packets(tap, "steered")
