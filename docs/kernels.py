# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the page of kernel features, made of what the probes know, to the file named; `make docs` calls it."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES
from ansible_collections.virtnet.rss.tests.support.vm.suites import SUITES

HEAD = """# Kernels

Linux 5.8 is the minimum. What a host really can do is probed by `virtnet.rss.capability_facts`, never guessed of its
version: distributions bring features to older kernels, and take some away. Made of what the probes know:

| feature | since | brought by | capabilities | without it |
|---|---|---|---|---|"""
SYSTEMS = """
Where `tun` is a module, its types are known from 6.1 on in Debian's kernels, and not on 5.10: there what steers a
device is inferred from the loaded programs.

Tested in VMs by `make test-vms`, with the packet table on real TAP devices:

| system | kernel | libbpf | Python |
|---|---|---|---|"""


def page() -> str:
    """In Markdown."""
    lines = [HEAD]
    for feature in FEATURES:
        without = "no steering" if feature.required else feature.otherwise or "the same"
        cells = (f"`{feature.name}`", feature.minimum_kernel, feature.reason, " ".join(feature.needs), without)
        lines.append(f"| {' | '.join(cells)} |")
    lines.append(SYSTEMS)
    for suite in SUITES:
        lines.append(f"| Debian {suite.name} | {suite.kernel} | {suite.libbpf} | {suite.python} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
