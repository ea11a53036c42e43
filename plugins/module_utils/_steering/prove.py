# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: proves a loaded program on this very kernel before any packet meets it.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import ProofError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof import proof_frames

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Configuration

__all__ = ("Prover",)

SEED = 7  # any number: the same flows each time, so that a failure can be repeated


class Prover:
    """Runs test vectors and random flows through programs and compares with the Python reference.

    What the reference says is computed once for a configuration: a fleet of devices usually shares one.
    """

    def __init__(self) -> None:
        self._expected: dict[Configuration, list[tuple[bytes, int]]] = {}

    def prove(self, program: SteeringProgram, configuration: Configuration) -> None:
        """ProofError for the first frame that goes elsewhere; the program's counters are zero afterwards."""
        for number, (frame, queue) in enumerate(self._vectors(configuration)):
            actual, _duration = program.run(frame)
            if actual != queue:
                raise ProofError(
                    f"the loaded program sends test frame {number} to queue {actual}, the reference to queue {queue}; "
                    "the program was not attached"
                )
        program.clear_counters()

    def _vectors(self, configuration: Configuration) -> list[tuple[bytes, int]]:
        if configuration not in self._expected:
            offset = configuration.l3_offset
            self._expected[configuration] = [
                (frame, steer(frame, configuration.rss, l3_offset=offset).queue)
                for frame in proof_frames(seed=SEED, l3_offset=offset)
            ]
        return self._expected[configuration]
