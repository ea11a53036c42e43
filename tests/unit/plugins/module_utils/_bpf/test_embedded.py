# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import lzma
import sys
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.embedded import embedded_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.objects import OBJECTS, PLACES
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError


@pytest.fixture(autouse=True)
def _forgotten() -> t.Iterator[None]:
    embedded_object.cache_clear()
    yield
    embedded_object.cache_clear()


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("name", list(PLACES["little"]))
def test_each_is_the_elf_of_its_byte_order(
    name: str, byte_order: t.Literal["little", "big"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpacked with those before it alone, it is what it is among all; EM_BPF is 247 (elf.h)."""
    monkeypatch.setattr(sys, "byteorder", byte_order)
    begin, end = PLACES[byte_order][name]
    found = embedded_object(name)
    assert found == lzma.decompress(base64.b64decode(OBJECTS[byte_order]))[begin:end]
    assert found[:6] == b"\x7fELF\x02" + (b"\x01" if byte_order == "little" else b"\x02")
    assert int.from_bytes(found[18:20], byte_order) == 247


def test_a_python_without_xz(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is no failure of the host's: it is told, and the guests stay with automatic selection."""
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(CapabilityError, match="the Python on this host cannot unpack the BPF programs"):
        embedded_object("steering")
