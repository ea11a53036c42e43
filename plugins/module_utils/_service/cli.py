# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the command line of the service, virtnet-rss: from its words to an exit status.

from __future__ import annotations

import os
import sys
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import VirtnetRssError, sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._service.commands import COMMANDS
from ansible_collections.virtnet.rss.plugins.module_utils._service.parser import INTERRUPTED, NOT_AS_WANTED, parser
from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import complain

__all__ = ("main",)


def main(words: t.Sequence[str] | None = None) -> int:
    """The exit status, one of EXIT_STATUSES."""
    try:
        arguments = parser().parse_args(words)
        return COMMANDS[arguments.command](arguments) or 0
    except BrokenPipeError:  # such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except VirtnetRssError as exc:
        complain(f"virtnet-rss: {exc}")
        return NOT_AS_WANTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as exc:  # such as a device that goes in the middle of a look
        complain(f"virtnet-rss: {sentence_of(exc)}")
        return NOT_AS_WANTED
