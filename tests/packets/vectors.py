# SPDX-License-Identifier: GPL-3.0-or-later
"""The named cases that came with the prototype of the program (program_vectors.json), as rows of the packet table.

Their hashes are with Microsoft's key.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.packets.table import DEFAULT, Row

__all__ = ("HASHES", "VECTOR_ROWS")

# What the prototype called otherwise.
TUNNELS = {"ip6": "ip6tnl"}
HASH_TYPES = {"l2tp": "l2tpv3", "gtpu": "gtpu_teid"}
CASES: list[dict[str, t.Any]] = json.loads((Path(__file__).parent / "program_vectors.json").read_text(encoding="utf-8"))


def _row(case: dict[str, t.Any]) -> Row:
    named = case["type"] != "none"
    return Row(
        name=f"prototype: {case['name']}",
        sentence=f"The prototype's case: {case['name']}.",
        frame=bytes.fromhex(case["frame"]),
        hash_type=HASH_TYPES.get(case["type"], case["type"]) if named else None,
        data=bytes.fromhex(case["input"]),
        enabled=(*DEFAULT, *(HASH_TYPES.get(name, name) for name in case.get("more", ()))),
        tunnels=tuple(TUNNELS.get(name, name) for name in case.get("tunnels", ())),
        symmetric=bool(case.get("symmetric")),
    )


VECTOR_ROWS = [_row(case) for case in CASES]
HASHES = {f"prototype: {case['name']}": int(case["hash"], 16) for case in CASES}
