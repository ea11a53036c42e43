# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: all probes, in an order that lets each see what it needs.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._probe.bpf import (
    probe_bpf_syscall,
    probe_program,
    probe_task_file_iterator,
)
from ansible_collections.virtnet.rss.plugins.module_utils._probe.btf import probe_btf
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import NO, UNKNOWN, YES, Finding
from ansible_collections.virtnet.rss.plugins.module_utils._probe.host import lacking, lockdown
from ansible_collections.virtnet.rss.plugins.module_utils._probe.isolation import isolated
from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.tun import probe_pidfd_getfd, probe_steering_ioctl

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.bpf import Trial
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.isolation import Findings

__all__ = ("probe_features",)


def probe_features(trial: Trial, held: t.Collection[str], inspector: Inspector | None = None) -> Findings:
    """What each of FEATURES was found to be, for a process that has the capabilities ``held``. Raises nothing.

    An ``inspector`` that this process has loaded already is asked, and no other one loaded for that.
    """
    missing = {feature.name: lacking(feature.needs, held) for feature in FEATURES}

    def run(probe: t.Callable[[], Findings], *names: str) -> Findings:
        return isolated({name: missing[name] for name in names}, probe)

    # First of all the one that opens /dev/net/tun: where tun is a module, this loads it, and its BTF comes with it.
    found = run(probe_steering_ioctl, "steering_ioctl")
    found.update(run(probe_btf, "btf_vmlinux", "btf_tun"))
    found.update(run(probe_bpf_syscall, "bpf_syscall"))
    program = ("socket_filter_load", "bounded_loops", "test_run", "direct_reads")
    found.update(run(lambda: probe_program(trial, missing["socket_filter_load"]), *program))
    found.update(run(lambda: probe_task_file_iterator(inspector), "task_file_iterator"))
    found["task_file_iterator"] = _with_its_conditions(found)
    found.update(run(lambda: probe_pidfd_getfd(missing["pidfd_getfd"]), "pidfd_getfd"))
    return {feature.name: found[feature.name] for feature in FEATURES}


def _with_its_conditions(found: Findings) -> Finding:
    """The inspector, which answers for the iterator, needs tun's types and kernel memory too."""
    iterator, tun = found["task_file_iterator"], found["btf_tun"]
    if iterator.answer != NO:
        return iterator
    if found["btf_vmlinux"].answer == YES and tun.answer != YES:
        return Finding(UNKNOWN, f"the inspector, which would tell, needs the types of tun: {tun.sentence}")
    if lockdown() == "confidentiality":
        return Finding(NO, f"kernel lockdown keeps programs from reading kernel memory: {iterator.sentence}")
    return iterator
