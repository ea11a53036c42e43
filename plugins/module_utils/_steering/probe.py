# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the steering program that a probe loads, and what the findings mean for tap_steering. It is
# here and not in _probe, which knows neither what a configuration is nor what steering does without a feature.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._probe.bpf import Trial
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import YES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    DEFAULT_HASH_TYPES,
    RssConfig,
    hash_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import MICROSOFT_KEY
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof import microsoft_frames
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._steering.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import Finding

__all__ = ("harmless_trial", "verdict")

QUEUES = 16  # with these, the first of Microsoft's frames goes elsewhere than to the default queue


def harmless_trial() -> Trial:
    """A program for no device of this network namespace: whoever looks meanwhile sees that it steers nothing there."""
    rss = RssConfig(MICROSOFT_KEY, hash_types_to_mask(DEFAULT_HASH_TYPES), tuple(range(QUEUES)))
    frame, _hash = microsoft_frames()[0]
    rodata = encode(Identity("", 0, current_namespace().inode), Configuration(rss, statistics=False))
    return Trial(rodata, QUEUES, frame, steer(frame, rss).queue)


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
