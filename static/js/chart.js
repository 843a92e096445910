// Draws the trend chart: at any size, in the theme's colours, with times in the server's time zone.

const SERIES = {
  requests: [
    { name: "hits", colour: "--series-1", filled: true },
    { name: "misses", colour: "--series-3", dash: [7, 4] },
    { name: "failures", colour: "--series-2", dash: [2, 3] },
  ],
  money: [
    { name: "saved", colour: "--series-1", filled: true },
    { name: "cost", colour: "--series-2", dash: [7, 4] },
  ],
};
// Seconds per point, and how many points may lie between two labels.
const STEPS = {
  minute: { seconds: 60, every: [1, 5, 10, 15, 30, 60] },
  hour: { seconds: 3600, every: [1, 2, 3, 6, 12, 24, 48, 96] },
  day: { seconds: 86400, every: [1, 2, 7, 14, 28, 56, 112, 365] },
};
const COUNTS = [...Array(10).keys()].flatMap((zeros) => [1, 2, 5].map((first) => first * 10 ** zeros));
const FEW_POINTS = 31;
const language = document.documentElement.lang;
// Times are shown in the server's time zone, wherever the reader is.
const format = (options) => new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" });
const day = format({ month: "short", day: "numeric" });
const hour = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const NAMES = {
  day: format({ month: "short", day: "numeric", weekday: "short" }),
  hour: format({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  minute: hour,
};
const short = new Intl.NumberFormat(language, { notation: "compact" });
const yuan = (value, digits = value && value < 1 ? 4 : 2) =>
  `¥${value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
const WRITE = { requests: (value) => value.toLocaleString(language), money: (value) => yuan(value) };

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const wallClock = (text) => Date.parse(`${text.slice(0, 19)}Z`) / 1000;
export const figures = () => JSON.parse(document.getElementById("trend-data").textContent);

export class Chart {
  constructor(place) {
    this.place = place;
    this.kind = place.dataset.chart;
    this.readout = place.closest("figure").querySelector(".readout");
    this.figures = figures();
    this.draw();
    // A tap selects a point; its label above the chart links to its rows.
    place.addEventListener("pointerup", ({ pointerType }) => (this.isTouched = pointerType === "touch"));
    // In the capture phase: uPlot mistakes some clicks for the end of a drag, and stops them.
    place.addEventListener("click", (event) => this.isTouched || this.openRowsAt(event), true);
    new ResizeObserver(() => this.fit()).observe(place);
  }

  // All sizes scale with the font size: a wall screen is read from a distance.
  get unit() {
    return parseFloat(getComputedStyle(this.place).fontSize) / 12;
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (width && height && (width !== this.plot.width || height !== this.plot.height)) this.draw();
  }

  update() {
    this.figures = figures();
    if (this.figures.step !== this.step) this.draw();
    this.plot.setData(this.columns());
    this.readOut();
  }

  columns() {
    return [this.figures.starts.map(wallClock), ...SERIES[this.kind].map(({ name }) => this.figures[name])];
  }

  draw() {
    this.plot?.destroy();
    this.step = this.figures.step;
    this.place.replaceChildren();
    this.plot = new uPlot(this.options(), this.columns(), this.place);
    this.readOut();
  }

  options() {
    const { unit, step } = this;
    const { seconds, every } = STEPS[step];
    const line = { stroke: style("--line"), width: 1 };
    const axis = {
      font: `${12 * unit}px ${getComputedStyle(this.place).fontFamily}`,
      stroke: style("--quiet"),
      grid: line,
      ticks: { ...line, size: 4 * unit },
      gap: 5 * unit,
    };
    return {
      width: this.place.clientWidth,
      height: this.place.clientHeight,
      padding: [unit * 8, unit * 26, 0, 0],
      legend: { show: false },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: false }, points: { size: 9 * unit } },
      scales: {
        x: { range: (_plot, low, high) => (low < high ? [low, high] : [low - seconds, high + seconds]) },
        y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        {
          ...axis,
          space: 64 * unit,
          size: 26 * unit,
          incrs: every.map((points) => points * seconds),
          splits: (plot, _axis, _low, _high, gap) => this.ticks(plot.data[0], gap),
          values: (_plot, ticks) => ticks.map((tick) => this.label(tick)),
        },
        {
          ...axis,
          space: 30 * unit,
          size: widest,
          ...(this.kind === "requests" && { incrs: COUNTS }),
          values: (_plot, ticks) => ticks.map((tick) => short.format(tick)),
        },
      ],
      series: [{}, ...SERIES[this.kind].map((series) => this.series(series))],
      hooks: { setCursor: [() => this.readOut()], draw: [() => this.drawMarks()] },
    };
  }

  series({ colour, dash, filled }) {
    const { unit } = this;
    const stroke = style(colour);
    return {
      stroke,
      width: 2.25 * unit,
      dash: dash?.map((length) => length * unit),
      fill: filled && ((plot) => gradient(plot, stroke)),
      points: { show: (plot) => plot.data[0].length <= FEW_POINTS, size: 6 * unit, fill: stroke },
    };
  }

  // Labels are at points: days counted back from the last one, hours and minutes at round times.
  ticks(times, gap) {
    const from = this.step === "day" ? times[times.length - 1] : 0;
    return times.filter((time) => (from - time) % gap === 0);
  }

  label(time) {
    const isMidnight = time % 86400 === 0;
    return (this.step === "day" || isMidnight ? day : hour).format(time * 1000);
  }

  // Show the figures of the point under the cursor, or of the latest, above the chart.
  readOut() {
    const { plot, readout } = this;
    const [times, ...series] = plot?.data ?? [[]];
    if (!times.length) return;
    this.index = plot.cursor.idx ?? times.length - 1;
    const when = readout.querySelector("[data-when]");
    when.textContent = NAMES[this.step].format(times[this.index] * 1000);
    when.href = this.rows();
    SERIES[this.kind].forEach(({ name }, number) => {
      readout.querySelector(`[data-value="${name}"]`).textContent = WRITE[this.kind](series[number][this.index]);
    });
  }

  // The URL of the rows that a point counts.
  rows() {
    const address = new URL(this.place.dataset.rows, location.href);
    address.searchParams.set("created_at__gte", this.figures.starts[this.index]);
    address.searchParams.set("created_at__lt", this.figures.ends[this.index]);
    return address.href;
  }

  openRows() {
    if (this.plot.cursor.idx !== null) location.assign(this.rows());
  }

  openRowsAt({ clientX }) {
    this.index = this.plot.posToIdx(clientX - this.plot.over.getBoundingClientRect().left);
    location.assign(this.rows());
  }

  move(points) {
    const last = this.plot.data[0].length - 1;
    const index = Math.min(Math.max((this.plot.cursor.idx ?? last + 1) + points, 0), last);
    this.plot.setCursor({ left: this.plot.valToPos(this.plot.data[0][index], "x"), top: 1 });
  }

  leave() {
    this.plot.setCursor({ left: -10, top: -10 });
  }

  drawMarks() {
    const { plot, unit } = this;
    const { ctx, bbox } = plot;
    const size = 11 * unit * devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = style("--quiet");
    ctx.lineWidth = unit * devicePixelRatio;
    ctx.font = `${size}px ${getComputedStyle(this.place).fontFamily}`;
    for (const { at, label } of this.figures.marks) {
      const x = Math.round(plot.valToPos(this.slot(wallClock(at)), "x", true));
      ctx.setLineDash([4 * unit, 4 * unit]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const isLeft = x > bbox.left + bbox.width / 2;
      ctx.textAlign = isLeft ? "right" : "left";
      ctx.fillText(label, x + (isLeft ? -size : size) / 3, bbox.top + size);
    }
    ctx.restore();
  }

  // A day's mark is drawn at its point; an hour's between two of them.
  slot(time) {
    return this.step === "day" ? time - (time % 86400) : time;
  }
}

function gradient(plot, colour) {
  const { top, height } = plot.bbox;
  const found = plot.ctx.createLinearGradient(0, top, 0, top + height);
  found.addColorStop(0, `${colour}66`);
  found.addColorStop(1, `${colour}05`);
  return found;
}

// As wide as the longest label, as in uPlot's own example.
function widest(plot, values, index, cycle) {
  const axis = plot.axes[index];
  if (cycle > 1) return axis._size;
  plot.ctx.font = axis.font[0];
  const widths = (values ?? []).map((value) => plot.ctx.measureText(value).width / devicePixelRatio);
  return Math.ceil(axis.ticks.size + axis.gap + Math.max(0, ...widths) + 2);
}
