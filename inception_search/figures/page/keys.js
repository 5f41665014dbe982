// Pointer, keys and buttons.
"use strict";

function nearest(direction) {
  // The next box from the selected one: the closest in that direction, with sideways distances counted twice.
  const here = placeOf(state.selected);
  const seen = [...state.elements.keys()].filter((path) => path !== state.selected);
  if (!here) return seen[0];
  const [dx, dy] = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[direction];
  let best = null, least = Infinity;
  for (const path of seen) {
    const [x, y] = placeOf(path), ahead = (x - here[0]) * dx + (y - here[1]) * dy;
    const aside = Math.abs((x - here[0]) * dy) + Math.abs((y - here[1]) * dx);
    if (ahead < 4 || (dx && aside > ahead * 2 + 30)) continue;
    const far = ahead + 2 * aside;
    if (far < least) [best, least] = [path, far];
  }
  return best;
}

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", String(dark));
  if (state.item) redraw();
}

const typing = () => /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");

const KEYS = {
  "/": () => { $("search").focus(); $("search").select(); },
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit,
  e: () => all(true), f: () => all(false), u: () => $("flow").click(), d: () => $("theme").click(),
  "?": () => $("help").showModal(),
  Enter: () => toggle(state.selected), " ": () => toggle(state.selected),
  Escape: () => select(""),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (event.target === $("search")) {
    if (event.key === "Enter") { next(event.shiftKey ? -1 : 1); event.preventDefault(); }
    if (event.key === "Escape") { $("search").value = ""; search(""); svg.focus(); }
    return;
  }
  if (typing() || (event.target.tagName === "BUTTON" && /^( |Enter)$/.test(event.key))) return;
  if (event.target.closest?.("#trials") && /^(Enter| |Arrow)/.test(event.key)) return;
  if (event.key.startsWith("Arrow")) {
    const path = nearest(event.key);
    if (path) {
      select(path);
      centre(path);
      state.elements.get(path)?.focus({ preventScroll: true });
    }
  } else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});

// --- pointer: drag pans, a click selects, the chevron or a double click opens

const pointers = new Map();
let dragged = 0, pinch = 0;

svg.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  if (pointers.size === 1) dragged = 0;
  if (pointers.size === 2) pinch = spread();
});

svg.addEventListener("pointermove", (event) => {
  tip(event);
  const from = pointers.get(event.pointerId);
  if (!from) return;
  const dx = event.clientX - from[0], dy = event.clientY - from[1];
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  dragged += Math.abs(dx) + Math.abs(dy);
  if (dragged > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
  if (pointers.size === 2) {
    const now = spread(), [x, y] = middle();
    zoom(now / (pinch || now), x, y);
    pinch = now;
  } else if (dragged > 4) {
    view.x += dx;
    view.y += dy;
    move();
  }
});

const spread = () => { const [a, b] = [...pointers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
const middle = () => {
  const [a, b] = [...pointers.values()], frame = svg.getBoundingClientRect();
  return [(a[0] + b[0]) / 2 - frame.left, (a[1] + b[1]) / 2 - frame.top];
};

for (const kind of ["pointerup", "pointercancel"]) svg.addEventListener(kind, (event) => pointers.delete(event.pointerId));

const DOUBLE = 400;  // ms within which a second click counts as a double click
let clicked = { path: "", at: -Infinity, x: 0, y: 0 };

svg.addEventListener("click", (event) => {
  if (dragged > 4) return;
  const node = event.target.closest("[data-path]"), path = node?.dataset.path;
  const knob = Boolean(event.target.closest(".knob") || node?.classList.contains("tab"));
  clicked = { path: knob ? "" : path, at: event.timeStamp, x: event.clientX, y: event.clientY };
  if (!path) { select(""); return; }
  select(path);
  node.focus({ preventScroll: true });
  if (knob) toggle(path);
  else setTimeout(() => { if (state.selected === path) centre(path, 0); }, DOUBLE);  // the panel may cover the box now
});

// The second click opens the box that the first one selected. The panel may be under the pointer by then, so that no
// dblclick event occurs. After a click on a knob it does nothing.
document.querySelector("main").addEventListener("click", (event) => {
  const near = Math.abs(event.clientX - clicked.x) + Math.abs(event.clientY - clicked.y) < 8;
  if (!near || event.timeStamp - clicked.at > DOUBLE) return;
  const { path } = clicked;
  clicked.at = -Infinity;
  event.stopPropagation();
  getSelection().removeAllRanges();
  if (path && !isOpen(path)) toggle(path);
}, { capture: true });

svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const frame = svg.getBoundingClientRect();
  const by = event.deltaMode ? event.deltaY * 16 : event.deltaY;
  zoom(Math.exp(-by * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - frame.left, event.clientY - frame.top);
}, { passive: false });

svg.addEventListener("pointerleave", () => ($("tip").hidden = true));

function tip(event) {
  const node = event.target.closest?.("[data-path]"), box = $("tip");
  const place = node && state.known.get(node.dataset.path);
  if (!place || pointers.size) { box.hidden = true; return; }
  const facts = factsOf(place.path);
  box.replaceChildren(item("b", "", place.lines.join(" · ")), item("code", "", place.path));
  if (facts) box.append(item("span", "", `out ${facts[0]} · ${count(facts[2])} parameters · ${count(facts[3])} MACs`));
  if (place.foldable && !isOpen(place.path)) box.append(item("span", "hint", "double click opens it"));
  box.hidden = false;
  const frame = svg.getBoundingClientRect();
  box.style.left = `${Math.min(event.clientX + 14, frame.right - box.offsetWidth - 8)}px`;
  box.style.top = `${event.clientY + 18 + box.offsetHeight > frame.bottom ? event.clientY - box.offsetHeight - 10 : event.clientY + 18}px`;
}

// --- buttons

$("search").addEventListener("input", () => search($("search").value));
$("colour").addEventListener("change", () => { state.colour = $("colour").value; redraw(); });
$("open").addEventListener("click", () => all(true));
$("fold").addEventListener("click", () => all(false));
$("flow").addEventListener("click", () => {
  state.up = !state.up;
  $("flow").setAttribute("aria-pressed", String(state.up));
  redraw();
  settle();
});
$("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme !== "dark"));
$("keys").addEventListener("click", () => $("help").showModal());
$("in").addEventListener("click", () => zoom(1.25));
$("out").addEventListener("click", () => zoom(0.8));
$("all").addEventListener("click", fit);
$("close").addEventListener("click", () => select(""));
addEventListener("resize", () => { if (!state.selected) settle(); });
