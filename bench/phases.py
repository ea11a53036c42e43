# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in a Python of its own: one run of the engine in this network namespace, and where its time went.

`phases.py attach|replace|nothing|info plain|default` prints JSON: seconds in all, of the processor, in each phase, and
inside libbpf and the kernel, for the plain program or the one of the options' defaults.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import typing as t

STARTED = time.perf_counter()
SIX = ("ipv4", "tcpv4", "udpv4", "ipv6", "tcpv6", "udpv6")
PLAIN: tuple[tuple[str, ...], tuple[str, ...]] = (SIX, ())
DEFAULT = (
    (*SIX, "sctp", "udplite", "dccp", "esp", "ah"),
    ("gre_2784", "gre_2890", "gre_7676", "nvgre", "ipip", "ip6tnl", "pppoe", "mpls"),
)
KEYS = {"attach": bytes(40), "replace": bytes(range(40)), "nothing": bytes(range(40))}


def main(work: str, kind: str) -> None:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf import libbpf, steering_program
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
    from ansible_collections.virtnet.rss.plugins.module_utils._module import tap_steering, tap_steering_info
    from ansible_collections.virtnet.rss.plugins.module_utils._program import prove
    from ansible_collections.virtnet.rss.plugins.module_utils._rss import config
    from ansible_collections.virtnet.rss.plugins.module_utils._steering import apply, model, observe, run
    from ansible_collections.virtnet.rss.plugins.module_utils._tun import netns

    del tap_steering, tap_steering_info  # imported for their time alone
    spent = {"imports": time.perf_counter() - STARTED}
    for phase, owner, name in (
        ("load the inspector", observe.Observer, "__enter__"),
        ("look for holders", observe.Observer, "with_holders"),
        ("observe", observe.Observer, "devices"),
        ("plan", run, "plan"),
        ("specialise", apply, "encode"),
        ("load", steering_program.SteeringProgram, "__init__"),
        ("prove", prove.Prover, "prove"),
        ("swap", apply, "set_program"),
        ("libbpf and kernel", libbpf.Libbpf, "call"),
    ):
        _watch(spent, phase, owner, name)
    started, busy = time.perf_counter(), time.process_time()
    if work == "info":
        found = len(look(["*"], [netns.current_namespace()]).sightings)
    else:
        words = {"plain": PLAIN, "default": DEFAULT}[kind]
        wanted = model.Desired(
            hash_key=KEYS[work],
            hash_types=config.hash_types_to_mask(words[0]),
            tunnel_types=config.tunnel_types_to_mask(words[1]),
        )
        outcomes = run.run(["tap*"], wanted).outcomes
        found = sum(outcome.action == {"nothing": "none"}.get(work, work) for outcome in outcomes)
    total, busy = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"devices": found, "total": total, "processor": busy, "phases": spent, "peak_kib": peak}))


def _watch(spent: dict[str, float], phase: str, owner: t.Any, name: str) -> None:
    """Add the time of each call of ``owner.name`` to a phase."""
    watched = getattr(owner, name)
    spent[phase] = 0.0

    def timed(*arguments: t.Any, **options: t.Any) -> t.Any:
        begin = time.perf_counter()
        try:
            return watched(*arguments, **options)
        finally:
            spent[phase] += time.perf_counter() - begin

    setattr(owner, name, timed)


if __name__ == "__main__":
    main(*sys.argv[1:])
