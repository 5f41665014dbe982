// The column layout of the figures (sizes.py and layout.py), for trees whose groups are open or folded.
// `table` holds the figures' own distances (px) and advance widths: nothing is measured twice.
"use strict";

function makeLayout(table) {
  const px = table.px;
  const combining = /\p{M}/u;

  function roomFor(text, size) {
    let total = 0;
    for (const char of text) {
      if (combining.test(char)) continue;
      total += table.advances[char] ?? table.unknown;
    }
    return Math.floor((total * size + 999) / 1000);
  }

  const even = (value) => value + (value % 2);
  const boxHeight = (lines) => 2 * px.BOX_PAD_Y + px.FIRST_LINE + px.NEXT_LINE * (lines - 1);
  const widths = new Map();

  function boxWidth(box) {
    const key = box[2] === "add" ? "+" + box[1].join("\n") : box[1].join("\n");
    if (!widths.has(key)) {
      const least = box[2] === "add" ? px.PLUS_WIDTH : px.BOX_MIN_WIDTH;
      const rooms = box[1].map((line, i) => roomFor(line, i ? px.SMALL : px.TEXT) + 2 * px.BOX_PAD_X);
      widths.set(key, even(Math.max(least, ...rooms)));
    }
    return widths.get(key);
  }

  // A tree with every group decided: a folded one is its box.
  function resolved(part, isOpen) {
    switch (part[0]) {
      case "c": {
        const inner = part.slice(1).map((p) => resolved(p, isOpen));
        return ["c", ...inner.flatMap((p) => (p[0] === "c" ? p.slice(1) : [p]))];
      }
      case "f": return ["f", part[1], ...part.slice(2).map((p) => resolved(p, isOpen))];
      case "r": return ["r", resolved(part[1], isOpen), part[2]];
      case "t": return ["t", resolved(part[1], isOpen)];
      case "g":
        if (part[3] && !isOpen(part[3][3])) return [...part[3].slice(0, 6), "fold"];
        return ["g", part[1], resolved(part[2], isOpen), part[3]];
      default: return part;
    }
  }

  function mostLines(part) {
    switch (part[0]) {
      case "b": return part[4] ? 1 : part[1].length;
      case "c": return Math.max(1, ...part.slice(1).map(mostLines));
      case "f": return Math.max(part[1] ? mostLines(part[1]) : 1, ...part.slice(2).map(mostLines));
      case "r": case "t": return mostLines(part[1]);
      case "g": return mostLines(part[2]);
      case "m": return Math.max(1, ...part[1].boxes.map((b) => mostLines(b[0])));
      default: return 1;
    }
  }

  function startsForked(part) {
    if (part[0] === "c") return part.length > 1 && startsForked(part[1]);
    return part[0] === "f" || part[0] === "m" || (part[0] === "r" && startsForked(part[1]));
  }

  // --- sizes: how far a part reaches from its axis, bottom up

  function sizedBox(box, lines, width) {
    const half = Math.floor(Math.max(boxWidth(box), width) / 2);
    return { part: box, left: half, right: half, height: boxHeight(box[4] ? box[1].length : lines) };
  }

  function measure(part, lines) {
    switch (part[0]) {
      case "b": return sizedBox(part, lines, 0);
      case "n": {
        const right = Math.max(px.LANE, px.NOTE_SHIFT + roomFor(part[1], px.SMALL));
        return { part, left: px.LANE, right, height: px.NOTE_HEIGHT };
      }
      case "c": return measureColumn(part, lines);
      case "f": return measureFork(part, lines);
      case "r": return measureResidual(part, lines);
      case "g": return measureGroup(part, lines);
      case "m": return { part, left: part[1].left, right: part[1].right, height: part[1].height };
      default: return measureTap(part, lines);
    }
  }

  function measureColumn(part, lines) {
    const parts = part.slice(1);
    const width = Math.max(0, ...parts.filter((p) => p[0] === "b").map(boxWidth));
    const inner = parts.map((p) => (p[0] === "b" ? sizedBox(p, lines, width) : measure(p, lines)));
    const trunk = inner.filter((s) => s.part[0] !== "t");
    let left = trunk.length ? Math.max(...trunk.map((s) => s.left)) : px.LANE;
    let right = trunk.length ? Math.max(...trunk.map((s) => s.right)) : px.LANE;
    const { axes, tops, height } = stacked(inner, left, right);
    inner.forEach((s, i) => {
      left = Math.max(left, s.left - axes[i]);
      right = Math.max(right, axes[i] + s.right);
    });
    return { part, left, right, height, inner, axes, tops };
  }

  function stacked(inner, left, right) {
    const axes = [], tops = [];
    const free = { right: 0, left: 0 };
    let y = 0;
    inner.forEach((sized, index) => {
      if (index) y += gap(inner[index - 1].part, sized.part);
      if (sized.part[0] !== "t") {
        axes.push(0);
        tops.push(y);
        y += sized.height;
        return;
      }
      const side = free.right <= y || free.right <= free.left ? "right" : "left";
      y = Math.max(y, free[side]);
      axes.push(side === "right" ? right + px.TAP_GAP + sized.left : -(left + px.TAP_GAP + sized.right));
      tops.push(y);
      free[side] = y + sized.height + px.BETWEEN;
      y += px.TAP_HEIGHT;
    });
    return { axes, tops, height: Math.max(y, free.right - px.BETWEEN, free.left - px.BETWEEN) };
  }

  function gap(before, after) {
    if (startsForked(after) || after[0] === "n" || after[0] === "r") return 0;
    if (before[0] === "t" || after[0] === "t") return px.STUB;
    return before[0] === "n" ? px.DROP : px.GAP;
  }

  function measureFork(part, lines) {
    const inner = part.slice(2).map((p) => measure(p, lines));
    const places = [];
    let x = 0;
    for (const sized of inner) {
      places.push(x + sized.left);
      x += sized.left + sized.right + px.BETWEEN;
    }
    const total = x - px.BETWEEN, axis = snapped(Math.floor(total / 2), places);
    const axes = places.map((place) => place - axis);
    const floor = px.GAP + Math.max(...inner.map((s) => s.height));
    const tops = inner.map((s) => floor - s.height);
    if (!part[1]) return { part, left: axis, right: total - axis, height: floor, inner, axes, tops };
    const join = sizedBox(part[1], lines, 0);
    join.left = Math.max(join.left, axis);
    join.right = Math.max(join.right, total - axis);
    const height = floor + px.GAP + join.height;
    return { part, left: join.left, right: join.right, height, inner, axes, tops, join };
  }

  function snapped(axis, axes) {
    let near = axes[0];
    for (const x of axes) if (Math.abs(x - axis) < Math.abs(near - axis)) near = x;
    return Math.abs(near - axis) <= px.SNAP ? near : axis;
  }

  function measureResidual(part, lines) {
    const body = measure(part[1], lines);
    const head = startsForked(part[1]) ? 0 : px.STUB + px.DROP;
    const last = part[1][0] === "c" && part[1].length > 1 ? part[1][part[1].length - 1] : part[1];
    const height = head + body.height + (last[0] === "n" ? px.DROP : px.GAP) + px.PLUS;
    return { part, left: body.left + px.SHORTCUT + px.LANE, right: body.right, height, inner: [body], tops: [head] };
  }

  function measureGroup(part, lines) {
    const body = measure(part[2], lines);
    const label = roomFor(part[1], px.SMALL) + px.FRAME_PAD + px.LANE;
    const left = Math.max(label, body.left + px.FRAME_PAD);
    const right = label > body.left + px.FRAME_PAD ? Math.max(label, body.right + px.FRAME_PAD) : body.right + px.FRAME_PAD;
    return { part, left, right, height: px.FRAME_TOP + body.height + px.FRAME_PAD, inner: [body] };
  }

  function measureTap(part, lines) {
    const side = measure(part[1], lines);
    return { part, left: side.left, right: side.right, height: px.DROP + side.height, inner: [side], tops: [px.DROP] };
  }

  // --- places, top down; `paths` are the wires that run into a part, those returned leave it

  function place(sized, out, paths, x, y) {
    const part = sized.part;
    switch (part[0]) {
      case "b": return placeBox(sized, out, paths, x, y);
      case "n":
        out.notes.push({ text: part[1], x: x + px.NOTE_SHIFT, y: y + Math.floor(px.NOTE_HEIGHT / 2) + px.NOTE_DROP });
        return paths.length ? paths : [[[x, y]]];
      case "f": return placeFork(sized, out, entry(paths, x, y), x, y);
      case "r": return placeResidual(sized, out, entry(paths, x, y), x, y);
      case "g":
        out.frames.push({ label: part[1], box: part[3], axis: x, x: x - sized.left, y, width: sized.left + sized.right, height: sized.height });
        return place(sized.inner[0], out, paths, x, y + px.FRAME_TOP);
      case "m": return placeMesh(part[1], out, entry(paths, x, y), x, y);
      case "t": return place(sized.inner[0], out, paths, x, y + sized.tops[0]);
      default: {
        let ends = paths;
        sized.inner.forEach((inner, i) => {
          const axis = x + sized.axes[i], top = y + sized.tops[i];
          if (inner.part[0] === "t") place(inner, out, [[[x, top], [axis, top]]], axis, top);
          else ends = place(inner, out, ends, axis, top);
        });
        return ends;
      }
    }
  }

  const entry = (paths, x, y) => (paths.length ? paths[0] : [[x, y]]);

  function placeBox(sized, out, paths, x, y) {
    out.boxes.push({ box: sized.part, x: x - sized.left, y, width: sized.left + sized.right, height: sized.height });
    for (const path of paths) {
      out.wires.push({ points: straight([...path, [path[path.length - 1][0], y]]), arrow: true });
    }
    return [[[x, y + sized.height]]];
  }

  function placeFork(sized, out, path, x, y) {
    const bus = y + px.STUB, ends = [];
    sized.inner.forEach((inner, i) => {
      const axis = x + sized.axes[i];
      ends.push(...place(inner, out, [[...path, [x, bus], [axis, bus]]], axis, y + sized.tops[i]));
    });
    return sized.join ? place(sized.join, out, ends, x, y + sized.height - sized.join.height) : ends;
  }

  function placeResidual(sized, out, path, x, y) {
    const body = sized.inner[0], head = sized.tops[0], radius = Math.floor(px.PLUS / 2);
    const fork = [x, y + px.STUB], lane = x - body.left - px.SHORTCUT, middle = y + sized.height - radius;
    const ends = place(body, out, [head ? [...path, fork] : path], x, y + head);
    const shortcut = [...path, fork, [lane, fork[1]], [lane, middle], [x - radius, middle]];
    out.wires.push({ points: straight(shortcut), arrow: true });
    for (const end of ends) out.wires.push({ points: straight([...end, [x, middle - radius]]), arrow: true });
    out.pluses.push({ x, y: middle, path: sized.part[2] });
    return [[[x, middle + radius]]];
  }

  function placeMesh(mesh, out, path, x, y) {
    for (const [box, dx, dy, width, height] of mesh.boxes) out.boxes.push({ box, x: x + dx, y: y + dy, width, height });
    for (const [points, arrow] of mesh.wires) {
      const moved = points.map(([dx, dy]) => [x + dx, y + dy]);
      const enters = moved[0][0] === x && moved[0][1] === y;
      out.wires.push({ points: straight(enters ? [...path, ...moved] : moved), arrow: Boolean(arrow) });
    }
    return [[[x, y + mesh.height]]];
  }

  function straight(path) {
    const kept = [];
    for (const point of path) {
      const last = kept[kept.length - 1], before = kept[kept.length - 2];
      if (last && last[0] === point[0] && last[1] === point[1]) continue;
      if (before && ((before[0] === last[0] && last[0] === point[0]) || (before[1] === last[1] && last[1] === point[1]))) kept.pop();
      kept.push(point);
    }
    return kept;
  }

  function layOut(tree, isOpen) {
    const part = resolved(tree, isOpen);
    const sized = measure(part, mostLines(part));
    const out = { width: sized.left + sized.right, height: sized.height, boxes: [], pluses: [], frames: [], notes: [], wires: [] };
    for (const path of place(sized, out, [], sized.left, 0)) {
      const points = straight(path);
      if (points.length > 1) out.wires.push({ points, arrow: false });
    }
    return out;
  }

  return { layOut, roomFor };
}
