// Requests that were refused: the reason on one side, the body on the other.

import { arrange, ask, clockOf, dateOf, el, find, json, query } from "./parts.js";

const A_PAGE = 25;
const rows = new Map();

export function start() {
  find("more-refusals").addEventListener("click", () => load(find("more-refusals").dataset.next));
}

export const refresh = () => load();

export const forget = () => rows.clear();

async function load(after) {
  const page = await ask(`/sandbox/requests?${query({ outcome: "refused", order: "latest", after, limit: A_PAGE })}`);
  if (!after && rows.size && !page.requests.some((row) => rows.has(row.id))) rows.clear();
  for (const row of page.requests) if (!rows.has(row.id)) rows.set(row.id, draw(row));
  const nodes = [...rows.entries()].sort(([a], [b]) => b - a).map(([, node]) => node);
  arrange(find("refusals"), nodes.length ? nodes : [el("li", { class: "none" }, "Nothing has been refused.")]);
  if (after || rows.size <= A_PAGE) {
    find("more-refusals").hidden = !page.next;
    find("more-refusals").dataset.next = page.next ?? "";
  }
}

function draw(row) {
  const wrong = new Set(row.problems.map((problem) => problem.field));
  const reasons = row.problems.map((problem) => el("li", {}, el("code", {}, problem.field), " ", problem.message));
  return el(
    "li",
    { class: "refusal" },
    el(
      "div",
      { class: "reason" },
      el("p", { class: "meta" }, status(row), el("span", {}, `${row.method} ${row.path}`)),
      el("ul", {}, ...reasons),
      el("p", { class: "meta" }, el("time", { datetime: row.at, title: row.at }, `${dateOf(row.at)}, ${clockOf(row.at)}`)),
    ),
    json(row.body ?? "", wrong),
  );
}

export function status(row) {
  const kind = row.status === null ? "cut" : `s${Math.floor(row.status / 100)}`;
  return el("span", {}, el("b", { class: `status ${kind}` }, row.status === null ? "cut off" : String(row.status)));
}
