// A small chart for each metric: sums above, counts below, over the same stretch of time.

import { amount, arrange, ask, clockOf, dateOf, el, find, grouped, svg } from "./parts.js";

const WIDTH = 480;
const SUM_HEIGHT = 64;
const COUNT_HEIGHT = 26;
const GAP = 10;

const cards = new Map();

export function start() {}

export async function refresh() {
  const { metrics } = await ask("/sandbox/metrics");
  for (const metric of metrics) draw(metric);
  const shown = metrics.map((metric) => cards.get(metric.metric_name).node);
  const none = el("p", { class: "none" }, "No metric has arrived yet.");
  arrange(find("metric-cards"), shown.length ? shown : [none]);
}

function draw(metric) {
  const seen = JSON.stringify(metric);
  const card = cards.get(metric.metric_name) ?? { node: el("article", { class: "metric" }) };
  cards.set(metric.metric_name, card);
  if (card.seen === seen) return;
  card.seen = seen;
  const counted = metric.count === 1 ? "counted once" : `counted ${amount(metric.count)} times`;
  const repeated = metric.repeated ? ` · ${amount(metric.repeated)} not counted again` : "";
  card.node.replaceChildren(
    el("h2", {}, metric.metric_name),
    el("p", { class: "sum", title: metric.sum }, grouped(metric.sum)),
    el("p", { class: "counted" }, counted + repeated),
    chart(metric),
    el("p", { class: "span" }, ...spanOf(metric)),
  );
}

function spanOf(metric) {
  const sameDay = metric.first_at.slice(0, 10) === metric.last_at.slice(0, 10);
  const write = (time) => (sameDay ? `${dateOf(time)}, ${clockOf(time)}` : dateOf(time));
  const step = metric.step_seconds;
  return [el("span", {}, write(metric.first_at)), el("span", {}, `a bar is ${lengthOf(step)}`), el("span", {}, write(metric.last_at))];
}

function lengthOf(seconds) {
  const units = [[31536000, "a year"], [2592000, "a month"], [604800, "a week"], [86400, "a day"], [3600, "an hour"], [60, "a minute"], [1, "a second"]];
  const [size, name] = units.find(([unit]) => seconds >= unit);
  const count = seconds / size;
  return count === 1 ? name : `${count} ${name.replace(/^an? /, "")}s`;
}

function chart(metric) {
  const step = metric.step_seconds * 1000;
  const first = Math.floor(new Date(metric.first_at) / step);
  const last = Math.floor(new Date(metric.last_at) / step);
  const slots = Math.max(last - first + 1, 12);
  const bars = metric.bars.map((bar) => ({ ...bar, slot: Math.round(new Date(bar.at) / step) - first }));
  const label = `${metric.metric_name}: sum ${metric.sum}, ${metric.count} times, by ${lengthOf(metric.step_seconds)}`;
  const height = SUM_HEIGHT + GAP + COUNT_HEIGHT;
  const root = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label });
  const sums = scale(bars.map((bar) => bar.sum ?? 0), SUM_HEIGHT);
  const counts = scale(bars.map((bar) => bar.count), COUNT_HEIGHT);
  const width = WIDTH / slots;
  root.append(
    svg("line", { x1: 0, x2: WIDTH, y1: sums.zero, y2: sums.zero }),
    svg("line", { x1: 0, x2: WIDTH, y1: height, y2: height }),
  );
  for (const bar of bars) {
    const x = bar.slot * width + width * 0.14;
    const [y, tall] = sums.bar(bar.sum ?? 0);
    const [countY, countTall] = counts.bar(bar.count);
    const box = { x, width: width * 0.72, rx: Math.min(2, width * 0.2) };
    const title = svg("title");
    title.textContent = `${dateOf(bar.at)} ${clockOf(bar.at)}: sum ${bar.sum}, count ${bar.count}`;
    root.append(
      svg("g", {}, title,
        svg("rect", { ...box, y, height: tall, class: "sum-bar" }),
        svg("rect", { ...box, y: countY + SUM_HEIGHT + GAP, height: countTall, class: "count-bar" })),
    );
  }
  return root;
}

// Bars stand on zero, below it when negative.
function scale(values, height) {
  const top = Math.max(0, ...values);
  const bottom = Math.min(0, ...values);
  const unit = height / (top - bottom || 1);
  const zero = top * unit;
  return {
    zero,
    bar: (value) => {
      const tall = Math.max(Math.abs(value) * unit, value ? 1 : 0);
      return [value >= 0 ? zero - tall : zero, tall];
    },
  };
}
