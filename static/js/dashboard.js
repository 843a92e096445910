// Draws the trend, swaps in refreshed figures, and shows when they cannot be fetched.

import { Chart, figures } from "./chart.js";

const charts = [...document.querySelectorAll("[data-chart]")].map((place) => new Chart(place));
const redraw = () => charts.forEach((chart) => chart.draw());

const MOVES = { ArrowLeft: -1, ArrowRight: 1 };
document.addEventListener("keydown", (event) => {
  const chart = charts.find(({ place }) => place === event.target);
  if (!chart) return;
  if (event.key === "Enter") chart.openRows();
  if (!(event.key in MOVES)) return;
  event.preventDefault();
  chart.move(MOVES[event.key]);
});
document.addEventListener("focusout", ({ target }) => {
  charts.find(({ place }) => place === target)?.leave();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
matchMedia("print").addEventListener("change", redraw);

function showFailure(failed) {
  const note = document.getElementById("not-refreshed");
  note.querySelector("[data-as-of]").textContent = document.querySelector("#status time").textContent;
  note.hidden = !failed;
  document.body.classList.toggle("stale", failed);
}

document.querySelector("#any-range [name=app]")?.addEventListener("change", ({ target }) => {
  const address = new URL(location.href);
  if (target.value) address.searchParams.set("app", target.value);
  else address.searchParams.delete("app");
  location.assign(address);
});

// Keep opened details open, and typed text in place.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => name !== "open";

document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  showFailure(!detail.successful);
  if (!detail.successful) return;
  charts.forEach((chart) => chart.update());
  if (detail.elt.closest("#range")) {
    history.replaceState(null, "", detail.elt.href);
    const { starts, ends } = figures();
    const form = document.getElementById("any-range");
    [form.start.value, form.end.value] = [starts.at(0), ends.at(-1)].map((time) => time.slice(0, 16));
  }
});
