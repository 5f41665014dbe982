// Printing: the drawing in its current state, dark on white, divided into sheets without cutting a box.
"use strict";

const SHEET = { width: 680, height: 860 };  // CSS px that fit on A4 and Letter, besides margins, name and totals

function sheetTops(drawing, up, room) {
  // The start of every sheet, in px of the drawing: as late as `room` allows, and never inside a box or note.
  const turned = (y, height) => (up ? drawing.height - y - height : y);
  const spans = [
    ...drawing.boxes.map((b) => [turned(b.y, b.height), b.height]),
    ...drawing.pluses.map((p) => [turned(p.y, 0) - table.px.PLUS / 2, table.px.PLUS]),
    ...drawing.notes.map((n) => [turned(n.y, 0) - table.px.SMALL, 2 * table.px.SMALL]),
  ].map(([top, height]) => [top - 6, top + height + 8]);  // includes strokes, and the second box behind a folded one
  const tops = [0];
  while (drawing.height - tops[tops.length - 1] > room) {
    const start = tops[tops.length - 1];
    let cut = start + room;
    for (let hit; (hit = spans.find(([top, end]) => top < cut && cut < end)) && hit[0] > start; ) cut = hit[0];
    tops.push(cut);
  }
  return tops;
}

function printed() {
  const d = state.drawing, scale = Math.min(1, SHEET.width / (d.width + 8));
  const tops = sheetTops(d, state.up, SHEET.height / scale);
  return tops.map((top, i) => {
    const height = (tops[i + 1] ?? d.height + 8) - top;
    const sheet = paint.element("svg", {
      class: "sheet", viewBox: `-4 ${top} ${d.width + 8} ${height}`, width: (d.width + 8) * scale, height: height * scale,
      "font-family": svg.getAttribute("font-family"),
    });
    const copy = world.cloneNode(true);  // not <use>, because the theme's rules do not apply inside it
    copy.removeAttribute("id");
    sheet.append(copy);
    return sheet;
  });
}

let onScreen = null;
addEventListener("beforeprint", () => {
  onScreen = document.documentElement.dataset.theme;
  theme(false);
  world.removeAttribute("transform");
  $("sheets").replaceChildren(...printed());
});
addEventListener("afterprint", () => {
  $("sheets").replaceChildren();
  theme(onScreen === "dark");
  move();
});
