// Contacts on one side, the timeline of one of them (or of all) on the other.

import { ago, amount, arrange, ask, clockOf, copyButton, curl, dateOf, dayOf, el, find, grouped, json, query } from "./parts.js";

const CONTACTS_A_PAGE = 40;
const EVENTS_A_PAGE = 50;
const FRESH_MS = 10000;

const state = { chosen: "", search: "", contacts: new Map(), events: new Map(), turn: 0 };

export function start() {
  const search = find("search");
  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      state.search = search.value.trim();
      state.contacts.clear();
      loadContacts();
    }, 200);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") focusRow(0, event);
    if (event.key === "Enter") find("contacts").querySelectorAll("a")[state.search ? 0 : 1]?.click();
  });
  find("contacts").addEventListener("keydown", moveAlong);
  find("more-contacts").addEventListener("click", () => loadContacts(find("more-contacts").dataset.next));
  find("more-events").addEventListener("click", () => loadEvents(find("more-events").dataset.next));
}

export function show(chosen) {
  find("timelines").dataset.depth = chosen ? "story" : "people";
  const contact = chosen === "all" ? "" : (chosen ?? "");
  if (contact !== state.chosen) {
    state.chosen = contact;
    state.events.clear();
    find("events").replaceChildren();
  }
  return refresh();
}

export function forget() {
  state.contacts.clear();
  state.events.clear();
}

export function refresh() {
  return Promise.all([loadContacts(), loadEvents(), loadWho()]);
}

function focusRow(index, event) {
  const rows = [...find("contacts").querySelectorAll("a")];
  if (index < 0) find("search").focus();
  else rows[Math.min(index, rows.length - 1)]?.focus();
  event.preventDefault();
}

function moveAlong(event) {
  const rows = [...find("contacts").querySelectorAll("a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) focusRow(rows.indexOf(document.activeElement) + step, event);
}

// The first page is asked for again and again; what is known already keeps its place in the page.
async function loadContacts(after) {
  const search = state.search;
  const page = await ask(`/sandbox/contacts?${query({ q: search, after, limit: CONTACTS_A_PAGE })}`);
  if (search !== state.search) return;
  if (!after) keepOnly(state.contacts, page.contacts);
  for (const contact of page.contacts) {
    const known = state.contacts.get(contact.id);
    state.contacts.set(contact.id, { contact, node: known?.node ?? el("li") });
  }
  const rows = [...state.contacts.values()].sort((a, b) => (a.contact.last_at < b.contact.last_at ? 1 : -1));
  rows.forEach(drawContact);
  arrange(find("contacts"), [...(search ? [] : [everyone()]), ...rows.map((row) => row.node), ...nobody(rows, search)]);
  if (after || rows.length <= CONTACTS_A_PAGE) offer("more-contacts", page.next);
}

// More came than a page holds: what was loaded before would leave a gap, so it goes.
function keepOnly(known, rows) {
  if (known.size && !rows.some((row) => known.has(row.id))) known.clear();
}

function offer(button, next) {
  find(button).hidden = !next;
  find(button).dataset.next = next ?? "";
}

const everyoneRow = el("li");

function everyone() {
  drawRow(everyoneRow, "#/timelines/all", state.chosen === "", "all", "All activity", "every contact, and none", "", "");
  return everyoneRow;
}

const nobodyRow = el("li", { class: "nobody" }, "Nobody is known by that.");
const nobody = (rows, search) => (search && !rows.length ? [nobodyRow] : []);

function drawContact({ contact, node }) {
  const label = contact.name || contact.email || contact.phone || contact.remote_id || "No identifier";
  const known = [contact.email, contact.phone, contact.remote_id].filter((text) => text && text !== label).join(" · ");
  const events = contact.events === 1 ? "1 event" : `${amount(contact.events)} events`;
  const chosen = state.chosen === contact.id;
  drawRow(node, `#/timelines/${contact.id}`, chosen, contact.id, label, known, ago(contact.last_at), events);
}

function drawRow(node, href, chosen, seed, title, detail, when, count) {
  const seen = [href, chosen, title, detail, when, count].join("\n");
  if (node.dataset.seen === seen) return;
  node.dataset.seen = seen;
  const link = node.firstElementChild ?? node.appendChild(el("a"));
  link.href = href;
  if (chosen) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  link.replaceChildren(
    avatar(seed, title),
    el("span", { class: "who" }, el("b", { dir: "auto" }, title), el("small", {}, detail)),
    el("span", { class: "when" }, el("small", {}, when), el("small", { class: "count" }, count)),
  );
}

function avatar(seed, title) {
  const node = el("span", { class: "avatar", "aria-hidden": "true" });
  if (seed === "all") return el("span", { class: "avatar everyone", "aria-hidden": "true" }, "∗");
  const hue = [...seed].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 360, 7);
  node.style.setProperty("--hue", hue);
  const words = title.split(/[\s@._-]+/u).filter(Boolean);
  node.textContent = words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
  return node;
}

async function loadWho() {
  const chosen = state.chosen;
  const place = find("who");
  if (!chosen) {
    if (place.dataset.id !== "") place.replaceChildren(el("h1", {}, "All activity"));
    place.dataset.id = "";
    return;
  }
  const { contacts } = await ask(`/sandbox/contacts?${query({ id: chosen })}`);
  if (chosen !== state.chosen) return;
  const [contact] = contacts;
  const seen = JSON.stringify(contact ?? chosen);
  if (place.dataset.id === seen) return;
  place.dataset.id = seen;
  if (!contact) return place.replaceChildren(el("h1", {}, "Nobody is known by that address"));
  const label = contact.name || contact.email || contact.phone || contact.remote_id || "No identifier";
  place.replaceChildren(
    avatar(contact.id, label),
    el("div", {}, el("h1", { dir: "auto" }, label), el("dl", { class: "known" }, ...knownBy(contact))),
  );
}

function knownBy(contact) {
  const rows = [["Email", contact.email], ["Phone", contact.phone], ["Remote id", contact.remote_id], ["Shop", contact.shop_id]];
  return rows.filter(([, text]) => text).map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", { title: text }, text)));
}

async function loadEvents(after) {
  const chosen = state.chosen;
  const asked = { order: "latest", body: "text", contact_id: chosen, after, limit: EVENTS_A_PAGE };
  const page = await ask(`/sandbox/events?${query(asked)}`);
  if (chosen !== state.chosen) return;
  const isFirst = state.events.size === 0;
  if (!after) keepOnly(state.events, page.events);
  for (const event of page.events) {
    if (!state.events.has(event.id)) state.events.set(event.id, { event, node: drawEvent(event, !isFirst && !after) });
  }
  arrange(find("events"), withDays([...state.events.values()].sort(latestFirst)));
  if (after || state.events.size <= EVENTS_A_PAGE) offer("more-events", page.next);
}

function latestFirst(a, b) {
  return new Date(b.event.at) - new Date(a.event.at) || b.event.id - a.event.id;
}

const days = new Map();

function withDays(rows) {
  const nodes = [];
  let last = "";
  for (const { event, node } of rows) {
    const day = dayOf(event.at);
    if (day !== last) {
      if (!days.has(day)) days.set(day, el("li", { class: "day" }, el("h2", {}, day)));
      nodes.push(days.get(day));
      last = day;
    }
    nodes.push(node);
  }
  return nodes;
}

function drawEvent(row, isNew) {
  const event = JSON.parse(row.body);
  const body = el("div", { class: "body" });
  const details = el(
    "details",
    {},
    el(
      "summary",
      {},
      el("span", { class: "headline" }, el("b", { dir: "auto" }, event.name), metricOf(row)),
      event.description ? el("span", { class: "description", dir: "auto" }, event.description) : null,
      el("span", { class: "meta" }, ...metaOf(row, event)),
    ),
    body,
  );
  details.addEventListener("toggle", () => {
    if (!details.open || body.firstChild) return;
    const buttons = [copyButton("Copy as curl", curl(row.shop_id, row.body)), copyButton("Copy body", row.body)];
    body.append(arrivalOf(row), json(row.body), el("div", { class: "buttons" }, ...buttons));
  });
  const fresh = isNew && Date.now() - new Date(row.received_at) < FRESH_MS;
  return el("li", { class: fresh ? "event fresh" : "event", "data-id": String(row.id) }, details);
}

function metricOf(row) {
  if (!row.metric_name) return null;
  const value = grouped(row.value);
  const chip = el("span", { class: "chip" }, el("span", {}, row.metric_name), el("b", {}, value));
  if (row.counted) return chip;
  chip.classList.add("repeated");
  chip.title = "Its deduping key was seen before: not counted again";
  return chip;
}

function metaOf(row, event) {
  const time = el("time", { datetime: row.at, title: row.at }, clockOf(row.at));
  const parts = [time];
  if (!event.event_time) parts.push(el("span", { title: "It came without event_time" }, "time of arrival"));
  if (!state.chosen && row.contact_label) parts.push(el("span", { class: "person" }, row.contact_name || row.contact_label));
  if (!row.contact_id) parts.push(el("span", {}, "no contact"));
  if (row.metric_name && !row.counted) parts.push(el("span", {}, "not counted again"));
  return parts;
}

function arrivalOf(row) {
  const when = `arrived ${dateOf(row.received_at)}, ${clockOf(row.received_at)}`;
  const parts = [el("span", { title: row.received_at }, when), el("span", {}, `request ${row.request_id}`)];
  if (!state.chosen) parts.push(el("span", {}, `shop ${row.shop_id}`));
  return el("p", { class: "meta" }, ...parts);
}
