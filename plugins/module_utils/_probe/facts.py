# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: all that virtnet.rss.capability_facts tells about a host.

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.virtnet.rss.plugins.module_utils._probe import host
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import YES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import MINIMUM_KERNEL, running_kernel
from ansible_collections.virtnet.rss.plugins.module_utils._probe.libraries import find_libbpf, find_pyroute2
from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.probes import probe_features

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.bpf import Trial
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import Finding

__all__ = ("ability", "gather", "verdict")


def ability(trial: Trial, inspector: Inspector | None) -> tuple[bool, list[str]]:
    """The verdict alone: of the other facts, pyroute2's version costs as much as all probes."""
    return verdict(probe_features(trial, host.effective_capabilities(), inspector))


def gather(trial: Trial, inspector: Inspector | None = None) -> dict[str, t.Any]:
    """The facts as plugins/modules/capability_facts.py documents them. A host that can do nothing is an answer too.

    ``trial`` is the program that is loaded and run to see whether one can be; ``inspector`` as for probe_features().
    """
    held, libbpf = host.effective_capabilities(), find_libbpf()
    findings = probe_features(trial, held, inspector)
    supported, reasons = verdict(findings)
    kernel, pyroute2 = running_kernel(), find_pyroute2()
    return {
        "supported": supported,
        "reasons": reasons,
        "kernel": {
            "release": kernel.release,
            "version": kernel.version,
            "minimum": MINIMUM_KERNEL,
            "meets_minimum": kernel.meets_minimum,
        },
        "features": {
            feature.name: {
                **asdict(findings[feature.name]),
                "minimum_kernel": feature.minimum_kernel,
                "reason": feature.reason,
            }
            for feature in FEATURES
        },
        "libbpf": asdict(libbpf),
        "pyroute2": {"present": pyroute2.present, "version": pyroute2.version},
        "capabilities": {"effective": sorted(held), "missing": sorted(host.lacking(host.CAPABILITIES, held))},
        "memlock": host.memory_lock_limit(),
        "lockdown": host.lockdown(),
        "jit": host.jit(),
        "unprivileged_bpf_disabled": host.unprivileged_bpf_disabled(),
    }


def verdict(findings: t.Mapping[str, Finding]) -> tuple[bool, list[str]]:
    """Whether tap_steering can steer here, and a sentence for each thing that it cannot do, or does another way."""
    missing: dict[Finding, list[str]] = {}  # one cause often answers for several features
    other_ways = []
    for feature in FEATURES:
        found = findings[feature.name]
        if found.answer == YES:
            continue
        if feature.required:
            missing.setdefault(found, []).append(feature.name)
        elif feature.otherwise:
            other_ways.append(f"{feature.name} is {found.answer}, so {feature.otherwise}: {found.sentence}")
    reasons = [
        f"tap_steering needs {' and '.join(names)}, and the answer is {found.answer}: {found.sentence}"
        for found, names in missing.items()
    ]
    return not missing, reasons + other_ways
