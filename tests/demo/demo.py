# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on real packets: watch automatic selection, steer, watch, run again, detach, watch.

It shows a case that pays, a guest that answers everything from one CPU, and one that does not, a guest that answers
nothing: `advise` tells them apart before anything is changed.

A four-queue TAP device is held by a reader process, as a VMM would hold it. For each packet that goes in we learn on
which queue it arrived and, while the device is steered, know on which one it has to arrive: one packet elsewhere ends
the demo with an error. `run` in this folder installs what is needed and starts this in a network namespace of its own.
"""

from __future__ import annotations

import collections
import os
import re
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._look.advice import advise
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import observe, wanted_configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    RssConfig,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import format_key, random_key
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.demo.picture import picture
from ansible_collections.virtnet.rss.tests.demo.traffic import VLAN_TAG, flows, packets
from ansible_collections.virtnet.rss.tests.packets.workloads import answer
from ansible_collections.virtnet.rss.tests.support.defaults import default_rss
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.measured import guest

TAP, QUEUES = "tapdemo0", 4
BAR = 32
AGAIN = 1000  # packets, after which the guest answers again: the driver forgets a flow after three seconds
Arrived = t.List[t.Tuple[int, bytes]]


def heading(number: int, text: str) -> None:
    line = f"{number}. {text}"
    print(f"\n\033[1m{line}\033[0m" if sys.stdout.isatty() else f"\n{line}", flush=True)


def run_playbook(**variables: str) -> int:
    """Run playbooks/steer.yml on this host as a user would; gives the number of changed tasks."""
    command = ["ansible-playbook", "-i", "localhost,", "-c", "local", "virtnet.rss.steer"]
    command += ["-e", "ansible_python_interpreter=/usr/bin/python3", "-e", f'{{"steering_taps": ["{TAP}"]}}']
    for name, value in variables.items():
        command += ["-e", f"{name}={value}"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    for line in result.stdout.splitlines():
        if line.startswith(("ok:", "changed:", "fatal:")) or "WARNING" in line or '"msg"' in line:
            print(f"   | {line.strip()}")
    recap = re.search(r"changed=(\d+)", result.stdout)
    if result.returncode or not recap:
        sys.exit(f"{result.stdout}\ndemo: the playbook failed")
    return int(recap.group(1))


def show(arrived: Arrived, predicted: collections.Counter[int] | None = None) -> None:
    """A bar for each queue."""
    counts = collections.Counter(queue for queue, _frame in arrived)
    longest = max(counts.values(), default=1)
    for queue in range(QUEUES):
        blocks = "█" * round(counts[queue] * BAR / longest)
        text = f"   queue {queue}  {blocks:<{BAR}} {counts[queue]:>6} arrived"
        print(text if predicted is None else f"{text} {predicted[queue]:>6} predicted")


def queue_counts(arrived: Arrived) -> list[int]:
    counts = collections.Counter(queue for queue, _frame in arrived)
    return [counts[queue] for queue in range(QUEUES)]


def send(tap: HeldTap, frames: list[bytes], *, answers: bool = False) -> Arrived:
    """Send every packet once; each must arrive once. A guest that ``answers`` does so from its first CPU alone."""
    started = time.monotonic()
    arrived: Arrived = []
    with guest(tap) as says:
        for start in range(0, len(frames), AGAIN):
            for flow in flows() if answers else ():
                says(0, answer(flow))
            arrived += tap.send(frames[start : start + AGAIN])
    print(f"   {len(frames)} packets in, {len(arrived)} out, {time.monotonic() - started:.1f} s")
    if sorted(frame for _queue, frame in arrived) != sorted(frames):
        sys.exit("demo: packets were lost or doubled")
    return arrived


def send_and_ask(tap: HeldTap, frames: list[bytes], *, answers: bool = False) -> Arrived:
    """The same, while the packets are watched as `virtnet-rss advise` does; it says whether steering would pay."""
    arrived: Arrived = []
    (sighting,) = look([TAP], [current_namespace()]).sightings
    (observation,) = observe(
        [sighting],
        lambda each: wanted_configuration(each.device),
        1,
        sleep=lambda _seconds: arrived.extend(send(tap, frames, answers=answers)),
    )
    show(arrived)
    if observation.now != queue_counts(arrived):
        sys.exit("demo: what was watched is not what arrived")
    print(f"   advise: {advise(sighting.device, observation).text}")
    return arrived


def check(arrived: Arrived, config: RssConfig) -> None:
    """Compare every packet's queue with the prediction of the Python reference."""
    expected = {frame: steer(frame, config).queue for _queue, frame in arrived}
    show(arrived, collections.Counter(expected.values()))
    wrong = sum(expected[frame] != queue for queue, frame in arrived)
    print(f"   {wrong} of {len(arrived)} packets took another queue than predicted")
    if wrong:
        sys.exit("demo: the device does not do what it was told")


def main() -> None:
    key, frames = random_key(), packets()
    config = default_rss(key, QUEUES)
    with HeldTap(TAP, QUEUES) as tap:
        heading(
            1,
            f"{TAP}: {QUEUES} queues, held by process {tap.pid}, a guest that answers from one CPU. Automatic "
            f"selection, {len(flows())} flows and ARP:",
        )
        before = send_and_ask(tap, frames, answers=True)

        heading(2, "The playbook virtnet.rss.steer attaches the steering program:")
        if run_playbook(steering_hash_key=format_key(key)) != 1:
            sys.exit("demo: the playbook did not report a change")
        after = send(tap, frames, answers=True)
        check(after, config)

        heading(3, "A second run changes nothing:")
        if run_playbook(steering_hash_key=format_key(key)) != 0:
            sys.exit("demo: the second run reports a change")
        check(send(tap, frames), config)

        heading(
            4, "Detached, the device is back to automatic selection. To a guest that answers nothing it does not pay:"
        )
        if run_playbook(steering_state="absent") != 1:
            sys.exit("demo: detaching did not report a change")
        send_and_ask(tap, [frame for frame in frames if frame[12:16] != VLAN_TAG])  # which it does not look behind
    if path := os.environ.get("PICTURE"):
        Path(path).write_text(picture(before=queue_counts(before), after=queue_counts(after)), encoding="utf-8")
    print("\nDone. The device is gone, and with it the program: nothing is left behind.")


if __name__ == "__main__":
    main()
