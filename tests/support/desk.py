# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller's folder with one hypervisor in its inventory, for documents that are to be run as they are written.

The hypervisor is this network namespace with another root file system, so nothing is installed on this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.virtnet.rss.tests.support.other_root import OtherRoot

__all__ = ("Desk",)

INVENTORY = "[hypervisors]\nhv1 ansible_host=192.0.2.11\n"


class Desk:
    def __init__(self, folder: Path, host: OtherRoot) -> None:
        self.folder, self.host = folder, host
        python = folder / "python"
        python.write_text(f'#!/bin/sh\nexec {" ".join(host.wrapper)} /usr/bin/python3 "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        # What a page's own inventory says of a host's address is for the reader; these words go before it.
        told = {"ansible_connection": "local", "ansible_python_interpreter": str(python), "rollout_soak": 1}
        told["ansible_remote_tmp"] = str(folder / "sent")  # what the controller copies there is there
        (folder / "host_vars").mkdir()
        (folder / "host_vars" / "hv1.yml").write_text(yaml.safe_dump({**told, "rollout_window": 1}), encoding="utf-8")
        (folder / "inventory").write_text(INVENTORY, encoding="utf-8")

    def run(self, command: str, inventory: str = "inventory", **environment: str) -> str:
        """In this folder, by a shell; its output. AssertionError unless it succeeds."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        known = {"PATH": path, "ANSIBLE_INVENTORY": inventory, "ANSIBLE_PIPELINING": "true", "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.folder,
            env={**os.environ, **known, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def play(self, plays: list[dict[str, t.Any]], **variables: t.Any) -> str:
        """As it is written: what it would do first, which must not fail either, then for real."""
        (self.folder / "play.yml").write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
        (self.folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        command = "ansible-playbook play.yml --extra-vars @variables.json"
        self.run(f"{command} --check --diff")
        return self.run(command)

    def tasks(self, tasks: list[dict[str, t.Any]], **variables: t.Any) -> str:
        return self.play([{"hosts": "hypervisors", "gather_facts": False, "tasks": tasks}], **variables)
