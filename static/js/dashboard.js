// Draw the trend, draw it again when the page has fetched new figures, and say when it cannot.

const DASHES = [[], [6, 4], [2, 3]];
// Of the reserved height, what the legend takes; it has two rows on a phone.
const legendPixels = (place) => (place.clientWidth < 420 ? 72 : 44);
const charts = [];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const figures = () => JSON.parse(document.getElementById("trend-data").textContent);
const noon = (date) => Date.parse(`${date}T12:00:00`) / 1000;
const day = (seconds) => {
  const date = new Date(seconds * 1000);
  return `${date.getMonth() + 1}-${date.getDate()}`;
};

const SERIES = {
  requests: ["hits", "misses", "failures"],
  money: ["cost", "saved"],
};
const COLOURS = {
  hits: "--series-1",
  misses: "--series-3",
  failures: "--series-2",
  cost: "--series-2",
  saved: "--series-1",
};
const WRITE = {
  requests: (value) => value?.toLocaleString() ?? "–",
  money: (value) => (value == null ? "–" : `¥${value.toFixed(value < 1 ? 4 : 2)}`),
};

function columns(kind) {
  const trend = figures();
  return [trend.dates.map(noon), ...SERIES[kind].map((name) => trend[name])];
}

function draw(place) {
  const kind = place.dataset.chart;
  const axis = { stroke: style("--quiet"), grid: { stroke: style("--line"), width: 1 } };
  const options = {
    width: place.clientWidth,
    height: place.clientHeight - legendPixels(place),
    cursor: { y: false },
    scales: { y: { range: (_chart, _low, high) => [0, high > 0 ? high * 1.05 : 1] } },
    axes: [
      { ...axis, space: 60, incrs: [1, 2, 7, 14, 28].map((days) => days * 86400), values: (_chart, ticks) => ticks.map(day) },
      { ...axis, size: 62, values: (_chart, ticks) => ticks.map((tick) => tick.toLocaleString()) },
    ],
    series: [
      { label: place.dataset.day, value: (_chart, seconds) => (seconds ? day(seconds) : "–") },
      ...SERIES[kind].map((name, index) => ({
        label: place.dataset[name],
        stroke: style(COLOURS[name]),
        width: 2.5,
        dash: DASHES[index],
        points: { show: columns(kind)[0].length <= 7 },
        value: (_chart, value) => WRITE[kind](value),
      })),
    ],
  };
  place.replaceChildren();
  charts.push({ kind, place, plot: new uPlot(options, columns(kind), place) });
}

function showFailure(failed) {
  const note = document.getElementById("not-refreshed");
  if (failed && note.hidden) {
    note.querySelector("[data-as-of]").textContent = document.querySelector("#status time").textContent;
  }
  note.hidden = !failed;
}

document.querySelectorAll("[data-chart]").forEach(draw);

addEventListener("resize", () => {
  for (const { place, plot } of charts) {
    plot.setSize({ width: place.clientWidth, height: place.clientHeight - legendPixels(place) });
  }
});

document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // Whoever has been logged out meanwhile gets the login instead of the figures.
  if (detail.xhr.responseURL.includes("/login/")) location.reload();
});

document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  showFailure(!detail.successful);
  if (!detail.successful) return;
  for (const { kind, plot } of charts) plot.setData(columns(kind));
});
