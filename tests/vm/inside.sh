#!/bin/sh
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What `tests/vm/run kernels` runs in each VM, as root, in the copy of the collection: the program and the engine on this
# kernel, with this libbpf and this Python. Tests of modules need Ansible, which the VMs do not have.
set -eu

modprobe tun
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
export PYTHONPATH=/root/tree
python3 -m pytest -q -p no:cacheprovider tests/kernel/test_packets.py tests/kernel/test_steering.py
