/**
 * The chart of how many events arrive. Events are counted for each second, and the chart shows the last minute.
 *
 * uPlot draws the chart (`vendor/uplot`, loaded as a plain script, because it is published with a global name). The
 * chart's colours are read from the style sheet, because CSS does not apply to the drawing on a canvas.
 */
/* global uPlot */

const SECONDS = 60;
/** The number of whole seconds whose mean is the figure beside the chart. */
const MEAN_OVER = 5;
const REDRAW_MS = 250;
/** The labels below the chart, in seconds before now. */
const LABELLED = [50, 40, 30, 20, 10, 0];
const HEIGHT_PX = 92;

export class RateChart {
  #place;
  #figures;
  #plot;
  /** The number of events in each second. The last entry is for the current second, which is not over. */
  #counts = new Array(SECONDS).fill(0);
  #second = now();
  #total = 0;

  /**
   * @param {HTMLElement} place the element that holds the chart
   * @param {{rate: HTMLElement, peak: HTMLElement, total: HTMLElement}} figures
   */
  constructor(place, figures) {
    this.#place = place;
    this.#figures = figures;
    this.#plot = this.#draw();
    new ResizeObserver(() => this.#plot.setSize({ width: place.clientWidth, height: HEIGHT_PX })).observe(place);
    setInterval(() => document.hidden || this.#update(), REDRAW_MS);
  }

  count() {
    this.#advance();
    this.#counts[SECONDS - 1] += 1;
    this.#total += 1;
  }

  /** Draws the chart again, in the colours that the style sheet has now. */
  restyle() {
    this.#plot.destroy();
    this.#plot = this.#draw();
  }

  #advance() {
    const passed = now() - this.#second;
    if (passed === 0) return;
    this.#second += passed;
    if (passed < 0 || passed >= SECONDS) return void this.#counts.fill(0); // The clock was set, or the machine slept.
    this.#counts.splice(0, passed);
    this.#counts.push(...new Array(passed).fill(0));
  }

  #update() {
    this.#advance();
    this.#plot.setData(this.#data());
    const whole = this.#counts.slice(-1 - MEAN_OVER, -1);
    const rate = whole.reduce((sum, count) => sum + count, 0) / MEAN_OVER;
    this.#figures.rate.textContent = rate.toLocaleString(undefined, { maximumFractionDigits: rate < 100 ? 1 : 0 });
    this.#figures.peak.textContent = Math.max(...this.#counts).toLocaleString();
    this.#figures.total.textContent = this.#total.toLocaleString();
  }

  #data() {
    return [this.#counts.map((_, place) => this.#second - SECONDS + 1 + place), this.#counts];
  }

  #draw() {
    const colour = (name) => resolvedColour(this.#place, name);
    const axis = { stroke: colour("--ink-faint"), font: "11px Inter, system-ui", ticks: { show: false } };
    const options = {
      width: this.#place.clientWidth,
      height: HEIGHT_PX,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: () => [this.#second - SECONDS + 0.5, this.#second + 0.5] }, y: { range: (_, __, max) => [0, ceiling(max)] } },
      axes: [
        { ...axis, size: 22, grid: { show: false }, splits: () => LABELLED.map((ago) => this.#second - ago), values: () => LABELLED.map(secondsAgo) },
        { ...axis, size: 44, grid: { stroke: colour("--line"), width: 1 }, splits: (_, __, ___, max) => [0, max / 2, max], values: (_, splits) => splits.map(compact) },
      ],
      series: [{}, { fill: colour("--accent"), stroke: colour("--accent"), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.68], radius: 0.25 }) }],
    };
    return new uPlot(options, this.#data(), this.#place);
  }
}

function now() {
  return Math.floor(Date.now() / 1_000);
}

function secondsAgo(seconds) {
  return seconds === 0 ? "now" : `−${seconds} s`;
}

function compact(count) {
  return count.toLocaleString(undefined, { notation: "compact" });
}

/**
 * Returns the top of the scale for `max` events: the next of 2, 4, 10, 20, 40, 100, …, so that half of it is a whole
 * number too.
 */
function ceiling(max) {
  const decade = 10 ** Math.floor(Math.log10(Math.max(max, 1)));
  return [2, 4, 10, 20].map((step) => step * decade).find((top) => top >= max);
}

/**
 * Returns the colour of a custom property in the current theme. The browser resolves `light-dark()` only in a real
 * property, so an element gets this colour for a moment.
 */
function resolvedColour(place, name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
