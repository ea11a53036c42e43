# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: all that virtnet.rss.capability_facts tells about a host.

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.virtnet.rss.plugins.module_utils._probe import host
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import MINIMUM_KERNEL, running_kernel
from ansible_collections.virtnet.rss.plugins.module_utils._probe.libraries import find_libbpf, find_pyroute2
from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.probes import probe_features
from ansible_collections.virtnet.rss.plugins.module_utils._steering.probe import harmless_trial, verdict

__all__ = ("gather",)


def gather() -> dict[str, t.Any]:
    """The facts as plugins/modules/capability_facts.py documents them. A host that can do nothing is an answer too."""
    held, libbpf = host.effective_capabilities(), find_libbpf()
    findings = probe_features(harmless_trial(), held)
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
