# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test has a network namespace of its own, and must give back every descriptor and every BPF program."""

from __future__ import annotations

from ansible_collections.virtnet.rss.tests.support.fixtures import (
    own_namespace,
    program,
    pytest_sessionstart,
    service,
    tap,
)

__all__ = ("own_namespace", "program", "pytest_sessionstart", "service", "tap")
