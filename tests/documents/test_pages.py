# SPDX-License-Identifier: GPL-3.0-or-later
"""Every block of README and the pages that a reader may copy is run as it is written."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import subprocess
import typing as t

import pytest
import yaml

from ansible_collections.virtnet.rss.tests.support.desk import Desk
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.libvirt import Libvirt
from ansible_collections.virtnet.rss.tests.support.pages import ROOT, Block, blocks, shape
from ansible_collections.virtnet.rss.tests.support.steered import FRAMES, info

LANGUAGES = {"sh", "console", "yaml", "json", "ini", "text", "{toctree}"}
# Blocks of shell that no test of this file runs, by a word in them, and what does run them.
ELSEWHERE = {
    "make ": "they are the sessions of noxfile.py themselves",
    "apt install ./": "tests/packages/test_packages.py",
    "ansible-pull": "tests/fleet/test_examples.py, with a repository",
}
FIRST_STEPS = "docs/first-steps.md"
SERVICE = "docs/service.md"
RULES = blocks("yaml", page="docs/playbooks.md")[0]
SEED = "a secret text out of a vault"


def is_elsewhere(block: Block) -> bool:
    return any(word in block.text for word in ELSEWHERE)


def named(found: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", found, ids=[block.name for block in found])


@pytest.fixture
def guests(desk: Desk) -> t.Iterator[list[HeldTap]]:
    """web-1 with vnet0, and vnet1 without a name; both have some packets to come."""
    libvirt = Libvirt(desk.folder, "libvirtd", "vnet0")
    libvirt.start_guest("web-1")
    with contextlib.ExitStack() as stack:
        stack.callback(libvirt.end)
        yield [stack.enter_context(HeldTap("vnet1", 2))]


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in blocks()} <= LANGUAGES


def plays() -> list[Block]:
    """Of playbooks and of tasks; what is neither is a file of variables."""
    return [block for block in blocks("yaml") if isinstance(yaml.safe_load(block.text), list)]


@named(plays())
@pytest.mark.usefixtures("guests")
def test_playbooks_and_tasks_run(desk: Desk, block: Block) -> None:
    items = yaml.safe_load(block.text)
    output = desk.play(items) if "hosts" in items[0] else desk.tasks(items)
    assert "failed=0" in output and "unreachable=0" in output


@pytest.mark.usefixtures("guests")
def test_variables_are_such(desk: Desk) -> None:
    """The rules go into the rollout below; what is left is an option of a task."""
    left = [block for block in blocks("yaml") if block not in plays() and block != RULES]
    options = {name: value for block in left for name, value in yaml.safe_load(block.text).items()}
    desk.tasks([{"virtnet.rss.tap_steering": {"taps": ["vnet*"], **options}}], vault_rss_seed=SEED)
    assert info("vnet0")["state"] == "steered"


def commands() -> list[Block]:
    """Shell that needs no more than what the page has said before."""
    return [block for block in blocks("sh") if block.page != FIRST_STEPS and not is_elsewhere(block)]


@named(commands())
@pytest.mark.usefixtures("guests")
def test_commands_run(desk: Desk, block: Block) -> None:
    (desk.folder / "rules.yml").write_text(RULES.text, encoding="utf-8")
    if block.text.startswith("virtnet-rss"):
        desk.tasks([{"virtnet.rss.host_service": None}])
        desk.host.run("bash", "-euc", block.text)
    else:
        desk.run(block.text)


def test_what_runs_elsewhere_is_there() -> None:
    texts = [block.text for block in blocks("sh")]
    assert [word for word in ELSEWHERE if not any(word in text for text in texts)] == []


@named(blocks("json"))
def test_policies_are_accepted(desk: Desk, block: Block) -> None:
    desk.tasks([{"virtnet.rss.host_service": None}])
    desk.host.run("tee", "/root/10.json", given=block.text)
    assert "rules" in desk.host.run("virtnet-rss", "check", "/root/10.json").stdout


def test_first_steps(desk: Desk, guests: list[HeldTap]) -> None:
    """From the clone to a guest that is steered, and back, in the order of the page; the inventory is the page's."""
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    for name in filter(None, names):
        (desk.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, desk.folder / name, follow_symlinks=False)
    home = str(desk.folder / "home")
    run, states = [], []
    for block in blocks(page=FIRST_STEPS):
        if block.language == "ini":
            (desk.folder / "inventory").write_text(block.text, encoding="utf-8")
        elif block.language == "yaml":
            (desk.folder / block.text.splitlines()[0].strip("# ")).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            run.append(desk.run(block.text, HOME=home, ANSIBLE_COLLECTIONS_PATH=f"{home}/.ansible/collections"))
            states.append(info("vnet0")["state"])
            guests[0].send(FRAMES)
    assert '"supported": true' in "".join(run)
    assert '"advice":' in "".join(run)
    assert sorted(set(states)) == ["automatic", "steered"] and states[-1] == "automatic"
    assert {line for line in DIFF.splitlines() if line} <= set("".join(run).splitlines())


DIFF = next(block.text for block in blocks("text", page=FIRST_STEPS) if block.text.startswith("--- before"))


@pytest.fixture
def service(desk: Desk, guests: list[HeldTap]) -> t.Iterator[Desk]:
    """As the page has it: one rule, which steers both guests, and packets for them."""
    desk.tasks([{"virtnet.rss.host_service": None}])
    desk.host.run("mkdir", "-p", "/etc/virtnet-rss/policy.d")
    policy = json.dumps({"rules": [{"name": "guests", "match": {"device": "vnet*"}}]})
    desk.host.run("tee", "/etc/virtnet-rss/policy.d/10.json", given=policy)
    command = [*desk.host.wrapper, "virtnet-rss", "run"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        eventually(lambda: info("vnet1")["state"] == "steered", 20)
        guests[0].send(FRAMES)
        yield desk
        process.terminate()


def sessions() -> list[tuple[str, str]]:
    """Each command of the service's page with what it prints, a wrong policy's last."""
    found = []
    for block in blocks("console", page=SERVICE):
        for part in block.text.split("$ ")[1:]:
            command, output = part.split("\n", 1)
            found.append((command, output))
    return sorted(found, key=lambda session: session[0] == "virtnet-rss check")


def told(desk: Desk, command: str) -> list[str]:
    done = desk.host.run(*shlex.split(command), "--netns", "", check=False)
    return shape(done.stdout + done.stderr)


def test_what_the_service_prints(service: Desk) -> None:
    """Line by line but for numbers; a device that got no packet has no spread."""
    for command, output in sessions():
        if command == "virtnet-rss check":
            wrong = json.dumps({"rules": [{"name": "guests", "hash_types": ["tcp4"]}]})
            service.host.run("tee", "/etc/virtnet-rss/policy.d/10.json", given=wrong)
            done = service.host.run(*shlex.split(command), check=False)
            promised = output.strip().rstrip(".").rstrip(" .").rsplit(",", 1)[0]
            assert done.returncode == 1 and done.stderr.startswith(promised)
        else:
            assert told(service, command) == shape(output), command
