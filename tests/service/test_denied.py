# SPDX-License-Identifier: GPL-3.0-or-later
"""The service on hosts that lack something: each is made by mounts of its own, over what the host has."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.refuse_call import refusing
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import RULE, assert_steered, info, wait_until_steered

# Of the folders that the dynamic linker looks in, a copy-on-write view without the library.
NO_LIBBPF = """
set -e
find /usr/lib /lib -name 'libbpf.so*' -printf '%h\\n' | sort -u | while read -r folder; do
    scratch=$(mktemp -d) && mount -t tmpfs none "$scratch" && mkdir "$scratch/upper" "$scratch/work"
    mount -t overlay -o "lowerdir=$folder,upperdir=$scratch/upper,workdir=$scratch/work" none "$folder"
    rm -f "$folder"/libbpf.so*
    umount --lazy "$scratch" && rmdir "$scratch"
done
"""
NO_BTF = "set -e; mount -t tmpfs none /sys/kernel/btf"
PROC_SUBSET = "set -e; mount -t proc -o subset=pid proc /proc"
ETC_READ_ONLY = "set -e; mount --bind /etc /etc && mount -o remount,bind,ro /etc"


def behind(mounts: str) -> list[str]:
    """A command's beginning, after which the rest of it sees these mounts and nobody else does."""
    return ["unshare", "--mount", "sh", "-c", f'{mounts}\nexec "$@"', "sh"]


def status_line(service: Running) -> str:
    return service.command("status", check=False).stdout.splitlines()[0]


def has_inspector(pid: int) -> bool:
    """Its iterator is reached through a link."""
    return "anon_inode:bpf_link" in subprocess.check_output(["ls", "-l", f"/proc/{pid}/fd"], text=True)


def test_no_libbpf(service: Running, tap: HeldTap) -> None:
    """What is steered stays so; a new device has automatic selection; the reason is told where an operator looks."""
    service.write(RULE)
    service.command("apply")
    service.start(wrapper=behind(NO_LIBBPF))
    assert_steered(tap)
    with HeldTap("tap1") as late:
        eventually(lambda: "libbpf" in service.status_text())
        assert late.pid and info("tap1")["state"] == "automatic"
        assert "libbpf" in status_line(service)
    assert_steered(tap)


def test_a_command_without_libbpf_fails_and_says_so(service: Running, tap: HeldTap) -> None:
    """K8, row 14: `top` showed nothing, and was well."""
    assert tap.pid
    service.write(RULE)
    for words in (("top", "--rounds", "1"), ("apply",)):
        done = service.command(*words, wrapper=behind(NO_LIBBPF), check=False)
        assert done.returncode == 1 and "libbpf" in done.stderr + done.stdout, (words, done)


def test_libbpf_comes_back(service: Running, tap: HeldTap) -> None:
    """The service steers then, and asks the kernel itself again which program steers which device."""
    service.write(RULE)
    service.start("--full", "1", wrapper=behind(NO_LIBBPF))
    assert service.process and info()["state"] == "automatic" and not has_inspector(service.process.pid)
    uncover = "umount --lazy $(findmnt --noheadings --list --types overlay --output TARGET | grep -E '^(/usr)?/lib')"
    subprocess.run(["nsenter", "--mount", "--target", str(service.process.pid), "sh", "-c", uncover], check=True)
    eventually(lambda: service.status_text() == "STATUS=1 of 1 devices steered")
    assert_steered(tap)
    assert has_inspector(service.process.pid)


def test_a_kernel_without_btf(service: Running, tap: HeldTap) -> None:
    """Programs are found another way: everything works, and what was taken off is put back."""
    service.write(RULE)
    service.start(wrapper=behind(NO_BTF))
    assert_steered(tap)
    foreign.detach(tap)
    service.wait_until_put_back(1)
    assert_steered(tap)
    assert service.status_text() == "STATUS=1 of 1 devices steered"
    assert "no BTF in /sys/kernel/btf/vmlinux" in service.stop()


@pytest.mark.parametrize("run", ["service", "apply"])
def test_etc_is_read_only(service: Running, tap: HeldTap, run: str) -> None:
    """Neither writes there."""
    service.write(RULE)
    wrapper = behind(ETC_READ_ONLY)
    assert subprocess.run([*wrapper, "touch", "/etc/virtnet-rss.test"], check=False, capture_output=True).returncode
    if run == "service":
        service.start(wrapper=wrapper)
        assert service.status_text() == "STATUS=1 of 1 devices steered"
    else:
        service.command("apply", wrapper=wrapper)
    assert_steered(tap)


def test_the_reason_is_in_the_status_line(service: Running, tap: HeldTap) -> None:
    assert tap.pid
    service.write(RULE)
    with HeldTap("tap1"):
        service.start(wrapper=refusing("EPERM"))
        eventually(lambda: "tap0: what steers it cannot be told: " in service.status_text())
        assert service.status_text().startswith("STATUS=0 of 2 devices steered; ")
        assert "Operation not permitted" in service.status_text() and service.status_text().endswith("(and 1 more)")
        assert "tap0: what steers it cannot be told: " in status_line(service)


def test_nothing_may_be_killed(service: Running, tap: HeldTap) -> None:
    """As in a container under AppArmor, whose profile lets nobody signal even a child: each pass failed."""
    service.write({**RULE, "match": {"device": "tap0", "holder": "python*"}})
    wrapper = refusing("EACCES", "kill")
    assert service.command("apply", "--dry-run", wrapper=wrapper).stdout
    service.start(wrapper=wrapper)
    wait_until_steered()
    assert_steered(tap)
    assert service.status_text() == "STATUS=1 of 1 devices steered"


def test_a_proc_of_processes_only(service: Running, tap: HeldTap) -> None:
    """K1, row 8: when a program was loaded cannot be told there, and everything else is."""
    service.write(RULE)
    service.start(wrapper=behind(PROC_SUBSET))
    assert_steered(tap)
    for words in (("status", "--json"), ("apply", "--dry-run", "--json"), ("metrics",)):
        done = service.command(*words, wrapper=behind(PROC_SUBSET), check=False)
        assert done.returncode == 0 and "tap0" in done.stdout and not done.stderr, done
    result = run_module("tap_steering_info", {"taps": ["tap0"]}, wrapper=behind(PROC_SUBSET))
    (found,) = result["taps"]
    assert (found["state"], found["program"]["loaded_at"]) == ("steered", ""), result
