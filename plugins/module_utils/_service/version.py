# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the release, for the program that carries no galaxy.yml. A unit test compares the two.

from __future__ import annotations

__all__ = ("VERSION",)

VERSION = "0.2.0"
