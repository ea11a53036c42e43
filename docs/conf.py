# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for `make docs`, which puts the generated pages of plugins beside the pages of this folder."""

project = "virtnet.rss"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "sphinx_rtd_theme"
myst_heading_anchors = 3
nitpicky = True
