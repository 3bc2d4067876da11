// The pieces that every view is made of. Text goes in as text nodes alone: nothing that arrived is ever read as HTML.

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const find = (id) => document.getElementById(id);

// Puts nodes in order beneath a parent. Those already in place are not touched, so that focus and open details stay.
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let cursor = parent.firstElementChild;
  for (const node of nodes) {
    if (node === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(node, cursor);
  }
}

export async function ask(path, options) {
  const answer = await fetch(path, options);
  const told = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(told?.error?.message ?? `answered ${answer.status}`);
  return told;
}

export function query(values) {
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
}

export function say(text) {
  find("said").textContent = text;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "long", year: "numeric" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

export const clockOf = (time) => clock.format(new Date(time));

export function dayOf(time) {
  const date = new Date(time);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return day.format(date);
}

export function ago(time) {
  const seconds = (Date.now() - new Date(time)) / 1000;
  if (seconds < 10) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return shortDay.format(new Date(time));
}

export const dateOf = (time) => shortDay.format(new Date(time));

export const amount = (number) => new Intl.NumberFormat().format(number);

// Groups the digits of a decimal that may be too long for a number.
export function grouped(decimal) {
  const [, sign, whole, rest] = /^(-?)(\d+)(\.\d+)?$/.exec(decimal) ?? [null, "", decimal, ""];
  return sign.replace("-", "−") + whole.replace(/\B(?=(\d{3})+$)/g, " ") + (rest ?? "");
}

export function copyButton(label, text) {
  const button = el("button", { type: "button", class: "quiet small" }, label);
  button.addEventListener("click", async () => {
    await copy(typeof text === "function" ? text() : text);
    button.textContent = "Copied";
    say("Copied");
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea", { class: "unseen" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const LONGEST_SHOWN = 20000;

// Shows JSON from its text, so that numbers stay as they were written; lines whose path is in `wrong` are marked.
export function json(text, wrong = new Set()) {
  if (text.length > LONGEST_SHOWN) {
    return el("pre", {}, text.slice(0, LONGEST_SHOWN), el("i", {}, `\n… cut here: ${amount(text.length)} characters`));
  }
  try {
    JSON.parse(text);
  } catch {
    return el("pre", {}, text || "(no body)");
  }
  return el("pre", {}, ...new Printer(wrong).print(text.match(TOKENS) ?? []));
}

class Printer {
  constructor(wrong) {
    this.wrong = wrong;
    this.lines = [];
    this.stack = [];
    this.start(0);
  }

  start(depth) {
    this.line = el("span", { class: "line" }, "  ".repeat(depth));
    this.lines.push(this.line);
  }

  put(text, kind) {
    this.line.append(kind ? el("span", { class: kind }, text) : text);
  }

  print(tokens) {
    let isKey = false;
    tokens.forEach((token, index) => {
      if (token === "{" || token === "[") {
        this.put(token);
        this.stack.push({ closes: token === "{" ? "}" : "]", key: "" });
        isKey = token === "{";
        const closes = tokens[index + 1] === this.stack.at(-1).closes;
        if (!closes) this.start(this.stack.length);
      } else if (token === "}" || token === "]") {
        this.stack.pop();
        if (!["{", "["].includes(tokens[index - 1])) this.start(this.stack.length);
        this.put(token);
      } else if (token === ",") {
        this.put(token);
        isKey = this.stack.at(-1)?.closes === "}";
        this.start(this.stack.length);
      } else if (token === ":") {
        this.put(": ");
        isKey = false;
      } else if (isKey) {
        this.stack.at(-1).key = JSON.parse(token);
        this.put(token, "key");
        if (this.wrong.has(this.stack.map((level) => level.key).join("."))) this.line.classList.add("wrong");
      } else {
        this.put(token, token.startsWith('"') ? "text" : "literal");
      }
    });
    return this.lines;
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function curl(shop, body) {
  return [
    `curl -X POST ${quoted(`${location.origin}/v2026-04/events/`)}`,
    `  -H 'Authorization: Bearer AL-sandbox'`,
    `  -H ${quoted(`X-Shop-Id: ${shop}`)}`,
    `  -H 'Content-Type: application/json'`,
    `  --data-binary ${quoted(body)}`,
  ].join(" \\\n");
}

export function snippet(place, text) {
  find(place).replaceChildren(el("pre", {}, text), copyButton("Copy", text));
}
