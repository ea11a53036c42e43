# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what modules answer with: a failure in one sentence, a difference in the options' words.

from __future__ import annotations

import contextlib
import traceback
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable_tree

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

__all__ = ("difference", "fail", "failures_told", "lines", "succeed")


@contextlib.contextmanager
def failures_told(module: AnsibleModule, done: t.Collection[str] = ()) -> t.Iterator[None]:
    """What the ``with`` block raises ends the process as the module's failure; ``done`` is what is in effect then."""
    try:
        yield
    except InputError as exc:
        fail(module, msg=str(exc), option=exc.option)
    except VirtnetRssError as exc:
        trace = traceback.format_exc()
        fail(module, msg=str(exc), changed=bool(done), errno=exc.errno, device=exc.device, exception=trace)


def succeed(module: AnsibleModule, **answer: t.Any) -> t.NoReturn:
    """Names may be any bytes; a controller refuses the whole answer of a host for one that is no UTF-8."""
    module.exit_json(**printable_tree(answer))


def fail(module: AnsibleModule, **answer: t.Any) -> t.NoReturn:
    """The same for a failure."""
    module.fail_json(**printable_tree(answer))


def difference(of: str, before: str, after: str) -> dict[str, str]:
    """``diff``, or one element of it, about the device or file ``of``."""
    return {"before": before, "after": after, "before_header": of, "after_header": of}


def lines(properties: t.Mapping[str, object]) -> str:
    """A line for each, as a playbook would have it."""
    return "".join(f"{name}: {_text(value)}\n" for name, value in properties.items())


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in (None, "", [], {}):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ("; " if any(isinstance(item, dict) for item in value) else " ").join(map(_text, value))
    return str(value)
