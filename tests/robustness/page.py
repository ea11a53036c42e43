# SPDX-License-Identifier: GPL-3.0-or-later
"""Make docs/robustness.md of the figures that the long tests left; the words are in page.md.j2."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path

import jinja2

TESTS = ("fuzz", "parsers", "faults", "traffic", "soak", "hostile")
TEMPLATE = Path(__file__).with_name("page.md.j2")
PAGE = Path("docs/robustness.md")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/robustness/run page", description=__doc__)
    parser.add_argument("--figures", type=Path, required=True)
    folder = parser.parse_args().figures
    missing = [name for name in TESTS if not (folder / f"{name}.json").exists()]
    if missing:
        parser.error(f"no figures of: {', '.join(missing)}; run `make robustness`")
    figures = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in TESTS}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    environment.filters["thousands"] = "{:,.0f}".format
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    text = template.render(figures, kernel=platform.release(), date=time.strftime("%d %B %Y"))
    PAGE.write_text(text, encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
