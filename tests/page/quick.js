/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Milliseconds from a click or a letter until the rows have their places. */
const result = {};
const time = (name, act) => {
  const begin = performance.now();
  act();
  frame.getBoundingClientRect();
  result[name] = performance.now() - begin;
};
for (const button of document.querySelectorAll("#head button")) time("sort by " + button.textContent, () => button.click());
for (const button of document.querySelectorAll("#totals button")) time("show " + button.textContent, () => button.click());
document.querySelector("#totals button").click();
for (const text of ["v", "vnet1", "hv1 vnet3 steered", "none such"])
  time("find " + text, () => { find.value = text; find.dispatchEvent(new Event("input")); });
