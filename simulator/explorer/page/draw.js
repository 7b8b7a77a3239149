"use strict";
// Pictures as SVG, from plain numbers. Nothing of the scenario's text becomes markup: it is set as text.

const SVG = "http://www.w3.org/2000/svg";
const SERIES = ["blue", "vermilion", "green", "purple", "orange"];
const DASHES = ["", "8 4", "2 3", "10 3 2 3", "5 2"];
const BOX = { width: 300, height: 200, left: 34, right: 12, top: 8, bottom: 32 };

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function element(name, attributes, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// The control is grey and whole, the others have a colour and dashes: where two lines meet, both are seen.
function lineOf(arms, control, arm) {
  if (arm === control) return { colour: "var(--control)", dash: "" };
  const k = arms.filter((one) => one !== control).indexOf(arm);
  return { colour: `var(--${SERIES[k % 5]})`, dash: DASHES[k % 5] };
}

function extent(curve, more) {
  const all = [...curve.lines, ...(more || [])].flat().filter((y) => y !== null && (!curve.log || y > 0));
  const low = curve.low === null ? Math.min(...all) : curve.low;
  let high = curve.high === null ? Math.max(...all) : Math.max(curve.high, ...all);
  if (!(high > low)) high = low + 1;
  return [low, high];
}

function ticksOf(low, high, log) {
  if (log) {
    for (const steps of [[1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9]]) {
      const found = [];
      for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.log10(high) + 1; power += 1) {
        for (const k of steps) found.push(Number((k * 10 ** power).toPrecision(3)));
      }
      const inside = found.filter((y) => y >= low * 0.999 && y <= high * 1.001);
      if (inside.length > 2) return inside;
    }
    return [low, high];
  }
  if (high === 48 && low === 0) return [0, 12, 24, 36, 48];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((one) => one >= rough * 0.99);
  const found = [];
  for (let y = Math.ceil(low / step - 1e-9) * step; y <= high + step * 1e-6; y += step) found.push(Number(y.toPrecision(10)));
  return found;
}

function frame(scale, time, box) {
  const drawn = svg("g");
  for (const y of scale.ticks) {
    drawn.append(svg("line", { class: "grid", x1: box.left, x2: box.width - box.right, y1: scale.y(y), y2: scale.y(y) }));
    drawn.append(svg("text", { x: box.left - 5, y: scale.y(y) + 4, "text-anchor": "end" }, String(Number(y.toPrecision(3)))));
  }
  const every = Math.ceil(time.ticks.length / (box.width < 300 ? 4 : 6));
  time.ticks.filter((_, k) => k % every === 0).forEach((x) => {
    drawn.append(svg("text", { x: scale.x(x), y: box.height - box.bottom + 14, "text-anchor": "middle" }, String(x)));
  });
  drawn.append(svg("text", { x: (box.left + box.width - box.right) / 2, y: box.height - 3, "text-anchor": "middle" }, time.unit ? `${time.unit} since baseline` : "participants"));
  return drawn;
}

function scaleOf(range, log, time, box) {
  const [low, high] = log ? range.map(Math.log) : range;
  const height = box.height - box.top - box.bottom;
  const width = box.width - box.left - box.right;
  return {
    x: (x) => Number((box.left + (width * x) / time.end).toFixed(1)),
    y: (y) => Number((box.top + height * (1 - ((log ? Math.log(y) : y) - low) / (high - low))).toFixed(1)),
    ticks: ticksOf(range[0], range[1], log),
  };
}

function path(xs, ys, scale) {
  let text = "", down = false;
  ys.forEach((y, k) => {
    if (y === null) { down = false; return; }
    text += `${down ? "L" : "M"}${scale.x(xs[k])} ${scale.y(y)}`;
    down = true;
  });
  return text;
}

function ribbon(xs, low, high, scale) {
  const at = low.map((y, k) => k).filter((k) => low[k] !== null && high[k] !== null);
  if (!at.length) return "";
  const there = at.map((k) => `${scale.x(xs[k])} ${scale.y(high[k])}`);
  const back = at.reverse().map((k) => `${scale.x(xs[k])} ${scale.y(low[k])}`);
  return `M${[...there, ...back].join("L")}Z`;
}

function spoken(curve, arms) {
  const ends = arms.map((arm, k) => {
    const known = curve.lines[k].filter((y) => y !== null);
    return known.length ? `${arm} from ${known[0]} to ${known[known.length - 1]}` : `${arm} not known`;
  });
  return `${curve.title}, ${curve.axis}: ${ends.join("; ")}`;
}

// One picture. `before` are the lines of the scenario as it is, `bands` the ends of the bands by arm, `held` the range
// of the axis so far, which only grows: an axis that moves with the slider would hide what the slider does.
function chart(curve, picture, before, bands, held) {
  const box = BOX;
  const own = extent(curve, [...(before || []), ...(bands || []).flat()]);
  const range = held ? [Math.min(own[0], held[0]), Math.max(own[1], held[1])] : own;
  const scale = scaleOf(range, curve.log, picture, box);
  const drawn = svg("svg", { viewBox: `0 0 ${box.width} ${box.height}`, role: "img", "aria-label": spoken(curve, picture.arms) });
  drawn.append(frame(scale, picture, box));
  const styles = picture.arms.map((arm) => lineOf(picture.arms, picture.control, arm));
  (bands || []).forEach(([low, high], k) => drawn.append(svg("path", { class: "band", d: ribbon(picture.time, low, high, scale), fill: styles[k].colour })));
  (before || []).forEach((ys, k) => drawn.append(svg("path", { class: "before", d: path(picture.time, ys, scale), stroke: styles[k].colour })));
  curve.lines.forEach((ys, k) => drawn.append(svg("path", { class: "line", d: path(picture.time, ys, scale), stroke: styles[k].colour, "stroke-dasharray": styles[k].dash })));
  return { drawn, range };
}

function shade(k, n) {
  return k === n - 1 ? { fill: "var(--control)", "fill-opacity": 0.75 } : { fill: "var(--blue)", "fill-opacity": (0.08 + (0.87 * k) / Math.max(n - 2, 1)).toFixed(2) };
}

function stagePanel(picture, arm, many) {
  const { names, shares } = picture.stages;
  const box = { ...BOX, width: many ? 250 : 300, height: many ? 180 : 200, left: 30 };
  const scale = scaleOf([0, 100], false, picture, box);
  const last = shares[arm].map((ys) => ys[ys.length - 1]);
  const words = names.map((name, k) => `${name} ${last[k]} %`).join(", ");
  const drawn = svg("svg", { viewBox: `0 0 ${box.width} ${box.height}`, role: "img", "aria-label": `${picture.stages.title}, ${picture.arms[arm]}, at the end: ${words}` });
  let below = picture.time.map(() => 0);
  names.forEach((name, k) => {
    const above = below.map((y, t) => Math.min(100, y + shares[arm][k][t]));
    drawn.append(svg("path", { d: ribbon(picture.time, below, above, scale), ...shade(k, names.length) }));
    below = above;
  });
  drawn.append(frame(scale, picture, box));
  return drawn;
}
