// Draw the trend, draw it again when the page has fetched new figures, and say when it cannot.

const SERIES = {
  requests: [
    { name: "hits", colour: "--series-1" },
    { name: "misses", colour: "--series-3", dash: [7, 4] },
    { name: "failures", colour: "--series-2", dash: [2, 3] },
  ],
  money: [
    { name: "saved", colour: "--series-1" },
    { name: "cost", colour: "--series-2", dash: [7, 4] },
  ],
};
const language = document.documentElement.lang;
const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });
const weekday = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", weekday: "short" });
const short = new Intl.NumberFormat(language, { notation: "compact" });
const WRITE = {
  requests: (value) => value.toLocaleString(language),
  money: (value) =>
    `¥${value.toLocaleString(language, { minimumFractionDigits: value && value < 1 ? 4 : 2, maximumFractionDigits: value && value < 1 ? 4 : 2 })}`,
};

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const figures = () => JSON.parse(document.getElementById("trend-data").textContent);
// Noon, in any zone, is on the day that is meant.
const noon = (date) => Date.parse(`${date}T12:00:00`) / 1000;
let charts = [];

function columns(kind) {
  const trend = figures();
  return [trend.dates.map(noon), ...SERIES[kind].map(({ name }) => trend[name])];
}

// Write one day's figures above the chart: the day under the cursor, else the latest.
function readOut(kind, place, plot) {
  const readout = place.closest("figure").querySelector(".readout");
  const [days, ...series] = plot.data;
  const index = plot.cursor.idx ?? days.length - 1;
  readout.querySelector("[data-day]").textContent = weekday.format(days[index] * 1000);
  SERIES[kind].forEach(({ name }, number) => {
    readout.querySelector(`[data-value="${name}"]`).textContent = WRITE[kind](series[number][index]);
  });
}

function draw(place) {
  const kind = place.dataset.chart;
  const font = `${style("--chart-font-size")} ${getComputedStyle(place).fontFamily}`;
  const line = { stroke: style("--line"), width: 1 };
  const axis = { font, stroke: style("--quiet"), grid: line, ticks: { ...line, size: 4 } };
  const options = {
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { x: false } },
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        space: 70,
        size: 34,
        incrs: [1, 2, 7, 14, 28].map((days) => days * 86400),
        values: (_plot, ticks) => ticks.map((tick) => day.format(tick * 1000)),
      },
      { ...axis, size: 56, values: (_plot, ticks) => ticks.map((tick) => short.format(tick)) },
    ],
    series: [
      {},
      ...SERIES[kind].map(({ colour, dash }) => ({
        stroke: style(colour),
        width: 2.5,
        dash,
        points: { show: (plot) => plot.data[0].length <= 7, size: 7, fill: style(colour) },
      })),
    ],
    hooks: { setCursor: [(plot) => readOut(kind, place, plot)] },
  };
  place.replaceChildren();
  const plot = new uPlot(options, columns(kind), place);
  readOut(kind, place, plot);
  charts.push({ kind, place, plot });
}

function drawAll() {
  charts.forEach(({ plot }) => plot.destroy());
  charts = [];
  document.querySelectorAll("[data-chart]").forEach(draw);
}

function step(plot, days) {
  const last = plot.data[0].length - 1;
  const index = Math.min(Math.max((plot.cursor.idx ?? last + 1) + days, 0), last);
  plot.setCursor({ left: plot.valToPos(plot.data[0][index], "x"), top: 1 });
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
document.addEventListener("keydown", (event) => {
  const chart = charts.find(({ place }) => place === event.target);
  if (!chart || !(event.key in STEPS)) return;
  event.preventDefault();
  step(chart.plot, STEPS[event.key]);
});
document.addEventListener("focusout", ({ target }) => {
  charts.find(({ place }) => place === target)?.plot.setCursor({ left: -10, top: -10 });
});

function showFailure(failed) {
  const note = document.getElementById("not-refreshed");
  note.querySelector("[data-as-of]").textContent = document.querySelector("#status time").textContent;
  note.hidden = !failed;
  document.body.classList.toggle("stale", failed);
}

addEventListener("resize", () => {
  for (const { place, plot } of charts) {
    plot.setSize({ width: place.clientWidth, height: place.clientHeight });
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

// What the reader has opened stays open.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => name !== "open";

document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  showFailure(!detail.successful);
  if (!detail.successful) return;
  if (detail.elt.closest("#days")) history.replaceState(null, "", detail.elt.href);
  for (const { kind, place, plot } of charts) {
    plot.setData(columns(kind));
    readOut(kind, place, plot);
  }
});

drawAll();
