# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's own RSS program out of a QEMU, loaded and configured as QEMU does; for the benchmark and for fuzzing."""

from __future__ import annotations

import base64
import os
import struct
import subprocess
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.tests.support.qmp import Channel, Qmp

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
    from ansible_collections.virtnet.rss.tests.support.qemu.image import Qemu

__all__ = ("PROGRAM", "TABLE_SIZE", "load", "rss_object", "run")

PROGRAM = "tun_rss_steering_prog"
TABLE_SIZE = 128  # the largest that QEMU's map takes


def rss_object(qemu: Qemu) -> bytes:
    """The ELF inside a QEMU, as it hands it out over QMP (request-ebpf, QEMU 9 on)."""
    with Channel() as channel:
        monitor = Qmp(channel)
        command = [*qemu.command, "-machine", "none", "-nodefaults", "-display", "none", *monitor.options()]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[channel.theirs.fileno()]):
            channel.theirs.close()
            encoded = monitor.ask("request-ebpf", {"id": "rss"})["object"]
            monitor.ask("quit")
    return base64.b64decode(encoded)


def load(elf: bytes, rss: RssConfig) -> BpfObject:
    """The program, configured; the caller closes it."""
    program = BpfObject(load_libbpf(), elf)
    try:
        program.load()
        for map_id in inventory.program_of(load_libbpf(), program.program_fd(PROGRAM)).map_ids:
            _fill(map_id, rss)
    except BaseException:
        program.close()
        raise
    return program


def _fill(map_id: int, rss: RssConfig) -> None:
    """By the size of its values: configuration, key or table."""
    libbpf = load_libbpf()
    descriptor = inventory.open_map(libbpf, map_id)
    if descriptor is None:
        return
    try:
        info = inventory.map_info(libbpf, descriptor)
        for key, value in enumerate(_values(info.value_size, rss)):
            inventory.write_element(libbpf, descriptor, value, key)
    finally:
        os.close(descriptor)


def _values(size: int, rss: RssConfig) -> list[bytes]:
    if size == 2:
        return [struct.pack("=H", queue) for queue in rss.indirection]
    if size == len(rss.hash_key):  # the first word in host order, the rest as it is
        return [struct.pack("=I", int.from_bytes(rss.hash_key[:4], "big")) + rss.hash_key[4:]]
    # redirect, populate_hash, hash_types, length of the table, default queue
    return [struct.pack("=BBIHH", rss.redirect, 0, rss.hash_types, len(rss.indirection), rss.default_queue)]


def run(descriptor: int, frame: bytes) -> int:
    """Its answer to a frame. It asks for the MAC header, so nothing goes in front; ObjectError EINVAL for a frame of
    which nothing is left behind the Ethernet header."""
    return inventory.run_program(load_libbpf(), descriptor, frame)[0]
