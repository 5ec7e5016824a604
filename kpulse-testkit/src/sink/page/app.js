// Adds to a page that is complete without it: messages as they arrive, times in the reader's zone, keys.
"use strict";

const list = document.getElementById("messages");
const status = document.getElementById("status");
const clear = document.getElementById("clear");
const kinds = document.getElementById("kinds");
const onlyKind = list.dataset.kind;
const mostCards = 200;
let unseen = 0;

function localTimes(root) {
  const today = new Date().toDateString();
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
    const day = at.toLocaleDateString([], { day: "numeric", month: "short" });
    time.textContent = at.toDateString() === today ? clock : `${day} ${clock}`;
    time.title = at.toString();
  }
}

function say(text, state) {
  status.textContent = text;
  status.className = state;
}

function countOne(kind) {
  for (const name of ["", kind]) {
    let link = [...kinds.children].find((one) => one.dataset.count === name);
    if (!link) {
      link = document.createElement("a");
      link.href = `/?kind=${encodeURIComponent(name)}`;
      link.dataset.count = name;
      const count = document.createElement("b");
      count.textContent = "0";
      link.append(`${name} `, count);
      kinds.append(link);
    }
    const count = link.querySelector("b");
    count.textContent = String(Number(count.textContent) + 1);
  }
}

// The card's HTML is made, and every text in it escaped, by the server.
function show(html, message) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const card = template.content.firstElementChild;
  localTimes(card);
  const shown = document.getElementById(card.id);
  if (shown) {
    for (const kind of ["details.raw", "details.again"]) {
      if (shown.querySelector(kind)?.open && card.querySelector(kind)) card.querySelector(kind).open = true;
    }
    const focused = shown === document.activeElement;
    shown.replaceWith(card);
    if (focused) card.focus({ preventScroll: true });
    return;
  }
  countOne(message.kind);
  if (onlyKind && onlyKind !== message.kind) return;
  document.getElementById("empty")?.remove();
  card.classList.add("fresh");
  list.prepend(card);
  const cards = list.querySelectorAll(".card");
  if (cards.length > mostCards) cards[cards.length - 1].remove();
  if (document.hidden) {
    unseen += 1;
    document.title = `(${unseen}) Echo sink`;
  }
}

function listen() {
  const events = new EventSource(`/api/events?from=${encodeURIComponent(list.dataset.from)}`);
  events.addEventListener("open", () => say("live", "live"));
  events.addEventListener("error", () => say("not connected, trying again", "lost"));
  events.addEventListener("anew", () => location.reload());
  events.addEventListener("message", (event) => {
    const { html, message } = JSON.parse(event.data);
    show(html, message);
  });
}

function step(by) {
  const cards = [...list.querySelectorAll(".card")];
  const here = cards.indexOf(document.activeElement?.closest(".card"));
  const next = here < 0 ? 0 : Math.min(Math.max(here + by, 0), cards.length - 1);
  cards[next]?.focus();
  cards[next]?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
  if (event.key === "o") {
    const raw = document.activeElement?.closest(".card")?.querySelector("details.raw");
    if (raw) raw.open = !raw.open;
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  document.title = "Echo sink";
});

clear.addEventListener("click", async () => {
  await fetch("/api/messages", { method: "DELETE" });
  if (!list.dataset.from) location.assign("/");
});

clear.hidden = false;
document.getElementById("keys").hidden = false;
localTimes(document);
kinds.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
if (list.dataset.from) listen();
