# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs recorded on Linux 6.18 by loading tests/support/formal.bpf.c with one fault after the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.verifier_log import summarise, verifier_log

LOGS: dict[str, list[str]] = json.loads(Path(__file__).with_name("verifier_logs.json").read_text(encoding="utf-8"))
PASSED = "no descriptor left for a program that passed, libbpf 1.1"
TELLING = {
    "memory out of bounds": (
        "R1 unbounded memory access, make sure to bounds check any such access (9 more lines in the log)"
    ),
    "stack out of bounds": (
        "invalid variable-offset read from stack R1 var_off=(0x0; 0xf) off=-8 size=1 (14 more lines in the log)"
    ),
    "unset register": "R7 !read_ok (11 more lines in the log)",
    "context out of bounds": "invalid bpf_context access off=200 size=4 (4 more lines in the log)",
    "unknown helper": "invalid func unknown#2000 (4 more lines in the log)",
    "frozen map written": "write into map forbidden, value_size=38012 off=0 size=1 (6 more lines in the log)",
    "endless loop": "infinite loop detected at insn 1 (14 more lines in the log)",
    "loop too long": "BPF program is too large. Processed 1000001 insn (16 more lines in the log)",
}


def recorded(name: str) -> str:
    return verifier_log([line + "\n" for line in LOGS[name]])


def test_every_recorded_log_is_used() -> None:
    assert set(LOGS) == {PASSED, *(f"{fault}, libbpf {version}" for fault in TELLING for version in ("0.3", "1.1"))}


@pytest.mark.parametrize("version", ["0.3", "1.1"])
@pytest.mark.parametrize("fault", TELLING)
def test_the_line_that_says_why(fault: str, version: str) -> None:
    log = recorded(f"{fault}, libbpf {version}")
    assert summarise(log) == TELLING[fault]
    assert len(log.splitlines()) == int(TELLING[fault].rpartition("(")[2].split()[0]) + 1


@pytest.mark.parametrize("name", LOGS)
def test_the_log_is_the_verifiers_alone(name: str) -> None:
    """From its first line to its last, whatever libbpf wrote around it."""
    log = recorded(name)
    assert "libbpf" not in log and "BEGIN" not in log and "END" not in log
    assert log.splitlines()[-1].startswith("processed ")
    assert name == PASSED or log.startswith("0: ")


def test_a_program_that_passed_was_not_refused() -> None:
    """The kernel had no descriptor left for it, and its log tells nothing but the work done."""
    assert recorded(PASSED).startswith("processed 3270 insns") and summarise(recorded(PASSED)) == ""


def test_no_log() -> None:
    assert verifier_log([]) == verifier_log(["libbpf: failed to load object 'vnrss'\n"]) == ""
    assert summarise("") == ""


def test_a_log_that_was_cut_off() -> None:
    """It ends where libbpf's buffer did, without its end mark."""
    lines = LOGS["unset register, libbpf 1.1"]
    end = next(number for number, line in enumerate(lines) if "!read_ok" in line)
    cut = verifier_log([line + "\n" for line in lines[: end + 1]])
    assert summarise(cut) == "R7 !read_ok (10 more lines in the log)"
