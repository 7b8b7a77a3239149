"use strict";
// The page: sliders ask, pictures answer. One question is under way at a time; of moves in between the last counts.

const $ = (id) => document.getElementById(id);
const state = { moved: {}, controls: {}, first: null, picture: null, bands: null, answer: null, held: {}, waiting: 0, dirty: false, day: null, busySince: 0 };
let number = 0;

const socket = new WebSocket(`ws://${location.host}/socket${location.search}`);
socket.onopen = () => ask("open", remembered());
socket.onmessage = (event) => receive(JSON.parse(event.data));
socket.onclose = () => { status("Not connected."); fault("The program that computes has ended, or refused this tab. Start als-sim explore again."); };

function ask(what, more) {
  number += 1;
  socket.send(JSON.stringify({ ask: what, id: number, ...more }));
  return number;
}

function remembered() {
  try {
    const kept = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    state.wanted = kept.moved || {};
    return { scenario: kept.scenario };
  } catch (error) {
    return {};
  }
}

function remember() {
  const kept = encodeURIComponent(JSON.stringify({ scenario: state.scenario, moved: state.moved }));
  history.replaceState(null, "", `${location.pathname}${location.search}#${kept}`);
}

function place() {
  return { moved: state.moved, day: state.day, bands: $("bands").checked };
}

function show() {
  state.bands = null;
  if (state.waiting) { state.dirty = true; return; }
  state.dirty = false;
  state.begin = state.began || performance.now();
  state.began = 0;
  state.waiting = ask("show", place());
  status("Computing …");
}

function receive(message) {
  const handle = { opened, shown, bands: banded, copy: copied, patient: single, power: powered, report: saved, progress: progressed, stopped, fault: faulty }[message.kind];
  if (handle) handle(message);
}

const DOING = { power: "Running the trial", report: "Writing the report" };
function progressed(message) { status(`${DOING[message.ask] || "Computing"}: ${Math.round((100 * message.done) / message.of)} %`); }
function stopped(message) { fault(`${DOING[message.ask] || "This"} was ended because a slider moved. Ask again.`); }

function faulty(message) {
  fault(message.message);
  status("");
  if (message.ask === "open" && state.picture === null && location.hash) { location.hash = ""; ask("open", {}); }
  if (message.id === state.waiting) settle();
}

function settle() {
  state.waiting = 0;
  if (state.dirty) show();
}

function status(text) { $("status").textContent = text; }
function fault(text) { $("fault").textContent = text; $("fault").hidden = !text; }

// ---- opening -------------------------------------------------------------------------------------------------------

function opened(message) {
  Object.assign(state, { moved: {}, controls: {}, first: null, picture: null, bands: null, answer: null, held: {}, day: null, scenario: message.scenario, draws: message.draws });
  document.title = `${message.title} – als-sim explore`;
  $("title").textContent = message.title;
  $("question").textContent = (message.about.find(([term]) => term === "question") || ["", ""])[1];
  fill($("scenario"), message.scenarios.map((name) => [name, name]), message.scenario);
  $("groups").replaceChildren();
  $("figures").replaceChildren();
  $("one").replaceChildren();
  const groups = new Map();
  for (const control of message.controls) {
    state.controls[control.name] = control;
    if (!groups.has(control.group)) groups.set(control.group, []);
    groups.get(control.group).push(control);
  }
  const open = ["Effect", "Start and end", "Dose"];
  [...groups].forEach(([group, controls], k) => {
    const details = element("details", open.includes(group) || (k === 0 && groups.size < 4) ? { open: "" } : {});
    details.append(element("summary", {}, group), ...controls.map(row));
    $("groups").append(details);
  });
  $("trial").hidden = !message.trial.length;
  $("powered").replaceChildren();
  $("powerkey").replaceChildren();
  fill($("powerday"), message.trial.map((day) => [day, `day ${day}`]), message.trial[message.trial.length - 1]);
  const boxes = message.analyses.map(([name, title]) => {
    const label = element("label", { title });
    const box = element("input", { type: "checkbox", value: name });
    box.checked = ["ancova", "joint_rank"].includes(name);
    label.append(box, ` ${name}`);
    return label;
  });
  $("analyses").replaceChildren(element("legend", {}, "Analyses"), ...boxes);
  const wanted = state.wanted || {};
  state.wanted = null;
  status("The first run may compile for a minute …");
  state.then = wanted;
  show();
}

function fill(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => {
    const option = element("option", { value }, text);
    option.selected = String(value) === String(chosen);
    return option;
  }));
}

// ---- sliders -------------------------------------------------------------------------------------------------------

const onSlider = (control, value) => (control.log ? Math.log(value) : value);
function offSlider(control, x) {
  const value = control.log ? Math.exp(x) : x;
  if (Math.abs(x - onSlider(control, control.value)) < 1e-9) return control.value;
  const rounded = control.whole ? Math.round(value) : control.log ? Number(value.toPrecision(3)) : Math.round(value / control.step) * control.step;
  return Number(Math.min(control.high, Math.max(control.low, rounded)).toPrecision(10));
}

function row(control) {
  const id = `s${Object.keys(state.controls).indexOf(control.name)}`;
  const made = element("div", { class: "row", "data-name": control.name });
  const [low, high] = [onSlider(control, control.low), onSlider(control, control.high)];
  const range = element("input", { type: "range", id, min: low, max: high, step: control.log ? (high - low) / 200 : "any", "aria-describedby": `${id}a` });
  const box = element("input", { type: "number", min: control.low, max: control.high, step: "any", "aria-label": `${control.label}, number` });
  const back = element("button", { type: "button", class: "reset", "aria-label": `Reset ${control.label}` }, "↺");
  const top = element("div", { class: "top" });
  top.append(element("label", { for: id }, control.label), box, element("span", { class: "unit" }, control.unit), back);
  made.append(top, range, element("p", { class: "about", id: `${id}a` }, control.about));
  range.addEventListener("input", () => move(control, offSlider(control, Number(range.value))));
  range.addEventListener("keydown", (event) => step(event, control, range));
  box.addEventListener("change", () => {
    const value = box.value === "" ? control.value : Number(box.value);
    move(control, Math.min(control.high, Math.max(control.low, control.whole ? Math.round(value) : value)));
  });
  back.addEventListener("click", () => { move(control, control.value); range.focus(); });
  control.row = { made, range, box, back };
  put(control, control.value);
  return made;
}

// Keys move by the step of the value, not by that of the track.
function step(event, control, range) {
  const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  const value = state.moved[control.name] ?? control.value;
  const next = control.log ? offSlider(control, Number(range.value) + (by * (range.max - range.min)) / 100) : value + by * stride(control);
  move(control, Number(Math.min(control.high, Math.max(control.low, next)).toPrecision(10)));
}

const stride = (control) => (control.whole && control.high - control.low > 150 && control.value % 7 === 0 ? 7 : control.step);

function put(control, value) {
  const { made, range, box, back } = control.row;
  range.value = onSlider(control, value);
  range.setAttribute("aria-valuetext", `${value} ${control.unit}`.trim());
  box.value = value;
  const moved = value !== control.value;
  made.classList.toggle("moved", moved);
  back.hidden = !moved;
}

function move(control, value) {
  if (value === (state.moved[control.name] ?? control.value)) { put(control, value); return; }
  if (value === control.value) delete state.moved[control.name];
  else state.moved[control.name] = value;
  put(control, value);
  $("reset").disabled = Object.keys(state.moved).length === 0;
  state.began = state.began || performance.now();
  show();
}

// ---- what comes back -----------------------------------------------------------------------------------------------

function shown(message) {
  fault("");
  if (message.settled && (state.waiting || state.dirty)) return;
  state.picture = message.picture;
  if (!message.settled) state.took = message.took;
  state.first = state.first || message.picture;
  if (!message.settled) {
    const { begin } = state;
    requestAnimationFrame(() => performance.measure("move", { start: begin, end: performance.now() }));
  }
  draw();
  status(message.settled ? "Errors are those of the same patients in every arm." : `${message.picture.patients.toLocaleString("en")} patients in each arm, ${message.took} ms`);
  if (!message.settled) {
    remember();
    settle();
    if (state.then) { const wanted = state.then; state.then = null; for (const [name, value] of Object.entries(wanted)) if (state.controls[name]) move(state.controls[name], value); }
    if ($("one").childElementCount) askPatient();
  }
}

function draw() {
  const { picture } = state;
  fill($("day"), picture.days.map(({ day, label }) => [day, label]), picture.day);
  legend(picture);
  words(picture);
  const before = Object.keys(state.moved).length ? new Map(state.first.curves.map((one) => [one.name, one.lines])) : new Map();
  for (const curve of picture.curves) {
    const same = state.first.time.length === picture.time.length;
    const { drawn, range } = chart(curve, picture, same ? before.get(curve.name) : null, state.bands && state.bands[curve.name], state.held[curve.name]);
    state.held[curve.name] = range;
    figure(curve.name, curve.title, `${curve.axis}. ${curve.note}`).querySelector(".drawn").replaceChildren(drawn);
  }
  stages(picture);
  table(picture.table);
}

function words(picture) {
  $("answer").replaceChildren(...((state.bands && state.answer) || picture.answer).map((text) => element("p", {}, text)));
}

function legend(picture, id = "legend") {
  $(id).replaceChildren(...picture.arms.map((arm) => {
    const { colour, dash } = lineOf(picture.arms, picture.control, arm);
    const item = element("li");
    const key = svg("svg", { viewBox: "0 0 36 8", "aria-hidden": "true" });
    key.append(svg("line", { x1: 0, x2: 36, y1: 4, y2: 4, stroke: colour, "stroke-width": 3, "stroke-dasharray": dash }));
    item.append(key, arm);
    return item;
  }));
}

function figure(name, title, caption) {
  const id = `f-${name.replace(/\W+/g, "-")}`;
  let made = $(id);
  if (!made) {
    made = element("figure", { id });
    made.append(element("h3", {}, title), element("div", { class: "drawn" }), element("figcaption", {}, caption));
    $("figures").append(made);
    $("shown").append(element("option", { value: id }, title));
    choose();
  }
  return made;
}

function choose() {
  const options = [...$("shown").options];
  const there = options.filter((option) => $(option.value));
  if (there.length < options.length) $("shown").replaceChildren(...there);
  for (const made of $("figures").children) made.classList.toggle("chosen", made.id === $("shown").value);
}

function stages(picture) {
  const made = figure("stages", `${picture.stages.title}, share of everybody`, "Per cent of all patients, the dead with them.");
  made.classList.add("wide");
  const panels = element("div", { class: "panels" });
  picture.arms.forEach((arm, k) => {
    const panel = element("div");
    panel.append(element("div", { class: "key" }, arm), stagePanel(picture, k, picture.arms.length > 1));
    panels.append(panel);
  });
  const key = element("ul", { class: "key" });
  picture.stages.names.forEach((name, k) => {
    const item = element("li");
    const box = svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" });
    box.append(svg("rect", { width: 10, height: 10, ...shade(k, picture.stages.names.length) }));
    item.append(box, name);
    key.append(item);
  });
  made.querySelector(".drawn").replaceChildren(panels, key);
}

function table({ caption, heads, rows }) {
  const head = element("tr");
  head.append(element("th", { scope: "col" }, ""), ...heads.map((text) => element("th", { scope: "col" }, text)));
  const top = element("thead");
  top.append(head);
  const body = element("tbody");
  body.append(...rows.map(([name, ...cells]) => {
    const line = element("tr");
    line.append(element("th", { scope: "row" }, name), ...cells.map((text) => element("td", {}, text)));
    return line;
  }));
  $("caption").textContent = caption;
  $("table").replaceChildren(top, body);
}

function banded(message) {
  if (state.waiting || state.dirty) return;
  if (!message.bands) { status(`Parameter vectors: ${message.done} of ${message.of}`); return; }
  state.bands = message.bands;
  state.answer = message.answer;
  status(`Bands: 5th to 95th percentile of ${message.of} parameter vectors.`);
  draw();
}

function copied(message) {
  $("copied").value = message.text;
  $("copied").parentElement.hidden = false;
  const done = () => status("Copied.");
  if (navigator.clipboard) navigator.clipboard.writeText(message.text).then(done, () => $("copied").select());
  else $("copied").select();
}

function saved(message) {
  const link = element("a", { download: message.name, href: URL.createObjectURL(new Blob([message.html], { type: "text/html" })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  status(`Saved ${message.name}.`);
}

function single(message) {
  const { drawn } = chart(message.curve, state.picture);
  const made = element("figure");
  made.append(element("h3", {}, message.curve.title), drawn, element("figcaption", {}, `${message.curve.axis}. ${message.curve.note}`));
  $("one").replaceChildren(made);
}

function powered(message) {
  const { drawn } = chart(message.curve, message.picture, null, message.bands);
  const made = element("figure");
  made.append(element("h3", {}, message.curve.title), drawn, element("figcaption", {}, `${message.curve.axis}. ${message.curve.note}`));
  legend(message.picture, "powerkey");
  $("powered").replaceChildren(made);
  status("");
}

function askPower() {
  const analyses = [...document.querySelectorAll("#analyses input:checked")].map((box) => box.value);
  status("Running the trial …");
  ask("power", { analyses, day: Number($("powerday").value), moved: state.moved });
}

function askPatient() { ask("patient", { number: Number($("number").value), moved: state.moved }); }

// ---- what is pressed -----------------------------------------------------------------------------------------------

$("reset").addEventListener("click", () => {
  state.moved = {};
  for (const control of Object.values(state.controls)) put(control, control.value);
  $("reset").disabled = true;
  show();
});
$("bands").addEventListener("change", show);
$("day").addEventListener("change", () => { state.day = Number($("day").value); show(); });
$("shown").addEventListener("change", choose);
$("scenario").addEventListener("change", () => { status("Opening …"); ask("open", { scenario: $("scenario").value }); });
$("patient").addEventListener("click", askPatient);
$("power").addEventListener("click", askPower);
$("number").addEventListener("change", askPatient);
$("report").addEventListener("click", () => { status("Writing the report …"); ask("report", { moved: state.moved }); });
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => ask("copy", { as: button.dataset.copy, moved: state.moved }));
}
