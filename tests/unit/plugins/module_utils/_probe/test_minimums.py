# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._probe.host import CAPABILITIES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import MINIMUM_KERNEL, parse_release
from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES, Feature

# Wanted from a newer kernel than the collection: one only where tun is a module, one only for speed.
NEWER = {"btf_tun", "direct_reads"}


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_row_is_complete(feature: Feature) -> None:
    assert re.search(r"commit [0-9a-f]{12} \(\"[^\"]+\"\)", feature.reason)
    assert set(feature.needs) <= set(CAPABILITIES)
    assert not (feature.required and feature.otherwise)
    newer = parse_release(feature.minimum_kernel) > parse_release(MINIMUM_KERNEL)
    assert newer is (feature.name in NEWER)


def test_the_minimum_is_that_of_the_newest_feature() -> None:
    rows = [parse_release(feature.minimum_kernel) for feature in FEATURES if feature.name not in NEWER]
    assert max(rows) == parse_release(MINIMUM_KERNEL)


def test_names_are_unique() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
