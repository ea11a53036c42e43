# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the compiled objects, out of the archive that bpf/embed.py makes of them.

from __future__ import annotations

import base64
import functools
import sys

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import objects
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError

__all__ = ("embedded_object",)


@functools.lru_cache(maxsize=None)  # loaded anew for each device
def embedded_object(name: str) -> bytes:
    """The ELF of a build, such as ``steering_full_direct``, for this host's byte order; CapabilityError where Python
    was built without xz."""
    try:
        import lzma  # here: a host that cannot is told so, and steers nothing
    except ImportError as exc:
        raise CapabilityError(f"the Python on this host cannot unpack the BPF programs: {exc}") from exc
    begin, end = objects.PLACES[sys.byteorder][name]
    packed = base64.b64decode(objects.OBJECTS[sys.byteorder])
    return lzma.LZMADecompressor().decompress(packed, max_length=end)[begin:]
