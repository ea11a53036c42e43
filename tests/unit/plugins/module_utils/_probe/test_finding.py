# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import (
    CapabilityError,
    DeviceError,
    ObjectError,
    VerifierError,
    VirtnetRssError,
)
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import Finding, judge

LACKING = ("CAP_BPF", "CAP_PERFMON")

# what happened, what the process lacks, the answer, a part of the sentence
ERRORS = [
    (ObjectError("load: not implemented", errno=errno.ENOSYS), (), "no", "knows no such call"),
    (ObjectError("load: not implemented", errno=errno.ENOSYS), LACKING, "no", "knows no such call"),
    (ObjectError("load: not permitted", errno=errno.EPERM), LACKING, "unknown", "lacks CAP_BPF, CAP_PERFMON"),
    (ObjectError("load: not permitted", errno=errno.EPERM), (), "unknown", "although"),
    (ObjectError("load: invalid", errno=errno.EINVAL), (), "no", "load: invalid"),
    (ObjectError("load: invalid", errno=errno.EINVAL), LACKING, "unknown", "lacks"),
    (ObjectError("load: no memory", errno=errno.ENOMEM), (), "unknown", "load: no memory"),
    (VerifierError("refused: back-edge", log="back-edge", errno=errno.EACCES), (), "no", "refused: back-edge"),
    (VerifierError("refused: back-edge", log="back-edge", errno=errno.EACCES), LACKING, "unknown", "lacks"),
    (CapabilityError("libbpf was not found"), (), "unknown", "libbpf was not found"),
    (CapabilityError("libbpf was not found"), LACKING, "unknown", "libbpf was not found"),
    (DeviceError("cannot copy", errno=errno.EMFILE), (), "unknown", "cannot copy"),
    (OSError(errno.ENODEV, "No such device", "/dev/net/tun"), (), "no", "/dev/net/tun: No such device"),
    (OSError(errno.EACCES, "Permission denied", "/dev/net/tun"), (), "unknown", "/dev/net/tun: Permission denied"),
]


@pytest.mark.parametrize(("error", "lacking", "answer", "part"), ERRORS)
def test_judge(error: VirtnetRssError | OSError, lacking: tuple[str, ...], answer: str, part: str) -> None:
    found = judge(error, lacking)
    assert found.answer == answer
    assert part in found.sentence


def test_a_missing_library_is_not_blamed_on_capabilities() -> None:
    assert judge(CapabilityError("no libbpf"), LACKING) == Finding("unknown", "no libbpf")
