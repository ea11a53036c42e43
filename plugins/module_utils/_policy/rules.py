# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a policy: rules that say which device is steered how; the first that matches decides. Pure.

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._names.patterns import compile_pattern
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired

__all__ = ("ABOUT_CARD", "ABOUT_GUEST", "Answer", "Match", "Policy", "Rule", "Subject")

# Words of a match that ask for something of the guest, and those of them that ask for one of its network cards.
ABOUT_GUEST = frozenset(("holder", "domain", "interface", "mac"))
ABOUT_CARD = frozenset(("interface", "mac"))


@dataclass(frozen=True)
class Subject:
    """What is known of a device when a rule for it is looked for."""

    device: str
    netns: str = ""  # its name; empty for the service's own and for one without a name
    own_netns: bool = True  # it is in the network namespace of the service
    holders: tuple[str, ...] = ()  # their commands
    domain: str = ""  # libvirt's name of the guest
    interface: int | None = None  # index of the network card in its guest
    mac: str | None = None  # of the network card, in lower case
    names: tuple[str, ...] = ()  # the device's alternative names
    unknown: frozenset[str] = frozenset()  # words of a match for which nobody knows the answer now

    def texts(self, word: str) -> tuple[str, ...]:
        """What a pattern for this word of a match is held against."""
        if word == "device":
            return (self.device, *self.names)
        if word == "holder":
            return self.holders
        if word == "netns":
            return (self.netns,)
        found: str | None = self.domain if word == "domain" else self.mac
        return (found,) if found else ()


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

    def __call__(self, subject: Subject) -> bool | None:
        """None: what is known speaks for it, and something that it asks for is not known."""
        if self.netns is None and not subject.own_netns:
            return False
        unknown = subject.unknown
        for word, pattern in self._patterns:
            if word not in unknown and not any(map(pattern.fullmatch, subject.texts(word))):
                return False
        if self.interface is not None and "interface" not in unknown and self.interface != subject.interface:
            return False
        return None if unknown and self.asks_for(unknown) else True

    @functools.cached_property
    def _patterns(self) -> tuple[tuple[str, t.Pattern[str]], ...]:
        """Compiled once: a policy of thousands of rules is asked about hundreds of devices."""
        words = ("device", "netns", "holder", "domain", "mac")
        given = ((word, getattr(self, word)) for word in words)
        return tuple((word, compile_pattern(word, text)) for word, text in given if text is not None)

    def asks_for(self, words: t.Iterable[str]) -> tuple[str, ...]:
        """Those of the words that this match has."""
        return tuple(sorted(word for word in words if getattr(self, word) is not None))


@dataclass(frozen=True)
class Rule:
    """``desired`` None: the devices that match are left alone."""

    name: str
    match: Match
    desired: Desired | None


@dataclass(frozen=True)
class Answer:
    """The rule that decides; None: the policy does not speak of the device.

    With ``missing`` words it is the first rule that may be meant: whether it is cannot be told without them, and a
    later rule must not take its place.
    """

    rule: Rule | None
    missing: tuple[str, ...] = ()


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

    def ask(self, subject: Subject) -> Answer:
        """The first rule that matches, or may match."""
        for rule in self.rules:
            matches = rule.match(subject)
            if matches is not False:
                return Answer(rule, () if matches else rule.match.asks_for(subject.unknown))
        return Answer(None)
