// Draws the laboratory's samples while an experiment runs. Without this script the page shows the same figures as tables and
// reloads itself; with it nothing is reloaded until an experiment begins or ends.
"use strict";

(() => {
  const RUNNING_MS = 500, IDLE_MS = 2000;
  const LINEAR = { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] };
  const COUNT = { ...LINEAR };
  const power = (round, of) => 10 ** round(Math.log10(of));
  const LOGARITHMIC = { distr: 3, range: (_, low, high) => (high > 0 ? [power(Math.floor, low), power(Math.ceil, high * 1.01)] : [1, 1000]) };
  const PLOTS = [
    { id: "lab-plot-units", of: (sample) => sample.units_per_s, scale: LINEAR },
    { id: "lab-plot-retries", of: (sample) => sample.retries_per_s, scale: LINEAR },
    { id: "lab-plot-p99", of: (sample) => sample.p99_ms, scale: LOGARITHMIC },
    { id: "lab-plot-broken", of: (sample) => sample.oversold, scale: COUNT },
  ];
  const byId = (id) => document.getElementById(id);
  const whole = (number) => (number === null ? "–" : Math.round(number).toLocaleString("en"));
  const page = byId("laboratory");
  const shown = { run: Number(page.dataset.run), running: page.dataset.running === "true" };
  const runs = new Map();

  // What the stylesheet says for light or dark: a canvas cannot read that itself.
  const swatches = [0, 1, 2, 3].map((number) => {
    const swatch = page.appendChild(document.createElement("span"));
    swatch.className = `run-${number}`;
    swatch.hidden = true;
    return swatch;
  });
  const colour = (number) => getComputedStyle(swatches[number % 4]).backgroundColor;
  const ink = () => getComputedStyle(page).color;

  // What somebody is choosing is still there when the page has loaded itself again.
  const form = byId("lab-form");
  const CHOSEN = "chosen in the laboratory";
  const fields = () => [...form.elements].filter((field) => field.name && field.type !== "hidden");
  let touched = false, leaving = false;
  form.addEventListener("input", () => (touched = true));

  function reload() {
    leaving = true;
    if (touched) sessionStorage.setItem(CHOSEN, JSON.stringify(fields().map(({ name, value }) => [name, value])));
    location.reload();
  }

  function putBack() {
    const chosen = new Map(JSON.parse(sessionStorage.getItem(CHOSEN) ?? "[]"));
    sessionStorage.removeItem(CHOSEN);
    touched = chosen.size > 0;
    for (const field of fields()) field.value = chosen.get(field.name) ?? field.value;
  }

  function axis(label) {
    return { stroke: ink, grid: { stroke: "#8884", width: 1 }, ticks: { stroke: "#8884", width: 1 }, ...label };
  }

  function draw(plot) {
    const box = byId(plot.id);
    const drawn = [...runs.values()];
    const newest = drawn.length - 1;
    const size = { width: Math.max(box.clientWidth, 200), height: 200 };
    if (plot.chart) plot.chart.destroy();
    plot.drawn = drawn.map((run) => run.number).join();
    plot.chart = new uPlot({
      ...size,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false }, y: plot.scale },
      axes: [axis({ values: (_, ticks) => ticks.map((tick) => `${tick} s`) }), axis({ size: 60 })],
      series: [{}, ...drawn.map((run, at) => ({
        label: `run ${run.number}`, stroke: colour(run.number), width: at === newest ? 2.5 : 1.2, spanGaps: true, points: { show: false },
      }))],
    }, data(plot), box);
  }

  // Each run has its own times: joined, a point of one is a gap in the others. The last sample of one that is over is of the moment
  // in which its threads ended: no rate.
  function data(plot) {
    const points = (run) => (run.running || plot.scale === COUNT ? run.samples : run.samples.slice(0, -1));
    const tables = [...runs.values()].map((run) => [points(run).map((one) => one.at_s), points(run).map(plot.of)]);
    return tables.length === 0 ? [[]] : uPlot.join(tables);
  }

  function refresh() {
    for (const plot of PLOTS) {
      const drawn = [...runs.keys()].join();
      if (plot.chart && plot.drawn === drawn) plot.chart.setData(data(plot));
      else draw(plot);
    }
  }

  // What the last half second was like; of an experiment that is over, the whole of it.
  function tell(run) {
    const last = run.samples.at(-1);
    if (!last) return;
    const { totals } = run;
    const over = { ...totals, retries_per_s: totals.retries / (totals.seconds || 1) };
    const { units_per_s, retries_per_s, p99_ms } = run.running ? last : over;
    byId("lab-units").textContent = whole(units_per_s);
    byId("lab-retries").textContent = whole(retries_per_s);
    byId("lab-p99").textContent = p99_ms === null ? "–" : p99_ms.toFixed(1);
    byId("lab-broken").textContent = last.oversold;
    byId("lab-without-seat").textContent = last.without_seat;
    byId("lab-broken").closest(".figure").classList.toggle("broken", last.oversold > 0);
    byId("lab-width-now").textContent = last.gate_width ?? "all";
    byId("lab-elapsed").textContent = `${Math.round(last.at_s)} s`;
  }

  function row(sample) {
    const line = document.createElement("tr");
    const p99 = sample.p99_ms === null ? "–" : sample.p99_ms.toFixed(1);
    const cells = [sample.at_s.toFixed(1), whole(sample.units_per_s), whole(sample.retries_per_s), p99,
      sample.oversold, sample.without_seat, sample.gate_width ?? "all"];
    for (const text of cells) line.insertCell().textContent = text;
    return line;
  }

  function list(run) {
    byId("lab-samples").tBodies[0].replaceChildren(...run.samples.slice(-10).reverse().map(row));
  }

  function merge(run) {
    const known = runs.get(run.number) ?? { number: run.number, samples: [] };
    known.samples.splice(run.samples_from, Infinity, ...run.samples);
    Object.assign(known, { running: run.state === "running", totals: run.totals });
    runs.set(run.number, known);
    for (const number of [...runs.keys()].sort((a, b) => a - b).slice(0, -4)) runs.delete(number);
  }

  async function look() {
    const newest = [...runs.values()].at(-1);
    const query = newest ? `?run=${newest.number}&since=${newest.samples.length}` : "";
    const answer = await fetch(`/laboratory/state${query}`, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const state = await answer.json();
    state.runs.forEach(merge);
    const run = [...runs.values()].at(-1);
    const number = run ? run.number : 0;
    if (number !== shown.run || state.running !== shown.running) return reload();
    if (!run) return;
    refresh();
    tell(run);
    list(run);
  }

  async function keepLooking() {
    try {
      await look();
      byId("lab-trouble").hidden = true;
    } catch {
      byId("lab-trouble").hidden = false;
    }
    if (!leaving) setTimeout(keepLooking, shown.running ? RUNNING_MS : IDLE_MS);
  }

  function widthIfFixed() {
    const width = byId("lab-gate-width");
    width.disabled = byId("lab-gate").value !== "fixed";
    width.closest("label").classList.toggle("off", width.disabled);
  }

  new ResizeObserver(() => {
    for (const { id, chart } of PLOTS) if (chart) chart.setSize({ width: Math.max(byId(id).clientWidth, 200), height: 200 });
  }).observe(byId("lab-plots"));
  byId("lab-gate").addEventListener("change", widthIfFixed);
  byId("lab-plots").hidden = false;
  keepLooking();
  putBack();
  widthIfFixed();
})();
