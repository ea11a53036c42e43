# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the .deb and the .rpm of the service virtnet-rss into a folder: `build.py FOLDER [VERSION]`.

Both are made of the same files, which are those that the role writes. With the same SOURCE_DATE_EPOCH they are the same
to the byte. Debian's packages debhelper and rpm do the work.
"""

from __future__ import annotations

import email.utils
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._host.packaged import POLICY_FOLDER, PROGRAM, UNIT, unit
from ansible_collections.virtnet.rss.plugins.module_utils._service.one_file import service_file
from ansible_collections.virtnet.rss.plugins.module_utils._service.version import VERSION

HERE = Path(__file__).resolve().parent
SHARE = HERE.parent / "roles" / "steering" / "files" / "share"
MAINTAINER = "virtnet.rss contributors <virtnet-rss@users.noreply.github.com>"


def files(root: Path) -> None:
    """All that the service is on a host, below ``root``."""
    for path in SHARE.rglob("*"):
        if path.is_file():
            _write(root, f"/usr/share/{path.relative_to(SHARE)}", path.read_bytes(), 0o644)
    _write(root, PROGRAM, service_file(), 0o755)
    _write(root, UNIT, unit().encode(), 0o644)
    (root / POLICY_FOLDER.lstrip("/")).mkdir(parents=True)
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _write(root: Path, path: str, content: bytes, mode: int) -> None:
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(mode)


def deb(work: Path, version: str, date: int) -> None:
    """dpkg-buildpackage puts it beside its folder."""
    source = work / "deb" / "virtnet-rss"
    shutil.copytree(HERE / "debian", source / "debian")
    shutil.copytree(work / "root", source / "root")
    (source / "debian" / "changelog").write_text(
        f"virtnet-rss ({version}) stable; urgency=medium\n\n"
        f"  * Release {version} of the Ansible collection virtnet.rss.\n\n"
        f" -- {MAINTAINER}  {email.utils.formatdate(date)}\n"
    )
    _run("dpkg-buildpackage", "--build=binary", "--no-sign", "--root-command=", cwd=source)


def rpm(work: Path, version: str, date: int) -> None:
    """rpmbuild with every folder of its own here, so that no setting of the user's matters."""
    day = time.strftime("%a %b %d %Y", time.gmtime(date))
    given: dict[str, str | Path] = {"_topdir": work / "rpm", "_rpmdir": work, "staged": work / "root"}
    given |= {"version": version, "packager": MAINTAINER, "day": day}
    words = [word for name, value in given.items() for word in ("--define", f"{name} {value}")]
    _run("rpmbuild", "-bb", "--quiet", *words, str(HERE / "virtnet-rss.spec"), cwd=work)


def _run(*command: str, cwd: Path) -> None:
    subprocess.run(command, cwd=cwd, check=True, env={**os.environ, "HOME": str(cwd), "LC_ALL": "C.UTF-8"})


def main(folder: Path, version: str = VERSION) -> None:
    """Both, in this folder."""
    date = int(os.environ["SOURCE_DATE_EPOCH"])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        files(work / "root")
        deb(work, version, date)
        rpm(work, version, date)
        for built in (*work.glob("deb/*.deb"), *work.glob("noarch/*.rpm")):
            shutil.copy(built, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
