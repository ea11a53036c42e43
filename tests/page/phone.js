// SPDX-License-Identifier: GPL-3.0-or-later
// Tell the page around this frame, which is as wide as a phone, what does not fit.
const overlaps = [...document.querySelectorAll("tr")].flatMap((row) => {
  const cells = [...row.children].map((cell) => cell.getBoundingClientRect());
  return cells.slice(1).filter((cell, number) => cell.left < cells[number].right - 1);
});
const text = [...document.querySelectorAll("td, th, button, p, h1, input")];
const spilt = text.filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflow === "visible");
const small = text.filter((each) => parseFloat(getComputedStyle(each).fontSize) < 12);
parent.postMessage({
  width: innerWidth,
  rows: document.querySelectorAll("tbody tr").length,
  wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  overlaps: overlaps.length,
  spilt: spilt.map((each) => each.textContent),
  small: small.length,
}, "*");
