# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import grp
import pwd
import types

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.accounts import (
    group_id,
    group_name,
    user_id,
    user_name,
)


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    users, groups = {"qemu": 107, "42": 1042}, {"kvm": 36}

    monkeypatch.setattr(pwd, "getpwnam", lambda name: types.SimpleNamespace(pw_uid=users[name]))
    monkeypatch.setattr(grp, "getgrnam", lambda name: types.SimpleNamespace(gr_gid=groups[name]))
    names = {number: name for name, number in users.items()}
    monkeypatch.setattr(pwd, "getpwuid", lambda number: types.SimpleNamespace(pw_name=names[number]))
    monkeypatch.setattr(grp, "getgrgid", lambda number: types.SimpleNamespace(gr_name={36: "kvm"}[number]))


@pytest.mark.parametrize(
    ("value", "number"), [("qemu", 107), ("107", 107), ("0", 0), ("42", 1042), ("4294967294", 4294967294)]
)
def test_user(value: str, number: int) -> None:
    assert user_id("owner", value) == number


def test_group() -> None:
    assert (group_id("group", "kvm"), group_id("group", "37")) == (36, 37)


@pytest.mark.parametrize("value", ["", "nobody-knows", "-1", "1.0", "4294967295", "99999999999", "٣"])
def test_refused(value: str) -> None:
    for look_up in (user_id, group_id):
        with pytest.raises(InputError) as refusal:
            look_up("owner", value)
        assert refusal.value.option == "owner"


def test_names() -> None:
    assert (user_name(107), user_name(5), group_name(36), group_name(5)) == ("qemu", "5", "kvm", "5")
