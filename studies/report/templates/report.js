// Show the value of the nearest point of a figure: places become values by the scales that the axes carry.
"use strict";
const tip = document.getElementById("value");
const known = new WeakMap();

function numbers(text) { return (text.match(/-?(?:\d+\.?\d*|\.\d+)/g) || []).map(Number); }

function pathPoints(d) {  // "M x,y l dx,dy,...": what the report writes; other paths have absolute points
  const points = [];
  for (const line of d.split(/(?=M)/)) {
    const [start, steps] = line.split("l").map(numbers);
    for (let i = 0; i + 1 < start.length; i += 2) points.push([start[i], start[i + 1]]);
    let [x, y] = points.length ? points[points.length - 1] : [0, 0];
    for (let i = 0; steps && i + 1 < steps.length; i += 2) points.push([x += steps[i], y += steps[i + 1]]);
  }
  return points;
}

function seriesPoints(group) {
  const found = [];
  for (const path of group.querySelectorAll("path")) if (!path.closest("defs")) found.push(...pathPoints(path.getAttribute("d")));
  for (const use of group.querySelectorAll("use")) found.push([+use.getAttribute("x"), +use.getAttribute("y")]);
  return found;
}

function panelsOf(svg) {
  return [...svg.querySelectorAll("[data-x]")].map(axes => {
    const box = pathPoints(axes.querySelector("path").getAttribute("d"));
    const [xs, ys] = [0, 1].map(k => box.map(point => point[k]));
    return {
      left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys),
      x: axes.dataset.x.split(","), y: axes.dataset.y.split(","),
      series: [...axes.querySelectorAll("[data-series]")].map(g => ({ label: g.dataset.series, points: seriesPoints(g) })),
    };
  });
}

function value([scale, first, last], share, length) {
  if (!scale) return null;
  [first, last] = [+first, +last];
  if (scale === "log") {
    const digits = Math.max(2, Math.min(5, Math.ceil(-Math.log10(Math.abs(Math.log(last / first)) / length / 100))));
    return Number((first * (last / first) ** share).toPrecision(digits)).toString();
  }
  const found = first + share * (last - first);
  if (scale === "whole") return Math.round(found).toString();
  return found.toFixed(Math.max(0, Math.ceil(-Math.log10(Math.abs(last - first) / length / 100))));
}

function nearest(panel, x, y) {
  let best = null, least = 20 ** 2;
  for (const { label, points } of panel.series) for (const [px, py] of points) {
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) [best, least] = [{ label, px, py }, distance];
  }
  return best;
}

function show(event) {
  const svg = event.currentTarget;
  if (!known.has(svg)) known.set(svg, panelsOf(svg));
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const panel = known.get(svg).find(p => p.left <= x && x <= p.right && p.top <= y && y <= p.bottom);
  const point = panel && nearest(panel, x, y);
  tip.hidden = !point;
  if (!point) return;
  const [width, height] = [panel.right - panel.left, panel.bottom - panel.top];
  const values = [value(panel.x, (point.px - panel.left) / width, width), value(panel.y, (panel.bottom - point.py) / height, height)];
  tip.textContent = `${point.label}\n${values.filter(each => each !== null).join(": ")}`;
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, event.clientY - tip.offsetHeight - 10)}px`;
}

// Paper cannot be opened: claims are printed with their evidence, and closed again.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")].filter(each => !each.closest("figure"));
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => { for (const each of opened) each.open = false; });

for (const svg of document.querySelectorAll(".card svg")) {
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerdown", show);
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
}
