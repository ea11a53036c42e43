# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What examples/kubevirt repeats of the collection; molecule's scenario `containers` runs it."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml

from ansible_collections.virtnet.rss.plugins.module_utils._host.unit import TEMPLATE
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy, Subject
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import parse_document

ROOT = Path(__file__).resolve().parents[2]
POLICY, DAEMON_SET = (
    yaml.safe_load((ROOT / "examples" / "kubevirt" / name).read_text(encoding="utf-8"))
    for name in ("policy.yaml", "daemonset.yaml")
)
(CONTAINER,) = DAEMON_SET["spec"]["template"]["spec"]["containers"]


def test_its_policy_is_one_and_speaks_of_pods() -> None:
    ((name, text),) = POLICY["data"].items()
    policy = Policy(parse_document(text, name).rules)
    for netns in ("cni-1", "ns:4026532001"):
        assert policy.ask(Subject(device="tap0", netns=netns)).rule


def test_it_has_the_capabilities_of_the_unit() -> None:
    lines = re.findall("^CapabilityBoundingSet=(.*)", TEMPLATE, re.MULTILINE)
    of_unit = {word.replace("CAP_", "") for line in lines for word in line.split()}
    assert set(t.cast("list[str]", CONTAINER["securityContext"]["capabilities"]["add"])) == of_unit


def test_its_image_is_of_this_release() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert CONTAINER["image"].endswith(f":{galaxy['version']}")
