// The faults as switches. Each is a sentence with its numbers in it; whatever changes is in force at once.

import { arrange, ask, clockOf, el, find, query, say } from "./parts.js";
import { status } from "./requests.js";

const RETRY_AFTER = "Retry-After";

const number = (name, label, options = {}) => ({ name, label, type: "number", step: "any", min: 0, ...options });

const KINDS = [
  ["latency", "Latency", "Answers later.", [number("seconds", "Wait", { unit: "s" }), number("jitter_seconds", "and up to", { unit: "s more" })]],
  ["rate_limit", "Rate limit", "Answers 429 beyond so many requests.", [
    number("requests_per_second", "Take", { unit: "a second", min: 0.1 }),
    { name: "retry_after", label: "Retry-After in", type: "select", options: ["seconds", "date", "none"] },
  ]],
  ["status", "Status", "Answers a status of your choice.", [
    number("status", "Answer", { min: 200, max: 599, step: 1 }),
    { name: RETRY_AFTER, label: "with Retry-After", type: "text", placeholder: "none" },
  ]],
  ["drop", "Dropped connection", "Resets the connection instead of answering.", []],
  ["silent", "Silence", "Never answers, and keeps the connection.", []],
  ["truncate", "Truncated answer", "Sends half of the answer and closes.", []],
  ["slow", "Slow answer", "Sends the answer a byte at a time.", [number("byte_seconds", "A byte each", { unit: "s" })]],
  ["endless", "Endless answer", "Answers, and never comes to an end.", []],
  ["garbage", "Garbage", "Answers something that is no HTTP.", []],
];

const cards = new Map();
let current = [];

export function start() {
  find("faults-off").addEventListener("click", () => put([]));
  for (const [kind, title, text, fields] of KINDS) cards.set(kind, makeCard(kind, title, text, fields));
  find("fault-cards").append(...[...cards.values()].map((card) => card.node));
}

export async function refresh() {
  const told = await ask("/sandbox/faults");
  current = told.faults;
  for (const [kind, card] of cards) drawCard(card, current.find((fault) => fault.kind === kind), told.kinds[kind]);
  drawOthers();
  const met = await ask(`/sandbox/requests?${query({ outcome: "faulted", order: "latest", limit: 12 })}`);
  const none = [el("li", { class: "none" }, "No request has met a fault.")];
  arrange(find("met"), met.requests.length ? met.requests.map(drawMet) : none);
}

function makeCard(kind, title, text, fields) {
  const toggle = el("button", { type: "button", role: "switch", "aria-checked": "false", "aria-labelledby": `fault-${kind}` }, el("i"));
  const inputs = new Map();
  const sentence = fields.map((field) => input(inputs, field));
  const takes = !["latency", "rate_limit"].includes(kind);
  const aim = [
    input(inputs, number("share", "for", { unit: "% of requests", max: 100 })),
    input(inputs, { name: "match", label: "whose body matches", type: "text", placeholder: "anything" }),
    input(inputs, number("times", "at most", { unit: "times", step: 1, placeholder: "∞" })),
  ];
  if (takes) aim.push(input(inputs, { name: "taken", label: "Keep the event all the same", type: "checkbox" }));
  const left = el("span", { class: "left" });
  const node = el(
    "article",
    { class: "fault", "data-kind": kind },
    el("header", {}, el("div", {}, el("h2", { id: `fault-${kind}` }, title), el("p", {}, text)), left, toggle),
    el("div", { class: "settings" }, ...sentence, ...aim),
  );
  const card = { kind, node, toggle, inputs, left };
  toggle.addEventListener("click", () => change(card, toggle.getAttribute("aria-checked") !== "true"));
  for (const field of inputs.values()) {
    field.addEventListener("change", () => toggle.getAttribute("aria-checked") === "true" && change(card, true));
  }
  return card;
}

function input(inputs, { name, label, type, unit, options, ...rest }) {
  const field = type === "select"
    ? el("select", {}, ...options.map((option) => el("option", { value: option }, option === "none" ? "no header" : option)))
    : el("input", { type, ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, String(value)])) });
  field.name = name;
  inputs.set(name, field);
  const after = unit ? el("span", {}, unit) : null;
  return el("label", { class: type }, ...(type === "checkbox" ? [field, el("span", {}, label)] : [el("span", {}, label), field, after]));
}

function drawCard(card, fault, usual) {
  card.toggle.setAttribute("aria-checked", String(Boolean(fault)));
  card.node.classList.toggle("on", Boolean(fault));
  card.left.textContent = fault && fault.left !== null ? (fault.left ? `${fault.left} left` : "spent") : "";
  const values = fault ?? (card.touched ? null : usual);
  card.touched = true;
  if (!values) return;
  for (const [name, field] of card.inputs) {
    if (field === document.activeElement) continue;
    if (field.type === "checkbox") field.checked = values[name];
    else if (name === RETRY_AFTER) field.value = values.headers[RETRY_AFTER] ?? "";
    else if (name === "share") field.value = String(Number((values.share * 100).toFixed(3)));
    else field.value = values[name] ?? "";
  }
}

function read(card) {
  const fault = { kind: card.kind };
  for (const [name, field] of card.inputs) {
    if (field.type === "checkbox") fault[name] = field.checked;
    else if (name === RETRY_AFTER) fault.headers = field.value ? { [RETRY_AFTER]: field.value } : {};
    else if (name === "share") fault.share = Number(field.value || 100) / 100;
    else if (field.type === "number") fault[name] = field.value === "" ? null : Number(field.value);
    else fault[name] = field.value || null;
  }
  return fault;
}

function change(card, on) {
  const index = current.findIndex((fault) => fault.kind === card.kind);
  const others = current.filter((_, place) => place !== index).filter((fault) => fault.left !== 0);
  const kept = others.map(({ left, ...fault }) => ({ ...fault, times: left }));
  return put(on ? [...kept, read(card)] : kept);
}

async function put(faults) {
  const problem = find("fault-problem");
  try {
    const headers = { "Content-Type": "application/json" };
    await ask("/sandbox/faults", { method: "PUT", headers, body: JSON.stringify({ faults }) });
    problem.hidden = true;
    say(faults.length === 1 ? "1 fault is on" : `${faults.length} faults are on`);
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
  await refresh();
}

function drawOthers() {
  const others = current.filter((fault, index) => current.findIndex(({ kind }) => kind === fault.kind) !== index);
  const place = find("fault-others");
  if (!others.length) return place.replaceChildren();
  const listed = others.map((fault) => el("li", {}, el("code", {}, JSON.stringify(fault))));
  place.replaceChildren(el("h2", {}, "Also on"), el("ul", {}, ...listed));
}

function drawMet(row) {
  const kept = row.event_id === null ? "event not kept" : `event ${row.event_id} kept`;
  return el("li", {}, status(row), el("span", {}, row.fault), el("span", {}, kept), el("time", { datetime: row.at }, clockOf(row.at)));
}
