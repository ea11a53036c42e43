#!/bin/sh
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What `tests/vm/run kernels` runs in each VM, as root, in the copy of the collection.
set -eu

modprobe tun
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
export PYTHONPATH=/root/tree

if [ -e tests/kernel/selfcheck.py ]; then
    python3 tests/kernel/selfcheck.py
else
    echo "tests/kernel/selfcheck.py does not exist: nothing was checked but the VM itself"
fi
