# SPDX-License-Identifier: GPL-3.0-or-later
"""`virtnet-rss explain` of a frame and of a capture, beside what the device's program really does with them."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import FRAMES, RULE


def capture(path: Path, link_type: int = 1) -> str:
    """A classic pcap file of FRAMES."""
    records = b"".join(struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame for frame in FRAMES)
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type) + records)
    return str(path)


def hide(folder: Path, *names: str) -> None:
    """A library that cannot be imported, as if it were not installed."""
    for name in names:
        (folder / f"{name}.py").write_text("raise ImportError(__name__)", encoding="utf-8")


@pytest.fixture
def steered(service: Running, tap: HeldTap) -> Running:
    assert tap.pid
    service.write(RULE)
    service.command("apply")
    return service


def test_a_frame_goes_where_explain_says(steered: Running, tap: HeldTap) -> None:
    for queue, frame in tap.send(FRAMES[:8]):
        lines = steered.command(
            "explain", "--frame", frame.hex(), "--device", "tap0", "--netns", ""
        ).stdout.splitlines()
        assert lines[-1].endswith(f"names queue {queue}") or lines[-1].endswith(f"default queue, {queue}")


@pytest.mark.parametrize("hidden", [(), ("dpkt",)], ids=["dpkt", "scapy"])
def test_so_do_the_frames_of_a_capture(
    steered: Running, tap: HeldTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: tuple[str, ...]
) -> None:
    hide(tmp_path, *hidden)
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(tmp_path))
    lines = steered.command(
        "explain", "--pcap", capture(tmp_path / "a.pcap"), "--device", "tap0", "--netns", ""
    ).stdout.splitlines()
    queues = {frame: queue for queue, frame in tap.send(FRAMES)}
    assert len(queues) == len(FRAMES)
    for number, (frame, line) in enumerate(zip(FRAMES, lines), 1):
        assert line.startswith(f"{number} queue {queues[frame]} ")
    assert len(lines) == len(FRAMES) + 1


@pytest.mark.parametrize("hidden", [(), ("dpkt",)], ids=["dpkt", "scapy"])
def test_a_file_that_is_no_capture(
    steered: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: tuple[str, ...]
) -> None:
    hide(tmp_path, *hidden)
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(tmp_path))
    (tmp_path / "text").write_text("no capture at all, but a text that is long enough for a header", encoding="utf-8")
    for path, sentence in (
        (capture(tmp_path / "a.pcap", 105), "link type 105"),
        (str(tmp_path / "none"), "it cannot be read: No such file"),
        (str(tmp_path / "text"), "it is no pcap or pcapng file"),
    ):
        refused = steered.command("explain", "--pcap", path, "--device", "tap0", "--netns", "", check=False)
        assert refused.returncode == 1 and sentence in refused.stderr and "Traceback" not in refused.stderr


def test_without_a_library(steered: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(tmp_path, "dpkt", "scapy")
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(tmp_path))
    refused = steered.command(
        "explain", "--pcap", capture(tmp_path / "a.pcap"), "--device", "tap0", "--netns", "", check=False
    )
    assert refused.stderr.strip().endswith("neither is there: install python3-dpkt")
