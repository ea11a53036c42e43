# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: other programs of the host are run here. AnsibleModule.run_command() waits for ever.

from __future__ import annotations

import subprocess

__all__ = ("TimeoutExpired", "run_program")

TimeoutExpired = subprocess.TimeoutExpired


def run_program(*words: str, seconds: float) -> subprocess.CompletedProcess[bytes]:
    """Without input; OSError where it cannot be started, TimeoutExpired when it has not ended by then."""
    return subprocess.run(  # pylint: disable=ansible-bad-function
        words, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
    )
