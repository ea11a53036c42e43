# SPDX-License-Identifier: GPL-3.0-or-later
"""A small part of each long test runs with `make test`, under the same watch as the tests of the kernel's side."""

from __future__ import annotations

from ansible_collections.virtnet.rss.tests.support.fixtures import own_namespace, pytest_sessionstart, tap

__all__ = ("own_namespace", "pytest_sessionstart", "tap")
