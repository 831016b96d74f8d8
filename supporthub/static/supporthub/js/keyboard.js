// Shortcuts. Modules bind them here; the help sheet and the palette are made from these same bindings.
// None uses Alt; none works while typing, in a dialog, or when switched off in the profile.
import { hub, say } from "./words.js";

const SEQUENCE = 1_200;
const bindings = [];
let prefix = "", prefixTimer = 0;

/**
 * Bind `keys` ("j", "Enter", "g q", "Mod+k") to `run`. `label` names the words for help; a label's `values` fill them in.
 * `always`: also when shortcuts are switched off or a field has the focus (only for combinations with Mod).
 */
export function bind(keys, label, run, { group = "everywhere", values = {}, always = false, when = () => true, palette = true } = {}) {
  bindings.push({ keys, label, run, group, values, always, when, palette });
}

export function actions() {
  return bindings.filter((binding) => binding.palette && binding.when());
}

export function title(binding) {
  return say(binding.label, binding.values);
}

export function isTyping(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey) return `Mod+${event.key.toLowerCase()}`;
  return event.key;
}

function onKey(event) {
  if (event.altKey || event.isComposing || event.defaultPrevented) return;
  const key = pressed(event);
  const busy = isTyping(event.target) || document.querySelector("dialog[open]") !== null;
  const combined = prefix ? `${prefix} ${key}` : key;
  const found = bindings.find((binding) => binding.keys === combined && binding.when() && (binding.always || (hub.shortcuts && !busy)));
  clearTimeout(prefixTimer);
  prefix = "";
  if (found) {
    if (found.run(event) !== false) event.preventDefault();
  } else if (hub.shortcuts && !busy && bindings.some((binding) => binding.keys.startsWith(`${key} `))) {
    prefix = key;
    prefixTimer = setTimeout(() => { prefix = ""; }, SEQUENCE);
  }
}

function keysOf(keys) {
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  const line = document.createDocumentFragment();
  keys.split(" ").forEach((part, index) => {
    if (index) line.append(` ${say("then")} `);
    for (const [at, word] of part.split("+").entries()) {
      const key = document.createElement("kbd");
      key.textContent = word === "Mod" ? (mac ? "⌘" : "Ctrl") : word === "Enter" ? "⏎" : word;
      if (at) line.append(" ");
      line.append(key);
    }
  });
  return line;
}

export function keyHints(binding) {
  return keysOf(binding.keys);
}

function showHelp() {
  const sheet = document.getElementById("help");
  const body = sheet.querySelector("[data-help]");
  body.replaceChildren();
  for (const group of ["everywhere", "list", "ticket"]) {
    const shown = bindings.filter((binding) => binding.group === group && binding.when());
    if (!shown.length) continue;
    const part = document.createElement("section");
    part.className = "help-group";
    const heading = document.createElement("h3");
    heading.textContent = say(group);
    const list = document.createElement("dl");
    for (const binding of shown) {
      const name = document.createElement("dt"), keys = document.createElement("dd");
      name.textContent = title(binding);
      keys.append(keyHints(binding));
      list.append(name, keys);
    }
    part.append(heading, list);
    body.append(part);
  }
  sheet.showModal();
}

export function startKeyboard() {
  document.addEventListener("keydown", onKey);
  bind("?", "toHelp", showHelp);
  bind("/", "toSearch", () => { const field = document.getElementById("search"); field.focus(); field.select(); });
  for (const place of hub.places) bind(`g ${place.key}`, "toGo", () => location.assign(place.url), { values: { place: place.label } });
  hub.spots.slice(0, 9).forEach((spot, index) => bind(`g ${index + 1}`, "toGo", () => location.assign(spot.url), { values: { place: spot.label } }));
  bind("c", "toNew", () => location.assign(hub.urls.newTicket), { when: () => Boolean(hub.urls.newTicket) });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-do=help]")) showHelp(); });
}
