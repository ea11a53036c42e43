# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage-guided fuzzing (atheris) of everything that parses bytes or text which somebody else wrote; exits with 1
when one of them raises something else than the sentence that a user gets."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.robustness.figures import keep, parser_of

COLLECTION = "ansible_collections.virtnet.rss.plugins.module_utils"
SEEDS: dict[str, tuple[bytes, ...]] = {
    "policy": (
        b'{"rules": [{"name": "a", "match": {"device": "vnet*", "interface": 1, "mac": "52:54:00:00:00:01"}, '
        b'"indirection": {"equal": 4, "start": 1, "size": 128}, "hash_types": ["ipv4"], "foreign": "keep"}]}',
        b'{"rules": [{"match": {}, "hash_key": "00:01", "indirection": {"weight": [1, 2]}, "state": "ignore"}]}',
        b'{"rules": ' + b"[" * 3000,
    ),
    "rodata": (),  # made below: it has to begin with our magic
    "qemu": (
        b"-netdev\0tap,id=n0,fds=3:4:5,vhost=on\0-device\0virtio-net-pci,netdev=n0,rss=on,mac=52:54:00:12:34:56",
        b'-netdev\0{"type":"tap","id":"n0","fd":"3"}\0-device\0{"driver":"virtio-net-pci","netdev":"n0","rss":true}',
        b"-netdev\0{" + b'"a":[' * 800,
        b"-name\0guest=a,debug-threads=on\0-global\0virtio-net-pci.hash=on\0-nic\0tap,model=virtio-net-pci,fd=7",
    ),
    "flow": (b"tcp 192.0.2.1:1234 198.51.100.2:443", b"udp [2001:db8::1]:53 [2001:db8::2]:53", b"192.0.2.1 192.0.2.2"),
    "pattern": (b"vnet[0-9]*vnet12", b"[!a-c]?*tap\xff", b"[]-]*[]-]"),
    "key": (b"6d:5a:56:da", b"00" * 40, b"00 01 02"),
    "frame": (bytes(12) + b"\x08\x00E" + bytes(40), bytes(12) + b"\x86\xdd`" + bytes(60), bytes(12) + b"\x81\x00" * 3),
}
# What libFuzzer would take too long to make of single bytes.
WORDS: dict[str, tuple[str, ...]] = {
    "policy": (
        *'[]{}:,"',
        '"rules"',
        '"match"',
        '"hash_key"',
        '"indirection"',
        '"weight"',
        "null",
        "true",
        "1e999",
    ),
    "rodata": ("\\xff",),
    "qemu": (
        "\\x00",
        "-netdev",
        "-device",
        '{"type":"tap","id":',
        '"netdev":',
        "[1]",
        "null",
        "{}",
        "\\xc2\\xb2",
    ),
    "flow": ("tcp ", "udp ", "[", "]", ":", "::", "%", "99999999999", "\\xd9\\xa3"),
    "key": ("\\xd9\\xa3", ":", "0x"),
    "pattern": ("*", "[", "]", "!", "-", "\\xff", "\\x5c", "\\x5cxff"),
    "frame": ("\\x81\\x00", "\\x88\\xa8", "\\x08\\x00", "\\x86\\xdd", "\\x2b", "\\x2c", "\\x3c"),
}
SHOWN = 3000  # characters of what the fuzzer says
PLANT = "VIRTNET_RSS_FUZZ_PLANT"  # an environment variable that makes every parser fail at some input


def main() -> int:
    parser = parser_of("parsers", __doc__)
    parser.add_argument("--runs", type=int, default=300_000, help="inputs for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", choices=sorted(SEEDS), help="fuzz this one, in this process")
    arguments, rest = parser.parse_known_args()
    if arguments.child:
        _fuzz(arguments.child, rest)  # ends the process
    crashes: dict[str, str] = {}
    for name in SEEDS:
        said = fuzz(name, runs=arguments.runs, seed=arguments.seed)
        print(f"{name:8} {'FAILED' if said else 'passed'}", flush=True)
        if said:
            crashes[name] = said
            print(said)
    keep(arguments, {"parsers": sorted(SEEDS), "runs_each": arguments.runs, "crashes": crashes})
    return 1 if crashes else 0


def fuzz(name: str, *, runs: int, seed: int = 1) -> str:
    """The end of what the fuzzer said when it found something; empty when it found nothing."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs"
        inputs.mkdir()
        for number, content in enumerate(SEEDS[name]):
            (inputs / str(number)).write_bytes(content)
        words = [word.replace('"', '\\"') for word in WORDS[name]]
        (Path(folder) / "words").write_text("".join(f'"{word}"\n' for word in words), encoding="utf-8")
        options = [
            f"-dict={folder}/words",
            f"-runs={runs}",
            f"-seed={seed}",
            "-max_len=4096",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ]
        command = [sys.executable, "-m", f"{__package__}.parsers", "--child", name, *options, f"{folder}/inputs"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd=folder)
        said = done.stdout + done.stderr
    if done.returncode == 0 and f"number_of_executed_units: {runs}" in said:
        return ""
    return said[max(said.find("=== Uncaught"), 0) :][:SHOWN]


def _fuzz(name: str, options: list[str]) -> t.NoReturn:
    import atheris

    with atheris.instrument_imports(include=[COLLECTION]):
        one_input = _target(name)
    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()
    raise SystemExit(0)


def _target(name: str) -> t.Callable[[bytes], None]:
    """What is done with one input: the parser may give an answer or refuse with InputError, and nothing else."""
    from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
    from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import parse_arguments
    from ansible_collections.virtnet.rss.plugins.module_utils._names.patterns import compile_pattern
    from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule, Subject
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, decode, encode
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.flow import flow_from
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import parse_key
    from ansible_collections.virtnet.rss.plugins.module_utils._service.explain import parse_flow
    from ansible_collections.virtnet.rss.plugins.module_utils._text import as_in_kernel, written_out

    asked = Policy((Rule("", Match(device="vnet*", domain="web-*", mac="52:*"), None),))
    rss = RssConfig(bytes(range(40)), 0x1FF, tuple(range(4)))
    rodata = encode(Identity("tap0", DeviceId(1, 1)), Configuration(rss, statistics=True))

    def changed_rodata(given: bytes) -> None:
        """The first bytes choose a place: random bytes would never get past the size and the magic."""
        place = int.from_bytes(given[:2], "little") % len(rodata)
        decode((rodata[:place] + given[2:] + rodata[place + len(given) - 2 :])[: len(rodata)])

    def qemu(given: bytes) -> None:
        guest = parse_arguments(os.fsdecode(given).split("\0"))
        for nic in guest.nics:
            guest.nic_of(nic.ifname or "tap0", nic.descriptors, nic.mac)
            asked.ask(Subject(written_out(nic.ifname or "tap0"), domain=guest.name, mac=nic.mac))

    def pattern(given: bytes) -> None:
        """Its first half is the pattern, which may be refused; the rest a name."""
        text = given.decode("utf-8", "surrogateescape")
        name = written_out(text[len(text) // 2 :])
        assert as_in_kernel(name) == text[len(text) // 2 :] and name.isprintable()
        with contextlib.suppress(InputError):
            compile_pattern("name", text[: len(text) // 2]).fullmatch(name)

    parsers: dict[str, t.Callable[[bytes], object]] = {
        "policy": _policy_target(),
        "rodata": changed_rodata,
        "qemu": qemu,
        "flow": lambda given: flow_from(parse_flow(given.decode(errors="replace"))),
        "key": lambda given: parse_key(given.decode(errors="replace")),
        "frame": lambda given: steer(given, rss),
        "pattern": pattern,
    }

    def one_input(given: bytes) -> None:
        try:
            parsers[name](given)
        except InputError as exc:
            if "\n" in str(exc):
                raise AssertionError("the sentence has several lines") from exc
        if PLANT in os.environ and len(given) == 3:
            raise AssertionError("planted, to see that it is found")

    return one_input


def _policy_target() -> t.Callable[[bytes], None]:
    """The rules of a document are asked, too."""
    from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import ABOUT_GUEST, Policy, Subject
    from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import parse_document

    subjects = (Subject("vnet0", domain="a", interface=1), Subject("vnet0", unknown=ABOUT_GUEST))

    def policy(given: bytes) -> None:
        found = Policy(parse_document(given.decode(errors="replace"), "policy.json").rules)
        for subject in subjects:
            found.ask(subject)
            found.complement().ask(subject)

    return policy


if __name__ == "__main__":
    sys.exit(main())
