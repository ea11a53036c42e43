# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of the collection as Ansible does on a managed host, without a playbook: options in, result out.

The module gets a Python of its own, the collection, and nothing else of this one than ansible's module_utils, so that
what it imports besides comes from that Python's own distribution.

Run as a program it is the other side: it runs the module named on the command line with the options on its input.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import typing as t
from dataclasses import dataclass

COLLECTION = "ansible_collections.virtnet.rss"
PYTHON = "/usr/bin/python3"
LOCK = threading.Lock()
# The folder that holds ansible_collections/virtnet/rss/tests/support, through links, as the loader sees it.
TREE = os.path.abspath(__file__).rsplit(os.sep + COLLECTION.replace(".", os.sep), 1)[0]


@dataclass(frozen=True)
class Answer:
    """What a module gave back: its result, and all that it printed."""

    result: dict[str, t.Any]
    output: str


def answer(
    name: str,
    options: dict[str, t.Any],
    *,
    check: bool = False,
    diff: bool = False,
    python: str = PYTHON,
    wrapper: t.Sequence[str] = (),
) -> Answer:
    """Run plugins/modules/NAME.py in this network namespace; ``wrapper`` is a command put in front of Python's.

    A name with dots is the full one of another module.
    """
    switches = {"_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_keep_remote_files": False}
    process = subprocess.run(
        [*wrapper, python, "-m", f"{COLLECTION}.tests.support.run_module", name],
        cwd=TREE,  # Python puts this folder into its path
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **switches}}),
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": f"{TREE}:{_locked_only_ansible()}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    try:
        result = json.loads(process.stdout)
    except ValueError:
        raise AssertionError(f"{name} gave no result: {process.stdout}{process.stderr}") from None
    result["warnings"] = [_sentence(warning) for warning in result.get("warnings", ())]
    return Answer(result, process.stdout + process.stderr)


def run_module(name: str, options: dict[str, t.Any], **how: t.Any) -> dict[str, t.Any]:
    """The result alone."""
    return answer(name, options, **how).result


def _sentence(warning: str | dict[str, t.Any]) -> str:
    """ansible-core 2.19 made a structure of a warning."""
    return warning if isinstance(warning, str) else str(warning["event"]["msg"])


def _locked_only_ansible() -> str:
    """Modules may be run by several threads at once."""
    with LOCK:
        return _only_ansible()


@functools.lru_cache(maxsize=None)
def _only_ansible() -> str:
    """A folder with ansible and no other package of the controller's."""
    spec = importlib.util.find_spec("ansible")
    assert spec and spec.origin, "these tests need ansible-core"
    folder = tempfile.TemporaryDirectory(prefix="ansible-")
    os.symlink(os.path.dirname(spec.origin), os.path.join(folder.name, "ansible"))
    _only_ansible.folder = folder  # type: ignore[attr-defined]  # goes with this process
    return folder.name


def _main(name: str) -> None:
    sys.argv = [name]
    with contextlib.ExitStack() as stack:
        # Before ansible-core 2.19 there is no such function, and it reads its input by itself.
        with contextlib.suppress(ImportError):
            from ansible.module_utils.testing import patch_module_args

            stack.enter_context(patch_module_args(json.load(sys.stdin)["ANSIBLE_MODULE_ARGS"]))
        full_name = name if "." in name else f"{COLLECTION}.plugins.modules.{name}"
        runpy.run_module(full_name, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main(sys.argv[1])
