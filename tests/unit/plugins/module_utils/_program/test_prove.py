# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import harmless_trial
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import decode


def test_the_trial_is_for_no_device_and_its_frame_tells_something() -> None:
    trial = harmless_trial()
    decoded = decode(trial.rodata)
    assert decoded is not None
    identity, configuration = decoded
    assert (identity.name, identity.id.ifindex) == ("", 0)
    assert configuration.queues == trial.queues
    assert trial.queue != configuration.rss.default_queue
