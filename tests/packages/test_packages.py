# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages by themselves, and on a system: another root file system, and a device of this kernel."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._host.packaged import POLICY_FOLDER, PROGRAM, unit
from ansible_collections.virtnet.rss.plugins.module_utils._service.one_file import service_file
from ansible_collections.virtnet.rss.plugins.module_utils._service.version import VERSION
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.other_root import OtherRoot
from ansible_collections.virtnet.rss.tests.support.packages import OLDER, ROOT, Packages, build
from ansible_collections.virtnet.rss.tests.support.pages import blocks
from ansible_collections.virtnet.rss.tests.support.run_module import answer
from ansible_collections.virtnet.rss.tests.support.steered import RULE, assert_steered, info

SHARE = ROOT / "roles" / "steering" / "files" / "share"
BASH = "usr/share/bash-completion/completions/virtnet-rss"
MAN = "usr/share/man/man8/virtnet-rss.8"
OWN_UNIT = "/etc/systemd/system/virtnet-rss.service"
STARTED_AT_BOOT = "/etc/systemd/system/multi-user.target.wants/virtnet-rss.service"
OWN_PROGRAM = "/usr/local/sbin/virtnet-rss"
POLICY = f"{POLICY_FOLDER}/50-steering.json"


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_linters_find_nothing(built: Packages) -> None:
    """lintian shows everything that it knows, rpmlint counts."""
    told = output("lintian", "--info", "--display-info", "--pedantic", "--fail-on=info", str(built.deb))
    assert [line for line in told.splitlines() if line[:2] in ("E:", "W:", "I:", "P:")] == []
    told = output("rpmlint", "--config", str(ROOT / "packaging" / "rpmlint.toml"), str(built.rpm))
    assert "1 packages and 0 specfiles checked; 0 errors, 0 warnings" in told


def test_two_builds_are_the_same(built: Packages, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in built]


def unpack_deb(path: Path, folder: Path) -> None:
    output("dpkg-deb", "--extract", str(path), str(folder))


def unpack_rpm(path: Path, folder: Path) -> None:
    output("sh", "-c", f"cd {folder} && rpm2cpio {path} | cpio --quiet -id")


@pytest.mark.parametrize(
    ("kind", "unpack", "units", "zsh"),
    [
        ("deb", unpack_deb, "lib/systemd/system", "usr/share/zsh/vendor-completions"),
        ("rpm", unpack_rpm, "usr/lib/systemd/system", "usr/share/zsh/site-functions"),
    ],
)
def test_what_is_in_it(
    built: Packages, tmp_path: Path, kind: str, unpack: t.Callable[[Path, Path], None], units: str, zsh: str
) -> None:
    """What the role would write, to the byte, and nothing that only the package manager's own needs."""
    unpack(getattr(built, kind), tmp_path)
    wanted = {
        PROGRAM.lstrip("/"): service_file(),
        f"{units}/virtnet-rss.service": unit().encode(),
        BASH: (SHARE / BASH.split("/", 2)[2]).read_bytes(),
        f"{zsh}/_virtnet-rss": (SHARE / "zsh" / "site-functions" / "_virtnet-rss").read_bytes(),
    }
    assert {path: (tmp_path / path).read_bytes() for path in wanted} == wanted
    assert output("gzip", "-dc", str(tmp_path / f"{MAN}.gz")) == (SHARE / MAN.split("/", 2)[2]).read_text()
    assert (tmp_path / POLICY_FOLDER.lstrip("/")).is_dir() and not [*(tmp_path / "etc").rglob("*.json")]
    assert (tmp_path / PROGRAM.lstrip("/")).stat().st_mode & 0o7777 == 0o755
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in found if "/doc/" not in path and "/lintian/" not in path} == {*wanted, f"{MAN}.gz"}


def test_what_they_need(built: Packages) -> None:
    fields = output("dpkg-deb", "--field", str(built.deb), "Version", "Depends", "Architecture")
    assert fields == f"Version: {VERSION}\nDepends: libbpf1 | libbpf0, python3 (>= 3.8)\nArchitecture: all\n"
    needed = output("rpm", "-qp", "--requires", str(built.rpm)).splitlines()
    assert {word for word in needed if "rpmlib" not in word} == {"(libbpf or libbpf1)", "/bin/sh", "/usr/bin/python3"}
    assert output("rpm", "-qp", "--queryformat", "%{version} %{arch}", str(built.rpm)) == f"{VERSION} noarch"


def steer(other: OtherRoot) -> None:
    """By a policy of the operator's own, without a service: nothing runs as pid 1 there."""
    other.run("tee", POLICY, given=json.dumps({"rules": [RULE]}))
    other.run("chmod", "0600", POLICY)
    other.run("virtnet-rss", "apply")


def test_debs_life(other: OtherRoot, older: Packages, built: Packages, tap: HeldTap) -> None:
    """Installed, used, upgraded, removed, purged."""
    other.run("dpkg", "--install", str(older.deb))
    assert other.has(STARTED_AT_BOOT) and info()["state"] == "automatic"
    steer(other)
    other.run("dpkg", "--install", str(built.deb))
    assert other.run("dpkg-query", "--show", "-f", "${Version}", "virtnet-rss").stdout == VERSION
    assert other.run("virtnet-rss", "--version").stdout == f"virtnet-rss {VERSION}\n"
    assert_steered(tap)
    other.run("dpkg", "--remove", "virtnet-rss")
    assert info()["state"] == "automatic"
    assert other.has(PROGRAM, POLICY) == {POLICY}
    other.run("dpkg", "--purge", "virtnet-rss")
    assert not other.has(PROGRAM, "/etc/virtnet-rss", STARTED_AT_BOOT, "/lib/systemd/system/virtnet-rss.service")


def test_the_page_says_how(other: OtherRoot, built: Packages) -> None:
    """Without systemd there, nothing starts the service, and `status` says so."""
    (block,) = (block for block in blocks("sh", page="docs/service.md") if "apt install ./" in block.text)
    told = other.run("bash", "-c", f"cd {built.deb.parent}\n{block.text}", check=False).stdout
    assert "Setting up virtnet-rss" in told and "the service does not run" in told
    assert other.run("virtnet-rss", "check").stdout == "/etc/virtnet-rss/policy.d: 1 rules\n"


def test_rpms_life(other: OtherRoot, older: Packages, built: Packages, tap: HeldTap) -> None:
    """On Debian, whose rpm knows no package that it depends on; its scripts run. What was not its own stays."""
    rpm = ("rpm", "--dbpath", "/run/rpm", "--nodeps")
    other.run(*rpm, "--install", str(older.rpm))
    assert other.run("rpm", "--dbpath", "/run/rpm", "--verify", "--nodeps", "virtnet-rss").stdout == ""
    steer(other)
    other.run(*rpm, "--upgrade", str(built.rpm))
    assert (
        other.run("rpm", "--dbpath", "/run/rpm", "--query", "virtnet-rss").stdout == f"virtnet-rss-{VERSION}-1.noarch\n"
    )
    assert_steered(tap)
    other.run(*rpm, "--erase", "virtnet-rss")
    assert info()["state"] == "automatic"
    assert other.has(PROGRAM, POLICY) == {POLICY}


def host_steering(other: OtherRoot, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    told = answer("host_steering", {"rules": [RULE], "wait": 5, **options}, check=check, wrapper=other.wrapper).result
    assert not told.get("failed"), told
    return told


def files(other: OtherRoot) -> str:
    """Of the package, in the package manager's eyes: empty as long as nobody has touched them."""
    return other.run("dpkg", "--verify", "virtnet-rss", check=False).stdout


def test_the_role_uses_the_package(other: OtherRoot, built: Packages, tap: HeldTap) -> None:
    other.run("dpkg", "--install", str(built.deb))
    told = host_steering(other)
    assert told["parts"] == {"policy": True, "program": False} and not other.has(OWN_PROGRAM)
    assert_steered(tap)
    assert not host_steering(other)["changed"]
    told = host_steering(other, state="look")
    assert told["devices"] and not told["refused"]
    assert host_steering(other, state="absent", check=True)["changed"] and other.has(POLICY)
    told = host_steering(other, state="absent")
    assert told["changed"] and told["given_back"] == ["tap0"]
    assert not host_steering(other, state="absent")["changed"]
    assert other.has(POLICY_FOLDER, PROGRAM, POLICY) == {POLICY_FOLDER, PROGRAM}
    assert files(other) == ""


def test_the_roles_own_program_makes_way(other: OtherRoot, built: Packages, tap: HeldTap) -> None:
    """And is there again after a rollback, which is no more than going back to what was."""
    assert host_steering(other)["parts"]["program"]
    other.run("dpkg", "--install", str(built.deb))
    told = host_steering(other)
    assert told["changed"] and told["parts"] == {"policy": False, "program": True}
    assert other.has(OWN_PROGRAM, PROGRAM) == {PROGRAM}
    assert host_steering(other, state="previous")["undone"]
    assert other.has(OWN_PROGRAM, PROGRAM) == {OWN_PROGRAM, PROGRAM}
    assert_steered(tap)
    host_steering(other, state="absent")
    assert files(other) == ""


def test_a_first_rollout_beside_a_package_is_undone(other: OtherRoot, built: Packages, tap: HeldTap) -> None:
    other.run("dpkg", "--install", str(built.deb))
    host_steering(other, step="change", rollout="first")
    assert_steered(tap)
    assert host_steering(other, state="previous", rollout="first")["undone"]
    assert info()["state"] == "automatic" and not other.has(POLICY)
    assert other.has(POLICY_FOLDER) and files(other) == ""


def test_a_place_of_its_own_is_respected(other: OtherRoot, built: Packages) -> None:
    other.run("dpkg", "--install", str(built.deb))
    host_steering(other, program="/opt/virtnet-rss")
    assert other.has("/opt/virtnet-rss") and files(other) == ""
    host_steering(other, program="/opt/virtnet-rss", state="absent")


def test_another_release_is_told(other: OtherRoot, built: Packages) -> None:
    """Only the program's answer counts, not what the package manager calls it."""
    other.run("dpkg", "--install", str(built.deb))
    other.run("tee", PROGRAM, given="#!/bin/sh\necho virtnet-rss 0.0.1\n")
    (warning,) = (text for text in host_steering(other)["warnings"] if "package" in text)
    assert "virtnet-rss 0.0.1" in warning and VERSION in warning
    host_steering(other, state="absent")


def test_an_older_build_is_called_so(older: Packages) -> None:
    assert output("dpkg-deb", "--field", str(older.deb), "Version") == f"{OLDER}\n"
