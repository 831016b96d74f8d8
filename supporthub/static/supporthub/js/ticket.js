// One ticket: parts fetched again when something happened, what is typed kept, who else is here.
import { startAttach } from "./attach.js";
import { bind } from "./keyboard.js";
import { announce, listen } from "./live.js";
import { elements, fragment } from "./http.js";
import { others, showPeople } from "./people.js";
import { toast } from "./toasts.js";
import { hub, names, say } from "./words.js";

const BATCH = 120, TYPING = 6_000, DRAFT_AFTER = 300;
const page = document.getElementById("ticket");
const main = page.querySelector(".ticket-main");
const composer = document.getElementById("composer");
const topic = `ticket:${page.dataset.id}`;
const draftKey = `hub-draft-${hub.user.id}-${page.dataset.key}`;
let digest = JSON.stringify(JSON.parse(page.dataset.digest)[topic]);
let timer = 0, fetching = null, people = [];
const waitingParts = new Map();

// --- parts ------------------------------------------------------------------------------------------------------------

function changed(by = "") {
  clearTimeout(timer);
  timer = setTimeout(() => refresh(by), BATCH);
}

function refresh(by = "") {
  fetching = (fetching ?? Promise.resolve()).then(() => fetchParts(by));
  return fetching;
}

async function fetchParts(by) {
  const answer = await fragment(`${page.dataset.partsUrl}?only=head,submission,stream,properties,person`, { quiet: true });
  if (!answer || Number(answer.headers.get("X-Version")) < Number(page.dataset.version)) return;
  page.dataset.version = answer.headers.get("X-Version");
  digest = JSON.stringify(JSON.parse(answer.headers.get("X-Live-Digest"))[topic]);
  for (const part of elements(answer.html)) {
    if (part.dataset.part === "stream") addEntries(part, by);
    else swap(part);
  }
}

function swap(part) {
  const old = document.getElementById(part.id);
  if (!old || old.isEqualNode(part)) return;
  if (isWorkedIn(old)) {
    waitingParts.set(part.id, part);
    return;
  }
  waitingParts.delete(part.id);
  const busy = document.activeElement;
  const open = [...old.querySelectorAll("details[open][id]")].map((details) => details.id);
  const focused = old.contains(busy) ? busy.dataset.act || busy.getAttribute("aria-label") || busy.textContent.trim() : "";
  old.replaceWith(part);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) refocus(part, focused);
  window.htmx?.process(part);
  if (part.id === "part-head") showPeople(part.querySelector("[data-here]"), people);
}

/** Whether somebody is typing there, or has an unsaved title there: such a part is not replaced under their hands. */
function isWorkedIn(part) {
  const busy = document.activeElement;
  return (part.contains(busy) && busy.matches("input, select, textarea")) || part.querySelector(".is-retitling") !== null;
}

function refocus(part, focused) {
  const same = [...part.querySelectorAll("button, a")].find((one) => focused === (one.dataset.act || one.getAttribute("aria-label") || one.textContent.trim()));
  (same ?? part.querySelector(".ticket-actions button, button, a"))?.focus({ preventScroll: true });
}

function addEntries(part, by) {
  const stream = document.getElementById("part-stream");
  const nearEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 160;
  let before = null, added = 0;
  for (const entry of part.querySelectorAll("[data-entry]")) {
    const present = stream.querySelector(`[data-entry="${entry.dataset.entry}"]`);
    if (present) {
      refreshFiles(present, entry);
      before = present;
    }
    else {
      if (before) before.after(entry);
      else stream.append(entry);
      before = entry;
      window.htmx?.process(entry);  // it may come with a file that has stopped, and its button
      entry.classList.add("is-new");
      added += 1;
    }
  }
  if (!added) return;
  if (nearEnd) stream.lastElementChild.scrollIntoView({ block: "nearest" });
  else if (by && by !== hub.user.name) toast(say("updated", { who: by }), "info");
}

/** What became of a message's files on their way into the tracker; the message itself never changes. */
function refreshFiles(present, entry) {
  const old = present.querySelector("[data-files]"), now = entry.querySelector("[data-files]");
  if (!old || !now || old.isEqualNode(now)) return;
  old.replaceWith(now);
  window.htmx?.process(now);
}

document.addEventListener("focusout", () => setTimeout(() => {
  for (const [id, part] of waitingParts) {
    if (document.getElementById(id)?.contains(document.activeElement)) continue;
    swap(part);
  }
}, 0));

// --- composer ----------------------------------------------------------------------------------------------------------

function kindNow() {
  return composer.querySelector("[name=kind]:checked").value;
}

function setKind(kind, focus = false) {
  composer.querySelector(`[name=kind][value=${kind}]`).checked = true;
  composer.dataset.kind = kind;
  composer.body.placeholder = composer.body.dataset[kind];
  if (focus) composer.body.focus();
}

function saveDraft() {
  const text = composer.body.value;
  try {
    if (text.trim()) localStorage.setItem(draftKey, JSON.stringify({ text, kind: kindNow() }));
    else localStorage.removeItem(draftKey);
  } catch {
    return;
  }
  composer.querySelector("[data-kept]").textContent = text.trim() ? say("draftKept") : "";
}

function restoreDraft() {
  try {
    const draft = JSON.parse(localStorage.getItem(draftKey));
    if (!draft?.text || composer.body.value) return;
    composer.body.value = draft.text;
    setKind(draft.kind === "internal" ? "internal" : "public");
    composer.querySelector("[data-kept]").textContent = say("draftRestored");
  } catch {
    localStorage.removeItem(draftKey);
  }
}

function startComposer() {
  let draftTimer = 0, typingTimer = 0;
  const files = startAttach(composer);
  composer.addEventListener("hub:files", (event) => { composer.body.required = event.detail.count === 0; });
  const fit = () => {
    if (CSS.supports("field-sizing", "content")) return;
    composer.body.style.height = "auto";
    composer.body.style.height = `${composer.body.scrollHeight}px`;
  };
  composer.addEventListener("change", (event) => { if (event.target.name === "kind") { setKind(kindNow(), true); saveDraft(); } });
  composer.body.addEventListener("input", () => {
    fit();
    clearTimeout(draftTimer);
    draftTimer = setTimeout(saveDraft, DRAFT_AFTER);
    announce(topic, "typing");
    clearTimeout(typingTimer);
    typingTimer = setTimeout(() => announce(topic, "viewing"), TYPING);
  });
  composer.body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      composer.requestSubmit(composer.querySelector(kindNow() === "public" ? ".btn-primary" : ".btn-note"));
    } else if (event.key === "Escape") composer.body.blur();
  });
  document.addEventListener("hub:sent", () => {
    clearTimeout(draftTimer);
    composer.body.value = "";
    files.clear();
    saveDraft();
    fit();
    announce(topic, "viewing");
  });
  restoreDraft();
  fit();
}

// --- the list this ticket was opened from -------------------------------------------------------------------------------

const walk = JSON.parse(sessionStorage.getItem("hub-walk") ?? "null");
const at = walk ? walk.keys.indexOf(page.dataset.key) : -1;

function neighbour(by) {
  return at < 0 ? null : walk.keys[at + by] ?? null;
}

function go(key) {
  if (!key) return false;
  location.assign(location.pathname.replace(page.dataset.key, key));
  return true;
}

function back() {
  sessionStorage.setItem("hub-here", page.dataset.key);
  location.assign(walk?.back ?? document.querySelector("[data-do=back]").href);
}

function startWalk() {
  if (at < 0) return;
  const line = document.querySelector("[data-walk]");
  line.hidden = false;
  line.querySelector("[data-walk-at]").textContent = say("position", { n: at + 1, total: walk.keys.length });
  for (const [name, by] of [["previous", -1], ["next", 1]]) {
    const key = neighbour(by);
    if (key) line.querySelector(`[data-walk-to=${name}]`).href = location.pathname.replace(page.dataset.key, key);
  }
}

function press(name) {
  const button = document.querySelector(`#part-head [data-act=${name}]`);
  button?.click();
  return Boolean(button);
}

function resolve({ next = false } = {}) {
  const form = document.querySelector("#part-head [name=verb][value=resolve]")?.form;
  if (!form) return false;
  if (next) {
    const where = neighbour(1);
    form.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) { if (where) go(where); else back(); } }, { once: true });
  }
  form.requestSubmit();
  return true;
}

function retitle() {
  const title = document.querySelector(".ticket-title");
  const form = title.querySelector(".retitle");
  form.hidden = title.classList.contains("is-retitling");
  title.classList.toggle("is-retitling");
  if (!form.hidden) form.value.select();
  else if (waitingParts.has("part-head")) swap(waitingParts.get("part-head"));
}

// --- wiring ----------------------------------------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const what = event.target.closest("[data-do]");
  if (what?.dataset.do === "retitle") retitle();
  else if (what?.dataset.do === "back") {
    event.preventDefault();
    back();
  } else if (what?.dataset.do === "copy") copy();
});

async function copy() {
  await navigator.clipboard.writeText(page.dataset.key);
  toast(`${say("copied")}: ${page.dataset.key}`);
}

const inTicket = { group: "ticket" };
if (composer) {
  startComposer();
  bind("r", "toReply", () => setKind("public", true), inTicket);
  bind("n", "toNote", () => setKind("internal", true), inTicket);
  bind("a", "toAssign", () => press("assign"), inTicket);
  bind("e", "toResolve", () => resolve(), inTicket);
  bind(".", "toResolveNext", () => resolve({ next: true }), inTicket);
}
bind("j", "toNext", () => go(neighbour(1)), { group: "ticket", when: () => neighbour(1) !== null });
bind("k", "toPrevious", () => go(neighbour(-1)), { group: "ticket", when: () => neighbour(-1) !== null });
bind("u", "toBack", back, inTicket);
bind("y", "toCopy", copy, inTicket);
startWalk();
document.addEventListener("hub:changed", () => {
  if (document.querySelector(".is-retitling")) retitle();
  refresh(hub.user.name);
});
main.scrollTop = main.scrollHeight;

listen(topic, {
  known: () => digest,
  refresh: () => refresh(),
  onEvent: (event) => { if (event.version > Number(page.dataset.version)) changed(event.by ?? ""); },
  onPeople: (found) => {
    people = found;
    showPeople(document.querySelector("#part-head [data-here]"), people);
    const typing = others(people).filter((person) => person.state === "typing");
    const place = document.querySelector("[data-typing]");
    if (place) place.textContent = typing.length ? say("isTyping", { who: names(typing.map((person) => person.name)) }) : "";
  },
});
announce(topic, document.hidden ? "gone" : "viewing");
document.addEventListener("visibilitychange", () => announce(topic, document.hidden ? "gone" : "viewing"));
