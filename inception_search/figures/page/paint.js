// Draws a placement as SVG elements; names are set as text and never parsed.
"use strict";

function makePaint(table) {
  const px = table.px, ns = "http://www.w3.org/2000/svg";

  function element(name, attributes, text) {
    const made = document.createElementNS(ns, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const length = (a, b) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);
  const towards = (a, b, by) => [a[0] + Math.sign(b[0] - a[0]) * by, a[1] + Math.sign(b[1] - a[1]) * by];

  function wirePath(points, arrow) {
    const p = points.slice();
    if (arrow) p[p.length - 1] = towards(p[p.length - 1], p[p.length - 2], px.HEAD_LENGTH - 1);
    let d = `M${p[0][0]} ${p[0][1]}`;
    for (let i = 1; i < p.length - 1; i++) {
      const bend = Math.min(px.BEND, Math.floor(length(p[i - 1], p[i]) / 2), Math.floor(length(p[i], p[i + 1]) / 2));
      const into = towards(p[i], p[i - 1], bend), from = towards(p[i], p[i + 1], bend);
      d += `L${into[0]} ${into[1]}Q${p[i][0]} ${p[i][1]} ${from[0]} ${from[1]}`;
    }
    return `${d}L${p[p.length - 1][0]} ${p[p.length - 1][1]}`;
  }

  function headPath(points) {
    const tip = points[points.length - 1], base = towards(tip, points[points.length - 2], px.HEAD_LENGTH);
    const half = px.HEAD_WIDTH / 2, [dx, dy] = base[0] === tip[0] ? [half, 0] : [0, half];
    return `M${tip[0]} ${tip[1]}L${base[0] + dx} ${base[1] + dy}L${base[0] - dx} ${base[1] - dy}Z`;
  }

  function boxGroup(placed, colours, describe) {
    const box = placed.box, [, lines, kind, path] = box, folded = box[6] === "fold";
    const paint = colours(box);
    const group = element("g", {
      class: folded ? "box folded" : "box", tabindex: "-1", role: "button", "aria-label": describe(box),
      transform: `translate(${placed.x} ${placed.y})`,
    });
    if (folded) group.setAttribute("aria-expanded", "false");
    group.dataset.path = path;
    const radius = kind === "input" || kind === "add" ? Math.floor(placed.height / 2) : 5;
    if (folded) group.append(element("rect", { class: "stack", x: 3, y: 3, width: placed.width, height: placed.height, rx: radius }));
    const rect = element("rect", { class: paint ? "fill" : `k-${kind}`, width: placed.width, height: placed.height, rx: radius });
    if (paint) rect.style.cssText = `fill:${paint.fill};stroke:${paint.stroke}`;
    group.append(rect);
    const middle = placed.width / 2;
    let top = Math.floor((placed.height - px.FIRST_LINE - px.NEXT_LINE * (lines.length - 1)) / 2);
    lines.forEach((line, index) => {
      const size = index ? px.SMALL : px.TEXT;
      const text = element("text", { class: index ? "faint" : "ink", x: middle, y: top + (index ? 11 : 12), "font-size": size, "text-anchor": "middle" }, line);
      if (paint) text.style.fill = paint.ink;
      group.append(text);
      top += index ? px.NEXT_LINE : px.FIRST_LINE;
    });
    if (folded) {
      const knob = element("g", { class: "knob", transform: `translate(${placed.width} ${placed.height / 2})` });
      knob.append(element("circle", { class: "disc", r: 9 }), element("path", { class: "chevron", d: "M-2 -4L2 0L-2 4" }));
      group.append(knob);
    }
    return group;
  }

  function frameGroup(frame, up, describe) {
    const foldable = Boolean(frame.box);
    const group = element("g", { class: foldable ? "frame foldable" : "frame", transform: `translate(${frame.x} ${frame.y})` });
    const labelY = up ? frame.height - 9 : 17;
    group.append(element("rect", { class: "outline", width: frame.width, height: frame.height, rx: 8 }));
    if (!foldable) {
      group.append(element("text", { class: "faint", x: 12, y: labelY, "font-size": px.SMALL }, frame.label));
      return group;
    }
    const tab = element("g", { class: "tab", tabindex: "-1", role: "button", "aria-expanded": "true", "aria-label": describe(frame.box) });
    tab.dataset.path = frame.box[3];
    const width = frame.room + 26;
    tab.append(element("rect", { class: "hit", x: 4, y: labelY - 14, width, height: 20, rx: 4 }));
    tab.append(element("text", { class: "faint", x: 24, y: labelY, "font-size": px.SMALL }, frame.label));
    tab.append(element("path", { class: "chevron", d: "M-4 -2L0 3L4 -2", transform: `translate(14 ${labelY - 4})` }));
    group.append(tab);
    return group;
  }

  function plusGroup(plus, describe) {
    const radius = px.PLUS / 2, arm = radius - 5;
    const group = element("g", { class: "box plus", tabindex: "-1", role: "button", "aria-label": describe(["b", ["+"], "add", plus.path]), transform: `translate(${plus.x} ${plus.y})` });
    group.dataset.path = plus.path;
    group.append(element("circle", { class: "k-add", r: radius }));
    group.append(element("path", { class: "arms", d: `M${-arm} 0h${2 * arm}M0 ${-arm}v${2 * arm}` }));
    return group;
  }

  // The whole drawing in one group; `up` reverses the flow.
  function draw(placement, { up, colours, describe }) {
    const flip = (y) => placement.height - y;
    const points = (wire) => (up ? wire.points.map(([x, y]) => [x, flip(y)]) : wire.points);
    const turned = (thing) => (up ? { ...thing, y: flip(thing.y) - thing.height } : thing);
    const root = element("g", {});
    const frames = element("g", {});
    for (const frame of placement.frames) frames.append(frameGroup(turned(frame), up, describe));
    root.append(frames);
    let heads = "", lines = "";
    for (const wire of placement.wires) {
      lines += wirePath(points(wire), wire.arrow);
      if (wire.arrow) heads += headPath(points(wire));
    }
    root.append(element("path", { class: "wire", d: lines }), element("path", { class: "head", d: heads }));
    const boxes = element("g", {});
    for (const placed of placement.boxes) boxes.append(boxGroup(turned(placed), colours, describe));
    for (const plus of placement.pluses) boxes.append(plusGroup(up ? { ...plus, y: flip(plus.y) } : plus, describe));
    root.append(boxes);
    for (const note of placement.notes) {
      root.append(element("text", { class: "faint note", x: note.x, y: (up ? flip(note.y) : note.y) + 4, "font-size": px.SMALL }, note.text));
    }
    return root;
  }

  return { draw, element };
}
