# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: lines for the user who has called Ansible. Runs on the controller.

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

__all__ = ("tell",)


def tell(lines: t.Iterable[str]) -> None:
    """At every verbosity. What a host answers must not move the user's cursor."""
    for line in lines:
        Display().display("".join(letter if letter.isprintable() else "?" for letter in line))
