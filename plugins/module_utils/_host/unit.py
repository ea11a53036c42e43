# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the systemd unit of the service, and what an earlier one tells.

from __future__ import annotations

import os
import re

__all__ = ("UNIT_FILE", "metrics_file_of", "policy_folder_of", "unit_text")

UNIT_FILE = "/etc/systemd/system/virtnet-rss.service"
METRICS_FILE = re.compile(rb"--metrics-file (/\S+\.prom)")
POLICY_FOLDER = re.compile(rb"--policy (/\S+)")
TEMPLATE = """\
# Written by the role virtnet.rss.steering; changes are lost at its next run.
[Unit]
Description=Keeps the TAP devices of guests steered (virtnet.rss)
Documentation=https://github.com/virtnet/rss
# The tun driver, should nothing have loaded it yet.
Wants=modprobe@tun.service
After=modprobe@tun.service
# A host that is short of something for a while must not keep it from being started again.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=1
# A helper that waits for a stranger's file cannot be killed: systemd would wait for it, and the guests for the service.
KillMode=process
WatchdogSec=30
RuntimeDirectory=virtnet-rss
RuntimeDirectoryMode=0711
RuntimeDirectoryPreserve=yes

# What the work needs and no more: loading programs, reading the tun driver, entering network namespaces, copying a
# VMM's descriptors. Everything else is taken away.
CapabilityBoundingSet=CAP_BPF CAP_PERFMON CAP_NET_ADMIN CAP_SYS_ADMIN
CapabilityBoundingSet=CAP_SYS_PTRACE CAP_SYS_RESOURCE CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=yes
PrivateTmp=yes
PrivateMounts=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw
RestrictAddressFamilies=AF_UNIX AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=net
LockPersonality=yes
MemoryDenyWriteExecute=no
SystemCallArchitectures=native
SystemCallFilter=@system-service bpf pidfd_getfd
SystemCallErrorNumber=EPERM
IPAddressDeny=any
UMask=0077
# More than its 64 MiB and 100 KiB for the program of each of some thousand guests is a mistake, and so are more tasks.
# A core would have hash keys in it.
MemoryMax=1G
TasksMax=32
LimitCORE=0

[Install]
WantedBy=multi-user.target
"""


def unit_text(*, program: str, policy_folder: str, metrics_file: str, measure: bool) -> str:
    """The unit file. ``metrics_file`` is an absolute path or empty."""
    command = [program, "run", "--policy", policy_folder]
    command += ["--metrics-file", metrics_file] if metrics_file else []
    command += ["--measure"] if measure else []
    # The folder's absence must not keep the service from starting; it is then told in the status line.
    writable = ["/run", *([f"-{os.path.dirname(metrics_file)}"] if metrics_file else [])]
    return TEMPLATE.format(command=" ".join(command), writable=" ".join(writable))


def metrics_file_of(unit: bytes | None) -> str:
    """Where the service of this unit wrote metrics; empty for nowhere."""
    found = METRICS_FILE.search(unit or b"")
    return os.fsdecode(found.group(1)) if found else ""


def policy_folder_of(unit: bytes | None) -> str:
    """What the service of this unit reads; empty where the unit does not tell."""
    found = POLICY_FOLDER.search(unit or b"")
    return os.fsdecode(found.group(1)) if found else ""
