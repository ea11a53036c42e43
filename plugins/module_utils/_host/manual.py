# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: where the role has put man page and completions, which this side only takes away again.

from __future__ import annotations

import os

__all__ = ("manual_files",)

FILES = (
    "man/man8/virtnet-rss.8",
    "bash-completion/completions/virtnet-rss",
    "zsh/site-functions/_virtnet-rss",
)


def manual_files(program: str) -> list[str]:
    """Those of a program in ``bin`` or ``sbin``: of one elsewhere nobody would look for them."""
    folder = os.path.dirname(program)
    if os.path.basename(folder) not in ("bin", "sbin"):
        return []
    return [os.path.join(os.path.dirname(folder), "share", name) for name in FILES]
