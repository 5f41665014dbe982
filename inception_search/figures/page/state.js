// The state of the page: open groups and the selection, and the places of the tree by path.
"use strict";

function places(tree) {
  // Every place in drawing order with the groups around it: { path, lines, kind, around: [paths], foldable }
  const found = [];
  const visit = (part, around) => {
    switch (part[0]) {
      case "x":
        for (const [[, lines, kind, path]] of part[4]) if (path) found.push({ path, lines, kind, around, foldable: false });
        for (const [, , path] of part[7]) if (path) found.push({ path, lines: ["+"], kind: "add", around, foldable: false });
        break;
      case "c": part.slice(2).forEach((p) => visit(p, around)); break;
      case "f": part.slice(2).forEach((p) => visit(p, around)); if (part[1]) visit(part[1], around); break;
      case "r": visit(part[1], around); if (part[2]) found.push({ path: part[2], lines: ["+"], kind: "add", around, foldable: false }); break;
      case "t": visit(part[1], around); break;
      case "g":
        if (part[3]) found.push({ path: part[3][3], lines: part[3][1], kind: "block", around, foldable: true });
        visit(part[2], part[3] ? [...around, part[3][3]] : around);
        break;
    }
  };
  visit(tree, []);
  return found;
}

// Repeated values are in the pool, inner ones before outer ones, and are referred to as { "@": index }.
function unshared({ data: told, pool }) {
  const whole = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(whole);
    if ("@" in value) return pool[value["@"]];
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, whole(inner)]));
  };
  pool.forEach((value, i) => { pool[i] = whole(value); });
  return whole(told);
}

// The address in the page's hash: #trial=12&path=stem.0
function readHash() {
  const found = {};
  for (const pair of location.hash.replace(/^#/, "").split("&")) {
    const at = pair.indexOf("=");
    if (at < 0) continue;
    try { found[pair.slice(0, at)] = decodeURIComponent(pair.slice(at + 1)); } catch { /* not ours */ }
  }
  return found;
}

function writeHash(values) {
  const pairs = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== "");
  const hash = pairs.length ? "#" + pairs.map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join("&") : "";
  if (hash === location.hash) return;
  try { history.pushState(null, "", hash || location.pathname + location.search); } catch { /* a notebook's frame has no address */ }
}
