// Starts the page: the network in the address, or the first one, and a table if there are several trials.
"use strict";

// The path of an address, or else of the enclosing box (a convolution's norm has no box of its own).
function holder(path) {
  let place = path ?? "";
  while (place && !state.known.has(place)) place = place.slice(0, Math.max(0, place.lastIndexOf(".")));
  return place;
}

function openTrial(number, path) {
  const row = data.trials.find((trial) => String(trial.number) === String(number)) ?? data.trials[0];
  state.trial = data.listed ? row.number : null;
  load(row.item);
  for (const line of document.querySelectorAll("#trials tbody tr")) {
    line.classList.toggle("shown", line.dataset.number === String(row.number));
    line.setAttribute("aria-selected", String(line.dataset.number === String(row.number)));
  }
  if (path) select(holder(path), { show: true, write: false });
}

function fromHash() {
  const { trial, path } = readHash();
  if (data.listed && trial !== undefined && String(state.trial) !== trial) return openTrial(trial, path);
  select(holder(path), { show: true, write: false });
}

const SORTED = { by: "rank", down: false };

function trialTable() {
  const body = $("trials").querySelector("tbody");
  const key = (trial) => trial[SORTED.by] ?? (SORTED.down ? -Infinity : Infinity);
  const rows = [...data.trials].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    return (x < y ? -1 : x > y ? 1 : a.rank === b.rank ? a.number - b.number : (a.rank ?? Infinity) - (b.rank ?? Infinity)) * (SORTED.down ? -1 : 1);
  });
  body.replaceChildren(...rows.map((trial) => {
    const line = item("tr", trial.baseline ? "baseline" : "");
    line.dataset.number = trial.number;
    line.tabIndex = 0;
    line.setAttribute("aria-selected", String(trial.number === state.trial));
    line.classList.toggle("shown", trial.number === state.trial);
    const cells = [
      [trial.rank ?? ""], [trial.name, "name"], [trial.accuracy === null ? trial.state : `${(100 * trial.accuracy).toFixed(2)} %`],
      [trial.params === null ? "" : count(trial.params)], [trial.macs === null ? "" : count(trial.macs)],
    ];
    line.append(...cells.map(([value, kind]) => item("td", kind ?? "number", String(value))));
    const show = () => { openTrial(trial.number); writeHash({ trial: trial.number }); };
    line.addEventListener("click", show);
    line.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { show(); event.preventDefault(); }
      const other = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling }[event.key];
      if (other) { other.focus(); event.preventDefault(); }
    });
    return line;
  }));
}

for (const head of document.querySelectorAll("#trials th button")) {
  head.addEventListener("click", () => {
    SORTED.down = SORTED.by === head.dataset.by ? !SORTED.down : head.dataset.by === "accuracy";
    SORTED.by = head.dataset.by;
    for (const other of document.querySelectorAll("#trials th")) other.removeAttribute("aria-sort");
    head.parentElement.setAttribute("aria-sort", SORTED.down ? "descending" : "ascending");
    trialTable();
  });
}

const system = matchMedia("(prefers-color-scheme: dark)");
theme(system.matches);
system.addEventListener("change", () => theme(system.matches));
const asked = readHash();
openTrial(asked.trial, asked.path);
if (data.listed) trialTable();
addEventListener("popstate", fromHash);
addEventListener("hashchange", fromHash);
