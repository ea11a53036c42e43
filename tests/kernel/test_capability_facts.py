# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about this host, and about what is left of it for a process that may do less.

Each denial is a real one, in a child process: an ordinary user, capabilities given up, a seccomp filter. What the facts
then say of tap_steering is compared with what tap_steering does there.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import struct
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._probe.facts import gather
from ansible_collections.virtnet.rss.plugins.module_utils._probe.host import CAPABILITIES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import parse_release
from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import harmless_trial
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links

NOBODY = 65534
PR_SET_DUMPABLE, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 4, 22, 2
CAPABILITY_VERSION = 0x20080522
SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
SYS_PIDFD_GETFD = 438
SECCOMP_KILL, SECCOMP_ERRNO, SECCOMP_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000

Denial = t.Callable[[], None]


def facts_of_this_host() -> dict[str, t.Any]:
    return gather(harmless_trial())


def checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def nothing() -> None:
    pass


def become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    # as a program that such a user has started is, unlike one that has changed its user
    checked(libc().prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))


def give_up(*names: str) -> Denial:
    def deny() -> None:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: the lower 32 bits, then the upper ones
        checked(libc().capget(header, sets))
        for name in names:
            word, bit = divmod(CAPABILITIES[name], 32)
            for kind in range(3):
                sets[3 * word + kind] &= ~(1 << bit)
        checked(libc().capset(header, sets))

    return deny


def filtered(number: int, action: int) -> Denial:
    def deny() -> None:
        instructions = b"".join(
            struct.pack("=HBBI", *instruction)
            for instruction in (
                (0x20, 0, 0, 0),  # the number of the system call
                (0x15, 0, 1, number),
                (0x06, 0, 0, action),
                (0x06, 0, 0, SECCOMP_ALLOW),
            )
        )
        code = ctypes.create_string_buffer(instructions)
        program = ctypes.create_string_buffer(struct.pack("@HP", 4, ctypes.addressof(code)))
        checked(libc().prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0))

    return deny


def bpf_filtered(action: int) -> Denial:
    return filtered(SYS_BPF[os.uname().machine], action)


def in_child(deny: Denial, work: t.Callable[[], t.Any]) -> t.Any:
    """What ``work`` gives in a child process to which ``deny`` has happened."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            deny()
            with os.fdopen(writer, "wb") as stream:
                stream.write(json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        content = stream.read()
    _child, status = os.waitpid(child, 0)
    assert status == 0 and content, f"the child ended with {status} and no answer"
    return json.loads(content)


def answers(facts: dict[str, t.Any]) -> dict[str, str]:
    return {name: feature["answer"] for name, feature in facts["features"].items()}


def not_yes(facts: dict[str, t.Any]) -> dict[str, str]:
    return {name: answer for name, answer in answers(facts).items() if answer != "yes"}


def test_root_on_this_host() -> None:
    facts = facts_of_this_host()
    if not_yes(facts).get("btf_tun") == "no":  # before 5.11 a module has no BTF
        assert not_yes(facts) == {"btf_tun": "no", "task_file_iterator": "unknown"}
        assert parse_release(facts["kernel"]["version"]) < (5, 11)
    else:
        assert not_yes(facts) == {} and facts["reasons"] == []
    assert facts["supported"] is True
    assert facts["kernel"]["release"] == os.uname().release and facts["kernel"]["meets_minimum"] is True
    assert facts["libbpf"]["present"] and facts["libbpf"]["version"].split(".")[0] in ("0", "1")
    assert os.path.exists(facts["libbpf"]["path"])
    assert facts["capabilities"] == {"effective": sorted(CAPABILITIES), "missing": []}


def test_the_host_is_as_before() -> None:
    def state() -> t.Any:
        links = [(link.name, link.ifindex) for link in list_links()]
        return links, resource.getrlimit(resource.RLIMIT_MEMLOCK), os.readlink("/proc/thread-self/ns/net")

    before, programs = state(), set(inventory.program_ids(load_libbpf()))
    facts_of_this_host()
    assert state() == before
    assert not {
        name for name in map(program_name, set(inventory.program_ids(load_libbpf())) - programs) if "virtnet" in name
    }
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def program_name(number: int) -> str:
    descriptor = inventory.open_program(load_libbpf(), number)
    if descriptor is None:
        return ""
    try:
        return inventory.program_of(load_libbpf(), descriptor).name
    finally:
        os.close(descriptor)


def test_an_ordinary_user_is_told_what_can_be_told() -> None:
    facts = in_child(become_nobody, facts_of_this_host)
    assert facts["supported"] is False
    assert facts["capabilities"] == {"effective": [], "missing": sorted(CAPABILITIES)}
    found = answers(facts)
    assert found["btf_vmlinux"] == "yes"
    assert found["pidfd_getfd"] == "yes" and "CAP_SYS_PTRACE" in facts["features"]["pidfd_getfd"]["sentence"]
    for name in ("socket_filter_load", "bounded_loops", "test_run", "task_file_iterator"):
        assert found[name] == "unknown"
    assert "no" not in found.values() or found["btf_tun"] == "no"
    assert "lacks CAP_BPF" in facts["features"]["socket_filter_load"]["sentence"]


LOADED = {"socket_filter_load", "bounded_loops", "test_run", "direct_reads"}
# Linux before 6.5 refuses all of bpf() to a process without CAP_BPF, and a host may forbid user namespaces.
OPEN = {"bpf_syscall", "steering_ioctl"}


@pytest.mark.parametrize(
    ("names", "unknown", "maybe"),
    [
        (("CAP_BPF", "CAP_SYS_ADMIN"), LOADED | {"task_file_iterator"}, OPEN),
        (("CAP_BPF",), set(), set()),
        # the inspector needs it where tun is a module
        (("CAP_SYS_ADMIN",), set(), OPEN | {"task_file_iterator"}),
        # whether the verifier still gets to the end of our program is up to the kernel: not on 6.18
        (("CAP_PERFMON", "CAP_SYS_ADMIN"), {"task_file_iterator"}, OPEN | LOADED),
    ],
)
def test_capabilities_given_up(names: tuple[str, ...], unknown: set[str], maybe: set[str]) -> None:
    whole = answers(facts_of_this_host())
    facts = in_child(give_up(*names), facts_of_this_host)
    for name, answer in answers(facts).items():
        allowed = {"unknown"} if name in unknown else {whole[name], "unknown"} if name in maybe else {whole[name]}
        assert answer in allowed, (name, facts["features"][name]["sentence"])
    covered = {"CAP_BPF", "CAP_PERFMON"} if "CAP_SYS_ADMIN" not in names else set()
    assert set(facts["capabilities"]["missing"]) == set(names) - covered


@pytest.mark.parametrize(
    ("action", "syscall", "sentence"),
    [
        (SECCOMP_ERRNO | errno.ENOSYS, "no", "no such call"),
        (SECCOMP_ERRNO | errno.EPERM, "unknown", "although this process has the capabilities"),
        (SECCOMP_KILL, "unknown", "a seccomp filter kills"),
    ],
)
def test_bpf_taken_away_by_a_seccomp_filter(action: int, syscall: str, sentence: str) -> None:
    facts = in_child(bpf_filtered(action), facts_of_this_host)
    assert facts["supported"] is False and len(facts["reasons"]) >= 2
    for name in ("bpf_syscall", "socket_filter_load"):
        assert facts["features"][name]["answer"] == syscall
        assert sentence in facts["features"][name]["sentence"]
    found = answers(facts)
    assert found["task_file_iterator"] in (syscall, "unknown")
    assert (found["bounded_loops"], found["test_run"]) == ("unknown", "unknown")
    assert (found["steering_ioctl"], found["pidfd_getfd"]) == ("yes", "yes")


def test_without_pidfd_getfd_steering_goes_another_way() -> None:
    facts = in_child(filtered(SYS_PIDFD_GETFD, SECCOMP_ERRNO | errno.ENOSYS), facts_of_this_host)
    assert answers(facts)["pidfd_getfd"] == "no"
    assert facts["supported"] is True
    assert [reason for reason in facts["reasons"] if "one more queue" in reason]


def steering_fails_at() -> str | None:
    """The stage at which tap_steering fails, the look among them, as far as the proof; None when it does not."""
    result = run(["tap0"], Desired(), check=True)
    fallback = result.outcomes[0].fallback
    return fallback.stage if fallback else "look" if result.refusals else None


DENIALS: list[tuple[str, Denial]] = [
    ("root", nothing),
    ("nobody", become_nobody),
    ("no CAP_BPF", give_up("CAP_BPF")),
    ("no CAP_BPF, no CAP_SYS_ADMIN", give_up("CAP_BPF", "CAP_SYS_ADMIN")),
    ("bpf: ENOSYS", bpf_filtered(SECCOMP_ERRNO | errno.ENOSYS)),
    ("bpf: EPERM", bpf_filtered(SECCOMP_ERRNO | errno.EPERM)),
    ("pidfd_getfd: ENOSYS", filtered(SYS_PIDFD_GETFD, SECCOMP_ERRNO | errno.ENOSYS)),
]


@pytest.mark.parametrize("deny", [denial for _name, denial in DENIALS], ids=[name for name, _denial in DENIALS])
@pytest.mark.usefixtures("tap")
def test_supported_is_what_tap_steering_does(deny: Denial) -> None:
    facts, stage = in_child(deny, lambda: (facts_of_this_host(), steering_fails_at()))
    assert facts["supported"] is (stage is None)
