# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: from the names and patterns of a task to TAP devices.

from __future__ import annotations

import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, NotThereError
from ansible_collections.virtnet.rss.plugins.module_utils._names.patterns import compile_pattern, is_pattern
from ansible_collections.virtnet.rss.plugins.module_utils._text import as_in_kernel, shown, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

__all__ = ("check_name", "check_names", "is_pattern", "names_of", "select")

NAME_MAX = 15  # bytes: IFNAMSIZ less the terminating zero
ALTNAME_MAX = 127  # of an alternative name: ALTIFNAMSIZ less the same
# net/core/dev.c dev_valid_name (whose isspace takes 0xa0 for a space), and % makes a name a template
FORBIDDEN_BYTES = frozenset(b" /:%\xa0")
# The last two are folders of /proc/sys/net that belong to no device: the kernel refuses them.
RESERVED_NAMES = (".", "..", "all", "default")


def check_names(option: str, names: t.Sequence[str]) -> None:
    """InputError for a list or a name that cannot name any device."""
    if not names:
        raise InputError(option, list(names), "name at least one TAP device or a pattern such as vnet*")
    for name in names:
        check_name(option, name, most=None if is_pattern(name) else ALTNAME_MAX)
        compile_pattern(option, name)


def check_name(option: str, name: str, *, most: int | None = NAME_MAX) -> None:
    """InputError for a text that the kernel takes for no device, or that cannot be printed; ``most`` bytes, if any."""
    allowed = name and name not in RESERVED_NAMES and name.isprintable()
    if not allowed or not FORBIDDEN_BYTES.isdisjoint(os.fsencode(name)):
        raise InputError(
            option,
            name,
            "a device name is printable and not empty, has no white space (byte a0 is some to the kernel), slash, "
            "colon or percent sign, and is not '.', '..', 'all' or 'default'",
        )
    size = len(os.fsencode(as_in_kernel(name)))
    if most is not None and size > most:
        raise InputError(option, name, f"a device name has at most {most} bytes, and this has {size}")


def select(option: str, names: t.Sequence[str], links: t.Sequence[Link]) -> tuple[list[Link], list[str]]:
    r"""The TAP devices that ``names`` mean, by their names or alternative names, each once, and a warning for each
    pattern that matches none.

    A name that is no UTF-8 is given as results show it, with ``\xff`` written out. InputError for a literal name that
    does not exist, or is no layer 2 device of the tun driver.
    """
    check_names(option, names)
    literal = {name: link for link in links for name in link.altnames}
    literal.update((name, link) for link in links for name in (link.name, written_out(link.name)))
    found: dict[int, Link] = {}
    warnings = []
    for name in names:
        if is_pattern(name):
            fits = compile_pattern(option, name).fullmatch
            matches = [link for link in links if link.is_tap and any(map(fits, names_of(link)))]
            found.update((link.ifindex, link) for link in matches)
            if not matches:
                warnings.append(f"{option}: no TAP device matches {shown(name)}")
        elif name not in literal:
            raise NotThereError(option, name, "there is no such device in this network namespace")
        else:
            link = _tap(option, literal[name])
            found[link.ifindex] = link
    return list(found.values()), warnings


def names_of(link: Link) -> list[str]:
    """What a task or a rule may call a device: its name, as results show it, and its alternative names."""
    return [written_out(name) for name in (link.name, *link.altnames)]


def _tap(option: str, link: Link) -> Link:
    if link.is_tap:
        return link
    why = f"it is {link.description}; only TAP devices of the tun driver can be steered"
    raise InputError(option, written_out(link.name), why)
