// Finds the view that the address names, and keeps it fresh while events arrive.

import { amount, ask, find, say, snippet } from "./parts.js";
import * as faults from "./faults.js";
import * as metrics from "./metrics.js";
import * as requests from "./requests.js";
import * as timelines from "./timelines.js";

const VIEWS = { timelines, metrics, refused: requests, faults, reference: { start() {}, refresh() {} } };
const REFRESH_MS = 1000;
const SURE_MS = 4000;
const SHOP = "66e4a5f0-0000-4000-8000-000000000001";

let pulse = null;
let seen = "";
let busy = false;

function route() {
  const [, view = "timelines", chosen] = location.hash.split("/");
  return { view: view in VIEWS ? view : "timelines", chosen };
}

async function show() {
  const { view, chosen } = route();
  const empty = view === "timelines" && pulse !== null && pulse.events === 0;
  for (const name of Object.keys(VIEWS)) find(name).hidden = name !== view || empty;
  find("welcome").hidden = !empty;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#/${view}`) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  }
  document.title = view === "timelines" ? "Sandbox" : `Sandbox · ${view}`;
  if (view === "timelines") await timelines.show(chosen);
  else await VIEWS[view].refresh();
}

function draw() {
  find("rate").textContent = `${amount(pulse.rate.at(-1))}/s`;
  const latency = pulse.latency_seconds;
  find("latency").textContent = latency ? `${milliseconds(latency.median)} ms` : "";
  find("latency").title = latency ? `half within ${milliseconds(latency.median)} ms, 95% within ${milliseconds(latency.p95)} ms` : "";
  badge("refused-count", pulse.refused);
  badge("fault-count", pulse.faults.length);
  find("live-text").textContent = pulse.events === 1 ? "1 event" : `${amount(pulse.events)} events`;
  const top = Math.max(1, ...pulse.rate);
  const points = pulse.rate.map((count, index) => `${(index * 60) / 59},${19 - (count / top) * 18}`);
  find("rate-line").firstElementChild.setAttribute("d", `M${points.join("L")}`);
}

const milliseconds = (seconds) => (seconds < 0.01 ? (seconds * 1000).toFixed(1) : amount(Math.round(seconds * 1000)));

function badge(id, count) {
  find(id).hidden = !count;
  find(id).textContent = amount(count);
}

// At most one refresh a second, none while nobody looks or one is under way.
async function refresh() {
  const now = pulse && JSON.stringify([pulse.events, pulse.requests, pulse.faults]);
  if (!now || now === seen || busy || document.hidden) return;
  busy = true;
  try {
    await show();
    seen = now;
  } finally {
    busy = false;
  }
}

function listen() {
  const source = new EventSource("/sandbox/live");
  source.addEventListener("message", (message) => {
    const isFirst = pulse === null;
    pulse = JSON.parse(message.data);
    find("live").dataset.state = "on";
    draw();
    if (isFirst) refresh();
  });
  source.addEventListener("error", () => {
    find("live").dataset.state = "off";
    find("live-text").textContent = "not running";
  });
}

// The first press asks, the second clears.
function startClear() {
  const button = find("clear");
  let waiting;
  const calm = () => {
    clearTimeout(waiting);
    button.textContent = "Clear";
    button.classList.remove("sure");
  };
  button.addEventListener("blur", calm);
  button.addEventListener("click", async () => {
    if (!button.classList.contains("sure")) {
      button.textContent = "Clear all?";
      button.classList.add("sure");
      waiting = setTimeout(calm, SURE_MS);
      return;
    }
    calm();
    await ask("/sandbox", { method: "DELETE" });
    timelines.forget();
    requests.forget();
    say("Everything is cleared");
    if (location.hash.startsWith("#/timelines/")) location.hash = "#/timelines";
  });
}

function startKeys() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing) {
      if (find("search").offsetParent === null) history.pushState(null, "", "#/timelines");
      show();
      find("search").focus();
      event.preventDefault();
    }
    if (event.key === "Escape" && event.target === find("search")) {
      find("search").value = "";
      find("search").dispatchEvent(new Event("input"));
    }
  });
}

function startSnippets() {
  const config = { api_url: `${location.origin}/v2026-04`, api_key: "AL-sandbox", shop_id: SHOP };
  snippet("config-snippet", JSON.stringify(config, null, 2));
  const body = { name: "Order placed", description: "Order 1001", contact: { email: "ada@example.com", name: "Ada" }, metric: { metric_name: "order_value", value: 42.5 } };
  const lines = [
    `curl ${location.origin}/v2026-04/events/`,
    "  -H 'Authorization: Bearer AL-sandbox'",
    `  -H 'X-Shop-Id: ${SHOP}'`,
    "  -H 'Content-Type: application/json'",
    `  -d '${JSON.stringify(body)}'`,
  ];
  snippet("curl-snippet", lines.join(" \\\n"));
  const declared = { seed: 1, faults: [{ kind: "latency", seconds: 0.2, jitter_seconds: 0.1 }, { kind: "status", status: 503, share: 0.1, headers: { "Retry-After": "2" } }] };
  const put = [`curl -X PUT ${location.origin}/sandbox/faults`, "  -H 'Content-Type: application/json'", `  -d '${JSON.stringify(declared)}'`];
  snippet("fault-snippet", put.join(" \\\n"));
}

for (const view of Object.values(VIEWS)) view.start();
startClear();
startKeys();
startSnippets();
window.addEventListener("hashchange", show);
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, REFRESH_MS);
listen();
