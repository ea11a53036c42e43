# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator sees of a rollout over many hosts, of which some have a policy that makes guests worse off.

Run as root: `tests/demo/rollout-output`. Each host is a network
namespace with a busy guest. With --hosts N over N hosts.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import BAD, GOOD, busy_fleet

# As docs/playbooks.md recommends: what is well needs no line of its own.
QUIET = {"ANSIBLE_DISPLAY_OK_HOSTS": "false", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false", "ANSIBLE_FORCE_COLOR": "false"}
BATCHES = [1, "10%", "30%", "100%"]
BAD_HOSTS = 0.2, 0.25  # from which part of the fleet to which: in the third batch
QUICK = {"rollout_window": 3, "rollout_soak": 1, "rollout_min_packets": 300, "rollout_serial": BATCHES}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=60)
    count = parser.parse_args().hosts
    os.environ.update(QUIET)
    with tempfile.TemporaryDirectory() as folder, busy_fleet(Path(folder), count, "hv") as fleet:
        first, last = (int(part * count) for part in BAD_HOSTS)
        for number, name in enumerate(fleet.names):
            fleet.give({"steering_rules": BAD if first <= number < last else GOOD}, name)
        done = fleet.playbook("virtnet.rss.rollout", rollout_report=f"{folder}/rollout", **QUICK)
        print("$ ansible-playbook -i inventory virtnet.rss.rollout -e rollout_report=rollout")
        print(_readable(fleet, done.stdout + done.stderr, folder))
    return 0


def _readable(fleet: Fleet, output: str, folder: str) -> str:
    """Without the places and the process's number of this run."""
    for name in fleet.names:
        output = output.replace(name, f"hv{name.rpartition('-')[2]}")
    return re.sub(r" +$", "", output.replace(f"{folder}/", ""), flags=re.MULTILINE).strip()


if __name__ == "__main__":
    sys.exit(main())
