# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator sees of a rollout over many hosts, of which some have a policy that makes guests worse off.

Run as root: `tests/demo/rollout-output`. Each host is a network namespace with a busy guest. With --hosts N over N
hosts; with --write FILE it makes docs/rollout.md of it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import BAD, GOOD, busy_fleet

# As docs/playbooks.md recommends: what is well needs no line of its own.
QUIET = {"ANSIBLE_DISPLAY_OK_HOSTS": "false", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false", "ANSIBLE_FORCE_COLOR": "false"}
BATCHES = [1, "10%", "30%", "100%"]
BAD_HOSTS = 0.2, 0.25  # from which part of the fleet to which: in the third batch
RATE = 200  # packets a second for each guest: sixty senders share the machine with the rollout
QUICK = {"rollout_window": 5, "rollout_soak": 1, "rollout_min_packets": 300, "rollout_serial": BATCHES}
COMMANDS = (
    "$ export ANSIBLE_DISPLAY_OK_HOSTS=false ANSIBLE_DISPLAY_SKIPPED_HOSTS=false",
    f"$ ansible-playbook -i inventory virtnet.rss.rollout -e rollout_report=rollout -e '{json.dumps(QUICK)}'",
)
TREE = Path(__file__).parents[5]  # of collections
PAGE = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- Made by `tests/demo/rollout-output --write docs/rollout.md`. -->
# What an operator sees of a rollout

A rollout over {count} hosts, of which {bad} have a policy that sends everything to one queue. Those are in the third
batch: it is rolled back, and the fourth is not begun. Each host was a network namespace with a guest that got {rate}
packets a second, all on one machine with {cpus} cores ({day}); the policies are in the inventory. Nothing is left out
of what is printed; only the names of hosts and files were made shorter.

```text
{output}
```
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=60)
    parser.add_argument("--write", type=Path, metavar="FILE")
    given = parser.parse_args()
    os.environ.update(QUIET)
    first, last = (int(part * given.hosts) for part in BAD_HOSTS)
    with tempfile.TemporaryDirectory() as folder, busy_fleet(Path(folder), given.hosts, "hv", rate=RATE) as fleet:
        for number, name in enumerate(fleet.names):
            fleet.give({"steering_rules": BAD if first <= number < last else GOOD}, name)
        done = fleet.playbook("virtnet.rss.rollout", rollout_report=f"{folder}/rollout", **QUICK)
        output = _readable(fleet, done.stdout + done.stderr, folder)
    output = "\n".join((*COMMANDS, output))
    print(output)
    if given.write:
        told = {"count": given.hosts, "bad": last - first, "rate": RATE, "cpus": os.cpu_count(), "output": output}
        given.write.write_text(PAGE.format(**told, day=time.strftime("%d %B %Y")), encoding="utf-8")
    return 0


def _readable(fleet: Fleet, output: str, folder: str) -> str:
    """Without this run's folders and the number of its process."""
    for name in fleet.names:
        output = output.replace(name, f"hv{name.rpartition('-')[2]}")
    return re.sub(r" +$", "", output.replace(f"{folder}/", "").replace(f"{TREE}/", ""), flags=re.MULTILINE).strip()


if __name__ == "__main__":
    sys.exit(main())
