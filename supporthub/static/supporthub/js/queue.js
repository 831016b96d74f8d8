// The queue's list: kept true by events, moved through by keys, worked in bulk.
import { bind } from "./keyboard.js";
import { listen, look } from "./live.js";
import { elements, fragment } from "./http.js";
import { showPeople } from "./people.js";
import { undoLatest } from "./toasts.js";
import { hub, say } from "./words.js";

const BATCH = 150, INTERACTING = 4_000, GONE_STAYS = 4_000, PREVIEW_AFTER = 140, LOOK_AFTER = 150, CAP = 1000;
const list = document.getElementById("list");
const rows = document.getElementById("rows");
const pane = document.getElementById("pane");
const bulk = document.getElementById("bulk");
const news = list.querySelector("[data-do=news]");
const wide = matchMedia("(min-width: 1200px)");

const digests = new Map(Object.entries(JSON.parse(list.dataset.digest)).map(([topic, digest]) => [topic, JSON.stringify(digest)]));
const wanted = new Map();
const arrived = new Map();
let batch = 0, touchedAt = -Infinity, current = null, previewTimer = 0, previewing = null, refreshing = null;

const rowOf = (id) => rows.querySelector(`[data-id="${id}"]`);
const allRows = () => [...rows.querySelectorAll(".row-line")];
const url = (extra) => `${list.dataset.rowsUrl}?${[list.dataset.query, extra].filter(Boolean).join("&")}`;

// --- what changed ------------------------------------------------------------------------------------------------

function onEvent(event) {
  if (Number(rowOf(event.id)?.dataset.version ?? 0) >= event.version) return;
  wanted.set(event.id, event.by ?? "");
  if (!batch) batch = setTimeout(fetchChanged, BATCH);
}

async function fetchChanged() {
  batch = 0;
  const asked = new Map([...wanted].slice(0, 100));
  for (const id of asked.keys()) wanted.delete(id);
  if (wanted.size) batch = setTimeout(fetchChanged, BATCH);
  const answer = await fragment(url(`ids=${[...asked.keys()].join(",")}`), { quiet: true });
  if (!answer) return;
  for (const row of elements(answer.html)) place(row, asked.get(Number(row.dataset.id)) ?? "");
  for (const id of (answer.headers.get("X-Gone") ?? "").split(",").filter(Boolean)) {
    forget(id);
    depart(rowOf(id), asked.get(Number(id)) ?? "");
  }
  noteHeaders(answer.headers);
}

function noteHeaders(headers) {
  const now = headers.get("X-Live-Digest");
  if (now) for (const [topic, digest] of Object.entries(JSON.parse(now))) digests.set(topic, JSON.stringify(digest));
  const counts = headers.get("X-Counts");
  if (!counts) return;
  for (const [view, count] of Object.entries(JSON.parse(counts))) {
    const text = count >= CAP ? `${CAP - 1}+` : count || "";
    for (const badge of document.querySelectorAll(`[data-view-count="${view}"]`)) badge.textContent = text;
    if (view === "unassigned") for (const badge of document.querySelectorAll("[data-count=queue]")) badge.textContent = text;
  }
}

function place(row, by) {
  const old = rowOf(row.dataset.id);
  if (!old) {
    if (belongs(row)) arrive(row);
    return;
  }
  if (Number(old.dataset.version) >= Number(row.dataset.version)) return;
  swap(old, row);
  flash(row, by);
}

function swap(old, row) {
  const focused = old.contains(document.activeElement) ? document.activeElement.className || document.activeElement.type : "";
  row.querySelector(".c-tick input")?.toggleAttribute("checked", old.querySelector(".c-tick input")?.checked ?? false);
  row.querySelector("[data-here]").replaceChildren(...old.querySelector("[data-here]").childNodes);
  old.replaceWith(row);
  if (current === old) choose(row, { focus: false, preview: true });
  if (focused) row.querySelector(focused === "checkbox" ? ".c-tick input" : ".row-link").focus({ preventScroll: true });
  observe(row);
}

function flash(row, by) {
  if (by && by === hub.user.name) return;
  row.querySelector("[data-by]").textContent = by ? say("changedBy", { who: by }) : say("changed");
  row.classList.remove("is-changed");
  requestAnimationFrame(() => row.classList.add("is-changed"));
  setTimeout(() => row.classList.remove("is-changed"), 4_000);
}

function depart(row, by) {
  if (!row || row.classList.contains("is-gone")) return;
  row.classList.add("is-gone");
  row.querySelector("[data-by]").textContent = by && by !== hub.user.name ? `${by}: ${say("notHereAnyMore")}` : say("notHereAnyMore");
  const go = () => {
    if (by !== hub.user.name && row.matches(":hover, :focus-within") && isInteracting()) return setTimeout(go, 1_000);
    if (current === row) step(1) || step(-1);
    row.remove();
    return showEmpty();
  };
  setTimeout(go, by === hub.user.name ? 900 : GONE_STAYS);
}

/** Whether a row that is not shown yet lies within what is shown: before its end, or the end is the list's end. */
function belongs(row) {
  const last = rows.lastElementChild;
  return document.querySelector(".more").hidden || !last || comesBefore(row, last);
}

function comesBefore(row, other) {
  const one = row.dataset.position.split(".").map(Number), two = other.dataset.position.split(".").map(Number);
  const at = one.findIndex((number, index) => number !== two[index]);
  if (at < 0) return false;
  return list.dataset.sort === "oldest" ? one[at] < two[at] : one[at] > two[at];
}

function arrive(row) {
  if (list.dataset.before) return;
  if (isInteracting() && rows.children.length) {
    arrived.set(row.dataset.id, row);
    showNews();
    return;
  }
  insert(row);
}

function forget(id) {
  if (arrived.delete(id)) showNews();
}

function showNews() {
  news.textContent = arrived.size === 1 ? say("newTicket") : say("newTickets", { n: arrived.size });
  news.hidden = arrived.size === 0;
}

function insert(row) {
  row.classList.add("is-coming");
  const next = allRows().find((other) => comesBefore(row, other));
  if (next) next.before(row);
  else rows.append(row);
  setTimeout(() => row.classList.remove("is-coming"), 2_000);
  observe(row);
  showEmpty();
}

function showArrived() {
  for (const row of arrived.values()) if (!rowOf(row.dataset.id)) insert(row);
  arrived.clear();
  news.hidden = true;
  list.scrollTo({ top: 0, behavior: "smooth" });
}

function isInteracting() {
  const chosen = rows.querySelector(".c-tick input:checked") !== null;
  return chosen || list.scrollTop > 8 || performance.now() - touchedAt < INTERACTING || rows.contains(document.activeElement);
}

function showEmpty() {
  document.getElementById("nothing").hidden = rows.children.length > 0;
}

/** Fetch what is shown afresh and put the difference in place, keeping the person's place in the list. */
function refresh() {
  refreshing ??= fetchAll().finally(() => { refreshing = null; });
  return refreshing;
}

async function fetchAll() {
  const answer = await fragment(url(`size=${Math.min(200, Math.max(50, rows.children.length))}`), { quiet: true });
  if (!answer) return;
  const fresh = elements(answer.html);
  const ids = new Set(fresh.map((row) => row.dataset.id));
  for (const row of allRows()) if (!ids.has(row.dataset.id)) depart(row, "");
  for (const id of [...arrived.keys()]) if (!ids.has(id)) forget(id);
  for (const row of fresh) place(row, "");
  noteHeaders(answer.headers);
  noteNext(answer.headers.get("X-Next"));
}

function noteNext(next) {
  const more = document.querySelector(".more");
  more.hidden = !next;
  more.querySelector("a").href = `?${next ?? ""}`;
}

async function showMore(link) {
  link.setAttribute("aria-disabled", "true");
  const answer = await fragment(`${list.dataset.rowsUrl}${new URL(link.href).search}`);
  link.removeAttribute("aria-disabled");
  if (!answer) return;
  const fresh = elements(answer.html).filter((row) => !rowOf(row.dataset.id));
  rows.append(...fresh);
  fresh.forEach(observe);
  noteNext(answer.headers.get("X-Next"));
  fresh[0]?.querySelector(".row-link").focus();
}

// --- who is looking ----------------------------------------------------------------------------------------------

const inSight = new Set();
let looking = 0;
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) inSight.add(target);
    else inSight.delete(target);
  }
  if (!looking) looking = setTimeout(lookAround, LOOK_AFTER);
}, { root: list, rootMargin: "80px" });

function lookAround() {
  looking = 0;
  look([...inSight].map((row) => `ticket:${row.dataset.id}`), (topic, people) =>
    showPeople(rowOf(topic.slice("ticket:".length))?.querySelector("[data-here]"), people, { brief: true }));
}

function observe(row) {
  sight.observe(row);
}

// --- moving and choosing ------------------------------------------------------------------------------------------

function choose(row, { focus = true, preview = true } = {}) {
  current?.classList.remove("is-current");
  current = row;
  if (!row) return false;
  row.classList.add("is-current");
  if (focus) row.querySelector(".row-link").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  if (preview) previewLater(row);
  return true;
}

function step(by) {
  const all = allRows();
  const at = all.indexOf(current);
  const next = all[at < 0 ? 0 : at + by];
  return next ? choose(next) : false;
}

function previewLater(row) {
  clearTimeout(previewTimer);
  if (!paneIsOpen()) return;
  previewTimer = setTimeout(() => showPreview(row.dataset.key), PREVIEW_AFTER);
}

async function showPreview(key) {
  previewing?.abort();
  previewing = new AbortController();
  const answer = await fragment(pane.dataset.url.replace("KEY", key), { quiet: true, signal: previewing.signal });
  if (!answer || current?.dataset.key !== key) return;
  const same = pane.dataset.key === key;
  pane.innerHTML = answer.html;
  pane.dataset.key = key;
  if (!same) pane.scrollTop = 0;
  window.htmx?.process(pane);
}

function paneIsOpen() {
  return wide.matches && !document.documentElement.classList.contains("no-pane");
}

function togglePane() {
  const off = document.documentElement.classList.toggle("no-pane");
  localStorage.setItem("hub-pane", off ? "off" : "on");
  document.querySelector("[data-do=pane]").setAttribute("aria-pressed", String(!off));
  if (!off && current) previewLater(current);
}

function remember() {
  const walk = { keys: allRows().map((row) => row.dataset.key), back: location.pathname + location.search };
  sessionStorage.setItem("hub-walk", JSON.stringify(walk));
}

function openRow(row, event) {
  if (!row) return false;
  remember();
  if (event?.ctrlKey || event?.metaKey) open(row.querySelector(".row-link").href, "_blank", "noopener");
  else location.assign(row.querySelector(".row-link").href);
  return true;
}

// --- bulk ---------------------------------------------------------------------------------------------------------

function showBulk() {
  const chosen = rows.querySelectorAll(".c-tick input:checked").length;
  bulk.hidden = chosen === 0;
  list.classList.toggle("is-choosing", chosen > 0);
  if (chosen) bulk.querySelector("[data-selected]").textContent = say("selected", { n: chosen });
}

function toggle(row) {
  const box = row?.querySelector(".c-tick input");
  if (!box) return;
  box.checked = !box.checked;
  showBulk();
}

function unselect() {
  for (const box of rows.querySelectorAll(".c-tick input:checked")) box.checked = false;
  showBulk();
}

function act(action) {
  if (!rows.querySelector(".c-tick input:checked")) {
    if (!current) return;
    current.querySelector(".c-tick input").checked = true;
  }
  bulk.hidden = false;
  bulk.querySelector(`button[value=${action}]`).click();  // htmx sends the button that was clicked, not a submitter
}

function nameView() {
  document.getElementById("own-view").open = true;
  document.getElementById("view-name").select();
}

// --- wiring ---------------------------------------------------------------------------------------------------------

// The focus moves, and with it `current`, before a click is heard: what counts is what was chosen when it began.
let pressedWhen = null;
rows.addEventListener("pointerdown", () => { pressedWhen = current; });
rows.addEventListener("click", (event) => {
  const row = event.target.closest(".row-line");
  if (!row || event.target.closest(".issue")) return;
  if (event.target.closest(".c-tick")) {
    if (event.target.matches("input")) showBulk();
    else toggle(row);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.shiftKey) return remember();
  if (paneIsOpen() && pressedWhen !== row && event.detail > 0) {
    event.preventDefault();
    choose(row);
  } else remember();
});
rows.addEventListener("dblclick", (event) => openRow(event.target.closest(".row-line"), event));
rows.addEventListener("focusin", (event) => {
  const row = event.target.closest(".row-line");
  if (row && row !== current && event.target.matches(".row-link")) choose(row, { focus: false });
});
for (const kind of ["pointermove", "wheel", "touchmove", "keydown"]) list.addEventListener(kind, () => { touchedAt = performance.now(); }, { passive: true });
list.addEventListener("pointerleave", () => { touchedAt = -Infinity; });
document.addEventListener("click", (event) => {
  const what = event.target.closest("[data-do]");
  if (!what) return;
  if (what.dataset.do === "news") showArrived();
  else if (what.dataset.do === "pane") togglePane();
  else if (what.dataset.do === "unselect") unselect();
  else if (what.dataset.do === "more") {
    event.preventDefault();
    showMore(what);
  }
});
document.addEventListener("hub:rows", (event) => {
  unselect();
  for (const id of event.detail.ids) wanted.set(id, hub.user.name);
  fetchChanged();
});
document.addEventListener("hub:changed", (event) => {
  if (!event.detail.id) return;
  wanted.set(event.detail.id, hub.user.name);
  fetchChanged();
});

const inList = { group: "list" };
bind("j", "toNext", () => step(1), inList);
bind("k", "toPrevious", () => step(-1), inList);
bind("o", "toOpen", (event) => openRow(current, event), inList);
bind("Enter", "toOpen", (event) => (event.target.matches?.("a, button, summary") ? (event.target.matches(".row-link") ? openRow(current, event) : false) : openRow(current, event)), { group: "list", palette: false });
bind("x", "toSelect", () => toggle(current), inList);
bind("a", "toAssign", () => act("assign"), inList);
bind("e", "toResolve", () => act("resolve"), inList);
bind("z", "toUndo", undoLatest, inList);
bind("s", "toSaveView", nameView, { group: "list", when: () => document.getElementById("own-view") !== null });
bind("p", "togglePane", togglePane, { group: "list", when: () => wide.matches });

for (const topic of digests.keys()) listen(topic, { known: () => digests.get(topic), onEvent, refresh });
allRows().forEach(observe);
document.querySelector("[data-do=pane]").setAttribute("aria-pressed", String(!document.documentElement.classList.contains("no-pane")));
showBulk();
const kept = sessionStorage.getItem("hub-here");
choose(allRows().find((row) => row.dataset.key === kept) ?? (paneIsOpen() ? allRows()[0] : null) ?? null, { focus: Boolean(kept) });
sessionStorage.removeItem("hub-here");
