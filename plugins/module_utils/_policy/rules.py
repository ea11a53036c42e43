# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a policy: rules that say which device is steered how; the first that matches decides. Pure.

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired

__all__ = ("Match", "Policy", "Rule", "Subject")


@dataclass(frozen=True)
class Subject:
    """What is known of a device when a rule for it is looked for."""

    device: str
    netns: str = ""  # its name; empty for the service's own and for one without a name
    own_netns: bool = True  # it is in the network namespace of the service
    holders: tuple[str, ...] = ()  # their commands
    domain: str = ""  # libvirt's name of the guest
    interface: int | None = None  # index of the network card in its guest
    mac: str | None = None  # as the VMM's arguments give it, in lower case


@dataclass(frozen=True)
class Match:
    """Everything that is given must be so; the texts are shell patterns.

    Without ``netns`` only devices in the service's own network namespace match: containers are asked for, not found.
    """

    device: str | None = None
    netns: str | None = None
    holder: str | None = None
    domain: str | None = None
    interface: int | None = None
    mac: str | None = None

    def __call__(self, subject: Subject) -> bool:
        pairs = (
            (self.device, (subject.device,)),
            (self.netns, (subject.netns,)),
            (self.holder, subject.holders),
            (self.domain, (subject.domain,) if subject.domain else ()),
            (self.mac, (subject.mac,) if subject.mac else ()),
        )
        texts = all(
            pattern is None or any(fnmatchcase(text, pattern) for text in candidates) for pattern, candidates in pairs
        )
        reachable = self.netns is not None or subject.own_netns
        return reachable and texts and self.interface in (None, subject.interface)

    @property
    def without_guest(self) -> Match:
        """What it asks of the device alone."""
        return replace(self, holder=None, domain=None, interface=None, mac=None)


@dataclass(frozen=True)
class Rule:
    """``desired`` None: the devices that match are left alone."""

    name: str
    match: Match
    desired: Desired | None


@dataclass(frozen=True)
class Policy:
    """Rules in the order in which they are asked."""

    rules: tuple[Rule, ...] = ()

    @property
    def needs_other_namespaces(self) -> bool:
        """Whether any rule can match outside of the service's own network namespace."""
        return any(rule.match.netns is not None for rule in self.rules)

    def complement(self) -> Policy:
        """Automatic selection for every device that this policy leaves alone, in any namespace; the others are left."""
        released = Desired(present=False)
        rules = [replace(rule, desired=None if rule.desired else released) for rule in self.rules]
        return Policy((*rules, Rule("all others", Match(netns="*"), released)))

    def rule_for(self, subject: Subject) -> Rule | None:
        """The first rule that matches; None: the policy does not speak of this device."""
        return next((rule for rule in self.rules if rule.match(subject)), None)

    def rule_that_needs_guest(self, subject: Subject) -> Rule | None:
        """The rule that cannot be asked while nobody knows the guest; None: the device alone tells which decides."""
        first = next((rule for rule in self.rules if rule.match.without_guest(subject)), None)
        return None if first is None or first.match == first.match.without_guest else first
