// Stacks a drawing whose groups are open or folded. stacked.py has measured and placed the rigid parts;
// `table` holds the distances of figures (px).
"use strict";

function makeLayout(table) {
  const px = table.px;

  // --- sizes, bottom up: the extent of a part on both sides of its axis

  function measure(part, isOpen) {
    switch (part[0]) {
      case "x": return { part, left: part[1], right: part[2], height: part[3] };
      case "c": return measureColumn(part, part.slice(2).map((p) => measure(p, isOpen)));
      case "f": return measureFork(part, part.slice(2).map((p) => measure(p, isOpen)));
      case "r": {
        const body = measure(part[1], isOpen), height = part[3] + body.height + part[4] + px.PLUS;
        return { part, left: body.left + px.SHORTCUT + px.LANE, right: body.right, height, inner: [body] };
      }
      case "t": {
        const side = measure(part[1], isOpen);
        return { part, left: side.left, right: side.right, height: px.DROP + side.height, inner: [side] };
      }
      default: return part[3] && !isOpen(part[3][3]) ? measure(part[5]) : measureGroup(part, measure(part[2], isOpen));
    }
  }

  const isTap = (sized) => sized.part[0] === "t";
  const most = (values) => (values.length ? Math.max(...values) : px.LANE);

  function measureColumn(part, inner) {
    // Taps are right or left of the column, wherever there is room.
    const trunk = inner.filter((s) => !isTap(s)), axes = [], tops = [], free = { right: 0, left: 0 };
    let left = most(trunk.map((s) => s.left)), right = most(trunk.map((s) => s.right)), y = 0;
    const beside = { right: right + px.TAP_GAP, left: left + px.TAP_GAP };
    inner.forEach((sized, index) => {
      y += part[1][index];
      if (!isTap(sized)) {
        axes.push(0);
        tops.push(y);
        y += sized.height;
        return;
      }
      const side = free.right <= y || free.right <= free.left ? "right" : "left";
      y = Math.max(y, free[side]);
      axes.push(side === "right" ? beside.right + sized.left : -(beside.left + sized.right));
      tops.push(y);
      free[side] = y + sized.height + px.BETWEEN;
      y += px.TAP_HEIGHT;
    });
    inner.forEach((s, i) => {
      left = Math.max(left, s.left - axes[i]);
      right = Math.max(right, axes[i] + s.right);
    });
    return { part, left, right, height: Math.max(y, free.right - px.BETWEEN, free.left - px.BETWEEN), inner, axes, tops };
  }

  function measureFork(part, inner) {
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
    const [, left, right, height] = part[1];
    const join = { left: Math.max(left, axis), right: Math.max(right, total - axis), height };
    return { part, left: join.left, right: join.right, height: floor + px.GAP + height, inner, axes, tops, join };
  }

  function snapped(axis, axes) {
    let near = axes[0];
    for (const x of axes) if (Math.abs(x - axis) < Math.abs(near - axis)) near = x;
    return Math.abs(near - axis) <= px.SNAP ? near : axis;
  }

  function measureGroup(part, body) {
    const label = part[4] + px.FRAME_PAD + px.LANE, left = body.left + px.FRAME_PAD, right = body.right + px.FRAME_PAD;
    const height = px.FRAME_TOP + body.height + px.FRAME_PAD;
    return { part, left: Math.max(label, left), right: label > left ? Math.max(label, right) : right, height, inner: [body] };
  }

  // --- positions, top down; `paths` are the wires into a part, the returned ones leave it

  function place(sized, out, paths, x, y) {
    const part = sized.part;
    switch (part[0]) {
      case "x": return placeRigid(part, out, paths.length ? paths : [[[x, y]]], x, y);
      case "f": return placeFork(sized, out, entry(paths, x, y), x, y);
      case "r": return placeResidual(sized, out, entry(paths, x, y), x, y);
      case "t": return place(sized.inner[0], out, paths, x, y + px.DROP);
      case "g": {
        const { left, right, height } = sized;
        out.frames.push({ label: part[1], box: part[3], room: part[4], axis: x, x: x - left, y, width: left + right, height });
        return place(sized.inner[0], out, paths, x, y + px.FRAME_TOP);
      }
      default: {
        let ends = paths;
        sized.inner.forEach((inner, i) => {
          const axis = x + sized.axes[i], top = y + sized.tops[i];
          if (isTap(inner)) place(inner, out, [[[x, top], [axis, top]]], axis, top);
          else ends = place(inner, out, ends, axis, top);
        });
        return ends;
      }
    }
  }

  const entry = (paths, x, y) => (paths.length ? paths[0] : [[x, y]]);

  function placeRigid([, , , , boxes, wires, ends, pluses, frames, notes], out, paths, x, y) {
    const moved = (points) => points.map(([dx, dy]) => [x + dx, y + dy]);
    const whole = (points) => {  // a path that begins at the entry continues the wires that enter
      if (points[0][0] || points[0][1]) return [moved(points)];
      return (points.length > 1 ? paths.slice(0, 1) : paths).map((path) => [...path, ...moved(points)]);
    };
    for (const [box, dx, dy, width, height] of boxes) out.boxes.push({ box, x: x + dx, y: y + dy, width, height });
    for (const [points, arrow] of wires) for (const path of whole(points)) wire(out, path, Boolean(arrow));
    for (const [dx, dy, path] of pluses) out.pluses.push({ x: x + dx, y: y + dy, path });
    for (const [label, dx, dy, width, height] of frames) out.frames.push({ label, box: 0, x: x + dx, y: y + dy, width, height });
    for (const [text, dx, dy] of notes) out.notes.push({ text, x: x + dx, y: y + dy });
    return ends.flatMap(whole);
  }

  function placeFork(sized, out, path, x, y) {
    const bus = y + px.STUB, ends = [], { part, join } = sized;
    sized.inner.forEach((inner, i) => {
      const axis = x + sized.axes[i];
      ends.push(...place(inner, out, [[...path, [x, bus], [axis, bus]]], axis, y + sized.tops[i]));
    });
    if (!join) return ends;
    const top = y + sized.height - join.height, box = part[1][4][0][0];
    out.boxes.push({ box, x: x - join.left, y: top, width: join.left + join.right, height: join.height });
    for (const end of ends) wire(out, [...end, [end[end.length - 1][0], top]], true);
    return [[[x, top + join.height]]];
  }

  function placeResidual(sized, out, path, x, y) {
    const body = sized.inner[0], [, , name, head] = sized.part, radius = Math.floor(px.PLUS / 2);
    const fork = [x, y + px.STUB], lane = x - body.left - px.SHORTCUT, middle = y + sized.height - radius;
    const ends = place(body, out, [head ? [...path, fork] : path], x, y + head);
    wire(out, [...path, fork, [lane, fork[1]], [lane, middle], [x - radius, middle]], true);
    for (const end of ends) wire(out, [...end, [x, middle - radius]], true);
    out.pluses.push({ x, y: middle, path: name });
    return [[[x, middle + radius]]];
  }

  function wire(out, path, arrow) {
    const points = [];
    for (const point of path) {
      const last = points[points.length - 1], before = points[points.length - 2];
      if (last && last[0] === point[0] && last[1] === point[1]) continue;
      if (before && ((before[0] === last[0] && last[0] === point[0]) || (before[1] === last[1] && last[1] === point[1]))) points.pop();
      points.push(point);
    }
    if (points.length > 1) out.wires.push({ points, arrow });
  }

  function layOut(tree, isOpen) {
    const sized = measure(tree, isOpen);
    const out = { width: sized.left + sized.right, height: sized.height, boxes: [], pluses: [], frames: [], notes: [], wires: [] };
    for (const path of place(sized, out, [], sized.left, 0)) wire(out, path, false);
    return out;
  }

  return { layOut };
}
