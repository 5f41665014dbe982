// The page: drawing, selection, search, colours, keyboard; it shows one network at a time.
"use strict";

const $ = (id) => document.getElementById(id);
const read = (id) => JSON.parse($(id).textContent);
const table = read("table"), data = unshared(read("data"));
const scene = makeLayout(table), paint = makePaint(table);
const svg = $("canvas"), world = $("world");
const view = { x: 0, y: 0, k: 1 };
const state = { item: null, open: new Set(data.differs), settled: null, selected: "", colour: "kind", up: false, trial: null, hits: [], hit: -1 };

// --- one network

function load(network) {
  // Open groups stay open from trial to trial; the differing block keeps its place on the screen, or is centred.
  const moved = state.settled && ["x", "y", "k"].some((name) => view[name] !== state.settled[name]);
  const before = moved && data.differs.length ? anchorOf(data.differs[0]) : null;
  state.item = network;
  state.places = places(network.tree);
  state.known = new Map(state.places.map((place) => [place.path, place]));
  state.selected = "";
  $("name").textContent = network.name;
  $("totals").textContent = network.totals.length ? `${count(network.totals[0])} parameters · ${count(network.totals[1])} MACs · ${bytes(network.totals[2])} of activations` : "";
  const timed = $("colour").querySelector('[value="time"]');
  timed.disabled = !network.timed;
  timed.title = network.timed ? "" : "measured by view --time";
  if (!network.timed && state.colour === "time") $("colour").value = state.colour = "kind";
  search($("search").value, false);
  redraw();
  const after = before && anchorOf(data.differs[0]);
  if (after) shift(before, after);
  else settle();
  describe();
}

const factsOf = (path) => state.item.facts[path];
const isOpen = (path) => state.open.has(path);

function spoken(box) {
  const facts = factsOf(box[3]);
  const words = box[1].join(", ");
  return facts ? `${words}; out ${facts[0]}, ${grouped(facts[2])} parameters, ${grouped(facts[3])} MACs` : words;
}

function redraw() {
  state.drawing = scene.layOut(state.item.tree, isOpen);
  const most = state.colour === "kind" ? 0 : scaleOf(state.colour);
  const dark = document.documentElement.dataset.theme === "dark";
  const colours = state.colour === "kind" ? () => null : (box) => {
    return factsOf(box[3]) ? rampColour(shareOf(figureOf(box[3]), most), dark) : null;
  };
  world.replaceChildren(paint.draw(state.drawing, { up: state.up, colours, describe: spoken }));
  state.elements = new Map();
  for (const node of world.querySelectorAll("[data-path]")) if (node.dataset.path) state.elements.set(node.dataset.path, node);
  mark();
  legend(most, dark);
}

const scales = new Map();

function scaleOf(colour) {
  // The end of the scale: the largest value of any box, open or folded, in any trial, so that colours are comparable.
  if (!scales.has(colour)) {
    let most = 0;
    for (const { item: network } of data.trials) {
      for (const facts of Object.values(network.facts)) most = Math.max(most, facts[FIGURES[colour].index]);
    }
    scales.set(colour, most);
  }
  return scales.get(colour);
}

const figureOf = (path) => (factsOf(path) ? factsOf(path)[FIGURES[state.colour].index] : 0);

function legend(most, dark) {
  const box = $("legend");
  box.replaceChildren();
  if (state.colour === "kind") {
    const kinds = [...new Set(state.drawing.boxes.map(({ box: b }) => b[2]))].filter((kind) => kind !== "input");
    for (const kind of Object.keys(table.kinds)) {
      if (kinds.includes(kind)) box.append(item("span", "key", item("i", `swatch k-${kind}`), table.kinds[kind]));
    }
    return;
  }
  const figure = FIGURES[state.colour], bar = item("i", "bar");
  const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => rampColour(share, dark).fill);
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  box.append(item("span", "key", figure.name), item("span", "key", "0", bar, figure.show(most)), item("span", "key faint", "square-root scale"));
}

function item(name, kind, ...inside) {
  const made = document.createElement(name);
  made.className = kind;
  made.append(...inside);
  return made;
}

// --- position of the view

function move() {
  world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
  $("zoom").textContent = `${Math.round(view.k * 100)} %`;
}

function fit() {
  // Shows the whole drawing, centred.
  const { clientWidth: width, clientHeight: height } = svg, d = state.drawing;
  view.k = Math.min(1.25, Math.max(1, width - 48) / d.width, Math.max(1, height - 48) / d.height);
  view.x = (width - d.width * view.k) / 2;
  view.y = (height - d.height * view.k) / 2;
  move();
}

function settle() {
  // The first view: the differing block centred, else the whole drawing or, if that is too small, its top.
  const frame = state.drawing.frames.find((f) => f.box && f.box[3] === data.differs[0]);
  if (frame) spotlight(frame);
  else begin();
  state.settled = { ...view };
}

function spotlight(frame) {
  const { clientWidth: width, clientHeight: height } = svg;
  const top = state.up ? state.drawing.height - frame.y - frame.height : frame.y;
  view.k = Math.min(1.25, Math.max(0.3, Math.min((width - 48) / frame.width, (height - 48) / frame.height)));
  view.x = width / 2 - (frame.x + frame.width / 2) * view.k;
  view.y = height / 2 - (top + frame.height / 2) * view.k;
  move();
}

function begin() {
  const { clientWidth: width, clientHeight: height } = svg, d = state.drawing;
  view.k = Math.min(1.25, Math.max(0.05, Math.min((width - 48) / d.width, (height - 48) / d.height)));
  if (d.height * view.k > height - 48 || view.k < 0.45) view.k = Math.max(view.k, Math.min(0.8, (width - 48) / d.width));
  view.x = (width - d.width * view.k) / 2;
  view.y = d.height * view.k < height - 48 ? (height - d.height * view.k) / 2 : state.up ? height - 24 - d.height * view.k : 24;
  move();
}

function zoom(factor, x = svg.clientWidth / 2, y = svg.clientHeight / 2) {
  const k = Math.min(4, Math.max(0.03, view.k * factor));
  view.x = x - ((x - view.x) * k) / view.k;
  view.y = y - ((y - view.y) * k) / view.k;
  view.k = k;
  move();
}

function placeOf(path) {
  // The centre of the box for a path, in px of the drawing, for the current flow.
  const turn = (y, height) => (state.up ? state.drawing.height - y - height : y);
  for (const b of state.drawing.boxes) if (b.box[3] === path) return [b.x + b.width / 2, turn(b.y, b.height) + b.height / 2];
  for (const p of state.drawing.pluses) if (p.path === path) return [p.x, turn(p.y, 0)];
  for (const f of state.drawing.frames) if (f.box && f.box[3] === path) return [f.x + 40, turn(f.y, f.height) + (state.up ? f.height - 14 : 14)];
  return null;
}

function centre(path, edge = 60) {
  // Moves the view only if the place is closer than `edge` px to the border of the view.
  const at = placeOf(path);
  if (!at) return;
  const sx = at[0] * view.k + view.x, sy = at[1] * view.k + view.y;
  const inside = sx > edge && sx < svg.clientWidth - edge && sy > edge && sy < svg.clientHeight - edge;
  if (inside && view.k > 0.35) return;
  view.k = Math.max(view.k, 0.6);
  view.x = svg.clientWidth / 2 - at[0] * view.k;
  view.y = svg.clientHeight / 2 - at[1] * view.k;
  move();
}

// --- folding

function anchorOf(path) {
  // The point that keeps its place when a block is opened or folded: the trunk's axis, where the flow enters.
  const d = state.drawing, edge = (thing) => (state.up ? d.height - thing.y : thing.y);
  const box = d.boxes.find((b) => b.box[3] === path);
  if (box) return [box.x + box.width / 2, edge(box)];
  const frame = d.frames.find((f) => f.box && f.box[3] === path);
  return frame ? [frame.axis, edge(frame)] : null;
}

function shift(before, after) {
  view.x += (before[0] - after[0]) * view.k;
  view.y += (before[1] - after[1]) * view.k;
  move();
}

function toggle(path) {
  const place = state.known.get(path);
  if (!place || !place.foldable) return;
  $("tip").hidden = true;
  const before = anchorOf(path);
  if (isOpen(path)) {
    state.open.delete(path);
    if (state.selected !== path && hidden(state.selected)) select(path);
  } else state.open.add(path);
  redraw();
  const after = anchorOf(path);
  if (before && after) shift(before, after);
  focusSelected();
  describe();
}

function all(open) {
  state.open = new Set(open ? state.places.filter((p) => p.foldable).map((p) => p.path) : []);
  if (hidden(state.selected)) select(state.known.get(state.selected).around.find((path) => !isOpen(path)));
  redraw();
  begin();
  describe();
}

const hidden = (path) => Boolean(path) && (state.known.get(path)?.around ?? []).some((group) => !isOpen(group));

function reveal(path) {
  let opened = false;
  for (const group of state.known.get(path)?.around ?? []) if (!isOpen(group)) { state.open.add(group); opened = true; }
  if (opened) redraw();
}

// --- selection

function select(path, { show = false, write = true } = {}) {
  if (path && !state.known.has(path)) return false;
  state.selected = path || "";
  if (path && show) { reveal(path); mark(); centre(path); }
  mark();
  describe();
  if (write) writeHash({ trial: state.trial, path: state.selected });
  return true;
}

function mark() {
  const found = new Set(state.hits);
  for (const [path, node] of state.elements) {
    node.classList.toggle("selected", path === state.selected);
    node.classList.toggle("hit", found.has(path));
    node.setAttribute("tabindex", path === state.selected ? "0" : "-1");
  }
  if (!state.selected || !state.elements.has(state.selected)) world.querySelector("[data-path]")?.setAttribute("tabindex", "0");
}

function focusSelected() {
  const node = state.elements.get(state.selected);
  if (node && svg.contains(document.activeElement)) node.focus({ preventScroll: true });
}

function stepText(path) {
  for (let at = path; at; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const index = state.item.steps[at];
    if (index !== undefined) return [state.item.texts[index], at];
  }
  return [null, ""];
}

function describe() {
  const panel = $("details");
  panel.replaceChildren();
  const path = state.selected, place = state.known?.get(path);
  $("panel").classList.toggle("empty", !place);
  if (!place) return;
  const facts = factsOf(path), totals = state.item.totals;
  panel.append(item("h2", "", place.lines.join(" · ")));
  panel.append(item("p", "kind", item("i", `swatch k-${place.kind}`), place.kind === "block" ? place.foldable && isOpen(path) ? "open block" : table.kinds.block : table.kinds[place.kind]));
  const list = item("dl", "");
  const row = (name, value, share) => {
    const cell = item("dd", "", value);
    if (share !== undefined && share !== null) cell.append(item("span", "share", share));
    list.append(item("dt", "", name), cell);
  };
  const share = (value, total) => (total ? `${((100 * value) / total).toFixed(1)} %` : null);
  if (facts) {
    if (facts[1]) row("Input", facts[1]);
    row("Output", facts[0]);
    row("Parameters", grouped(facts[2]), share(facts[2], totals[0]));
    row("MACs", grouped(facts[3]), share(facts[3], totals[1]));
    row("Activations", bytes(facts[4]), share(facts[4], totals[2]));
    if (state.item.timed) row("Time", micros(facts[5]), share(facts[5], totals[3] * 1e6));
  }
  row("Path", item("code", "", path));
  panel.append(list);
  const [yaml, at] = stepText(path);
  if (yaml !== null) {
    const copy = item("button", "copy", "Copy");
    copy.type = "button";
    copy.addEventListener("click", () => copied(copy, yaml));
    panel.append(item("h3", "", at === path ? "YAML" : `YAML of ${at}`, copy), item("pre", "", yaml));
  }
  if (place.foldable) {
    const button = item("button", "wide", isOpen(path) ? "Fold" : "Open in place");
    button.type = "button";
    button.addEventListener("click", () => toggle(path));
    panel.append(button);
  }
}

async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // pages opened from a disk cannot write the clipboard: select the text instead
    const range = document.createRange();
    range.selectNodeContents($("details").querySelector("pre"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1200);
}

// --- search

function search(words, jump = true) {
  const wanted = words.trim().toLowerCase().replaceAll("x", "×").split(/\s+/).filter(Boolean);
  const text = (p) => `${p.lines.join(" ")} ${p.path} ${table.kinds[p.kind] ?? ""}`.toLowerCase().replaceAll("x", "×");
  state.hits = wanted.length ? state.places.filter((p) => wanted.every((word) => text(p).includes(word))).map((p) => p.path) : [];
  state.hit = -1;
  $("found").textContent = wanted.length ? `${state.hits.length} found` : "";
  if (state.elements) mark();
  if (jump && state.hits.length) next(1);
}

function next(by) {
  if (!state.hits.length) return;
  state.hit = (state.hit + by + state.hits.length) % state.hits.length;
  $("found").textContent = `${state.hit + 1} of ${state.hits.length}`;
  select(state.hits[state.hit], { show: true });
}
