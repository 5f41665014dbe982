// Colours by value: a sequential scale that is legible for colour-blind people, on light and on dark pages.
"use strict";

const RAMP = [[255, 255, 217], [199, 233, 180], [65, 182, 196], [34, 94, 168], [8, 29, 88]];

function rampColour(share, dark) {
  const at = (dark ? 1 - share : share) * (RAMP.length - 1), low = Math.min(Math.floor(at), RAMP.length - 2);
  const rgb = RAMP[low].map((value, i) => Math.round(value + (RAMP[low + 1][i] - value) * (at - low)));
  const light = (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255;
  return { fill: `rgb(${rgb})`, stroke: dark ? "#aab4be" : "#4a545f", ink: light > 0.55 ? "#14181d" : "#ffffff" };
}

// Square roots, because values span orders of magnitude and zero needs a colour too.
const shareOf = (value, most) => (most > 0 ? Math.sqrt(value / most) : 0);

const FIGURES = {
  macs: { name: "MACs", index: 3, show: (value) => count(value) },
  params: { name: "Parameters", index: 2, show: (value) => count(value) },
  bytes: { name: "Activation bytes", index: 4, show: (value) => bytes(value) },
  time: { name: "Measured time", index: 5, show: (value) => micros(value) },
};

const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");  // much faster than toLocaleString

function count(value) {
  if (value < 1000) return String(Math.round(value));
  const units = [["k", 1e3], ["M", 1e6], ["G", 1e9], ["T", 1e12]];
  const [unit, scale] = units.find(([, s]) => value < 999.5 * s) ?? units[3], scaled = value / scale;
  return `${scaled.toFixed(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0)} ${unit}`;
}

function bytes(value) {
  if (value < 1024) return `${Math.round(value)} B`;
  const [unit, scale] = value < 2 ** 20 ? ["KiB", 2 ** 10] : value < 2 ** 30 ? ["MiB", 2 ** 20] : ["GiB", 2 ** 30];
  return `${(value / scale).toFixed(value / scale < 10 ? 2 : 1)} ${unit}`;
}

function micros(value) {
  if (value < 1e3) return `${value.toFixed(value < 10 ? 1 : 0)} µs`;
  return value < 1e6 ? `${(value / 1e3).toFixed(value < 1e4 ? 2 : 1)} ms` : `${(value / 1e6).toFixed(2)} s`;
}
