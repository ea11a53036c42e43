# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the script that ansible-test would download to put pip into its virtual environments.

Python carries a pip that can fetch the wanted one from wherever the machine's own configuration says. In processes of
their own: ensurepip switches pip's configuration files off in the process it runs in. Runs on every supported Python.
"""

from __future__ import annotations

import subprocess
import sys

# Options of the original; a venv has no setuptools or wheel unless it is asked for them.
wanted = [arg for arg in sys.argv[1:] if arg not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
subprocess.check_call([sys.executable, "-m", "pip", "install", *wanted])
