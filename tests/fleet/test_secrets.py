# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller shows of secrets and of skipped tasks, whichever ansible-core it is: 2.22 masks what is displayed,
and leaves registered results as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

SEED = "a secret that nobody shall read"
KEY = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fb"


def tasks(path: Path) -> list[dict[str, t.Any]]:
    seeded = {"name": "a", "match": {"device": "vnet*"}, "hash_seed": SEED}
    keyed = {"name": "b", "match": {"device": "tap*"}, "hash_key": KEY}
    policy = {"path": str(path), "rules": [seeded, keyed]}
    mistyped = {"path": str(path), "rules": [{**seeded, "hashkey": KEY}]}
    return [
        {"virtnet.rss.host_policy": policy, "register": "done", "diff": True},
        {"ansible.builtin.debug": {"var": "done"}},
        {"ansible.builtin.debug": {"msg": "{{ done.rules | default(done.diff) | string }}"}},
        {"virtnet.rss.host_policy": mistyped, "register": "refused", "ignore_errors": True},
        {"ansible.builtin.debug": {"var": "refused"}},
        {"virtnet.rss.host_policy": policy, "register": "skipped", "when": False},
        {"ansible.builtin.assert": {"that": ["skipped is skipped", "skipped.skipped", "skipped is not changed"]}},
    ]


def test_no_secret_is_shown_and_a_skipped_task_is_known_as_such(tmp_path: Path) -> None:
    path = tmp_path / "policy.d" / "50-steering.json"
    play = tmp_path / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks(path)}]), encoding="utf-8")
    ansible = [str(Path(sys.executable).parent / "ansible-playbook"), "-vvvv", "-i", "localhost,", "-c", "local"]
    words = ["-e", "ansible_python_interpreter=/usr/bin/python3", str(play)]
    done = subprocess.run([*ansible, *words], capture_output=True, text=True, check=False, env=dict(os.environ))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "sha256" in said.lower() and "hashkey" in said  # of the diff, and of the option that there is none of
    assert SEED not in said and KEY[:12] not in said
    assert SEED in path.read_text(encoding="utf-8")
