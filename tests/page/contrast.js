/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WCAG contrast of what is in the document with what is behind it, as the browser draws it. */
const rgb = colour => colour.match(/[\d.]+/g).map(Number);
const isClear = colour => rgb(colour)[3] === 0;
const behind = at => isClear(getComputedStyle(at).backgroundColor) && at.parentElement ? behind(at.parentElement)
  : getComputedStyle(at).backgroundColor;
const luminance = colour => rgb(colour).slice(0, 3)
  .map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, number) => sum + part * [0.2126, 0.7152, 0.0722][number], 0);
const ratio = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};
const contrast = {};
const look = (name, where, what = "color", pseudo = undefined) => {
  const at = document.querySelector(where);
  contrast[name] = ratio(getComputedStyle(at, pseudo)[what], behind(what === "color" ? at : at.parentElement));
};
look("text", "h1");
look("dim", "#shown");
look("placeholder", "#find", "color", "::placeholder");
look("button", "#totals button");
look("head", "th button");
look("note", "tbody td");
look("bad", "td.bad");
for (const [number, state] of ["steered", "automatic", "foreign", "unknown"].entries()) {
  document.querySelectorAll("#totals button")[number + 1].click();
  look(state, "td." + state);
}
document.querySelector("#totals button").click();
look("bar", ".bars i", "backgroundColor");
const result = { back: rgb(getComputedStyle(document.body).backgroundColor), contrast };
