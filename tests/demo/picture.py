# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of two moments as a drawing. Its colours are readable on white and on black, so one file does for both."""

from __future__ import annotations

import typing as t

__all__ = ("picture",)

BAR, ROW, COLUMN = 240, 26, 400  # the longest bar, and the distance of two rows and of two columns
TEXT, GREY, BLUE = "#808080", "#8c8c8c", "#3a86d0"


def picture(
    *,
    before: t.Sequence[int],
    after: t.Sequence[int],
    words: tuple[str, str] = ("automatic selection", "virtnet.rss.tap_steering"),
    made_by: str = "make demo PICTURE=docs/before-after.svg",
) -> str:
    """An SVG document: packets for each queue, without and with what ``words`` call."""
    longest = max(*before, *after)
    first, second = (word[0].upper() + word[1:] if " " in word else word for word in words)
    told = f"Packets by queue. {first}: {_listed(before)}. {second}: {_listed(after)}."
    sides = [
        *_side(0, f"before: {words[0]}", before, longest, GREY),
        *_side(COLUMN, f"after: {words[1]}", after, longest, BLUE),
    ]
    height = 34 + ROW * len(before)
    return "\n".join(
        [
            # In two parts, or it would be read as the licence of this file
            "<!-- SPDX-License-" + "Identifier: GPL-3.0-or-later -->",
            f"<!-- Made of real counts by `{made_by}`. -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * COLUMN} {height}" role="img" '
            'font-family="sans-serif" font-size="14">',
            f"<title>{told}</title>",
            *sides,
            "</svg>\n",
        ]
    )


def _side(left: int, heading: str, counts: t.Sequence[int], longest: int, colour: str) -> list[str]:
    parts = [f'<text x="{left}" y="16" fill="{TEXT}" font-weight="bold">{heading}</text>']
    for queue, count in enumerate(counts):
        top, width = 28 + queue * ROW, max(round(count * BAR / longest), 1)
        parts += [
            f'<text x="{left}" y="{top + 14}" fill="{TEXT}">queue {queue}</text>',
            f'<rect x="{left + 62}" y="{top}" width="{width}" height="{ROW - 8}" fill="{colour}"/>',
            f'<text x="{left + 70 + width}" y="{top + 14}" fill="{TEXT}">{count:,}</text>',
        ]
    return parts


def _listed(counts: t.Sequence[int]) -> str:
    return ", ".join(f"{count:,}" for count in counts)
