# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options and results of virtnet.rss.tap_steering.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, NotThereError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._look.card import Chosen
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import EBPF, Guests
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import (
    difference,
    fail,
    failures_told,
    lines,
    succeed,
)
from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import OURS
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import well_known_name
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import argument_spec
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import (
    STATUS_FILE,
    read_status,
    rules_that_steer,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import OPTIONS
from ansible_collections.virtnet.rss.plugins.module_utils._steering.report import outcome_report
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._steering.shared_keys import shared_keys
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable, shown
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace, network_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._errors import VirtnetRssError
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Outcome
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("create_argument_spec", "run_module")


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/tap_steering.py documents."""
    return argument_spec(OPTIONS)


def run_module(module: GuardedModule) -> t.NoReturn:
    """Run the module; ends the process."""
    with failures_told(module):
        _run(module)


def _run(module: GuardedModule) -> t.NoReturn:
    params = module.params
    desired = desired_from(params)
    if desired.hash_key:
        name = well_known_name(desired.hash_key)
        if name:
            module.warn(
                f"hash_key is {name}: who knows the key can aim all flows at one queue; use a random key or hash_seed"
            )
    taps = ["*"] if params["taps"] is None else params["taps"]
    with network_namespace(params["netns"]), Guests().one_pass() as guests:
        result = run(
            taps,
            desired,
            only=_of_guest(params, taps),
            check=module.check_mode,
            identity_of=guests.identity_of,
        )
        of_no_use = _of_no_use(result.outcomes, guests)
    shared = shared_keys(outcome.after for outcome in result.outcomes)
    for warning in (*result.warnings, *of_no_use, *shared, *_of_the_service(result.outcomes)):
        module.warn(printable(warning))
    netns = params["netns"] or ""
    reports = [outcome_report(outcome, netns=netns, check=module.check_mode) for outcome in result.outcomes]
    answer: dict[str, t.Any] = {
        "changed": any(report["changed"] for report in reports),
        "taps": reports,
        "fallback": any(report["fallback"] for report in reports),
        "diff": [_difference(report) for report in reports],
    }
    failed = [report for report in reports if report["fallback"] and _is_failure(params, report)]
    if failed:
        reasons = "; ".join(f"{report['name']}: {report['fallback']['reason']}" for report in failed)
        fail(module, msg=f"{_failed_action(params)} failed: {reasons}", **answer)
    if result.refusals:
        _refuse(module, result.refusals, answer)
    for report in reports:
        if report["fallback"]:
            module.warn(printable(_fallback_sentence(report)))
    succeed(module, **answer)


def _of_the_service(outcomes: t.Iterable[Outcome]) -> list[str]:
    """A warning for each device that this run has changed, or would, and that the running service changes back."""
    rules = rules_that_steer(read_status(STATUS_FILE))
    return [
        f"{outcome.after.name}: the service steers this device by rule {shown(rules[outcome.after.id])} and puts its "
        "own program back within a second; change its policy instead"
        for outcome in outcomes
        if outcome.changed and outcome.after.id in rules
    ]


def _difference(report: dict[str, t.Any]) -> dict[str, str]:
    """What steers the device, a line for each thing that can change."""
    return difference(report["name"], _side(report["before"]), _side(report["after"]))


def _side(side: dict[str, t.Any]) -> str:
    program = side["program"]
    foreign = program and program["owner"] != OURS
    named = {"program": f"{program['name']} ({program['owner']})"} if foreign else {}
    return lines({"state": side["state"], **named, **(side["config"] or {})})


def _of_guest(params: dict[str, t.Any], taps: list[str]) -> set[DeviceId] | None:
    """The devices whose guest is meant, by what no other device has; None where no guest is meant. InputError for one
    that has none of the named devices."""
    chosen = Chosen(params["domain"], params["mac"])
    if chosen.is_any:
        return None
    info = look(taps, [current_namespace()], chosen=chosen)
    if info.unread:  # it may be one of them
        raise StateError("; ".join(info.unread))
    found = info.sightings
    if not found:
        option = "mac" if params["domain"] is None else "domain"
        raise NotThereError(option, params[option], "no guest like this has one of these devices")
    return {each.device.id for each in found}


def _refuse(module: GuardedModule, refusals: t.Sequence[VirtnetRssError], answer: dict[str, t.Any]) -> t.NoReturn:
    """What was named and left as it is; the others are done."""
    options = [exc.option for exc in refusals if isinstance(exc, InputError)]
    if options:
        answer["option"] = options[0]
    fail(module, msg="; ".join(dict.fromkeys(map(str, refusals))), **answer)


def _is_failure(params: dict[str, t.Any], report: dict[str, t.Any]) -> bool:
    return bool(params["fallback"] == "fail" or report["fallback"]["stage"] == "detach")


def _failed_action(params: dict[str, t.Any]) -> str:
    return "Steering" if params["state"] == "present" else "Detaching"


def _fallback_sentence(report: dict[str, t.Any]) -> str:
    fallback = report["fallback"]
    return (
        f"{report['name']}: not steered as asked, its state is {report['state']}: "
        f"{fallback['stage']} failed: {fallback['reason']}"
    )


def _of_no_use(outcomes: t.Sequence[Outcome], guests: Guests) -> list[str]:
    """A program is attached, and the guest may still see another spread, for QEMU sorts its packets again."""
    warnings = []
    for outcome in outcomes:
        if outcome.after.state == STEERED:
            implementation = guests.implementation_of(outcome.after)
            if implementation.decides != EBPF:
                warnings.append(f"{outcome.after.name}: {implementation.reason}")
    return warnings
