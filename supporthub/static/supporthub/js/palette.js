// ⌘K: go to a place, do something here, or find a ticket.
import { actions, bind, keyHints, title } from "./keyboard.js";
import { elements, fragment } from "./http.js";
import { hub, say } from "./words.js";

const PAUSE = 120;
let sheet, field, list, searching = null, timer = 0, found = [];

function item(label, run, hints) {
  const option = document.createElement("div");
  option.className = "palette-item";
  option.setAttribute("role", "option");
  const name = document.createElement("span");
  name.className = "palette-name";
  name.textContent = label;
  option.append(name);
  if (hints) {
    const keys = document.createElement("span");
    keys.append(hints);
    option.append(keys);
  }
  option.hubRun = run;
  return option;
}

function group(label, options) {
  if (!options.length) return [];
  const heading = document.createElement("div");
  heading.className = "palette-group";
  heading.setAttribute("role", "presentation");
  heading.textContent = label;
  return [heading, ...options];
}

function draw() {
  const typed = field.value.trim().toLowerCase();
  const fits = (label) => label.toLowerCase().split(/\s+/).concat(label.toLowerCase()).some((word) => word.startsWith(typed));
  const commands = actions().filter((binding) => !typed || fits(title(binding))).map((binding) => item(title(binding), binding.run, keyHints(binding)));
  list.replaceChildren(...group(say("tickets"), found), ...group(say("actions"), commands));
  const options = [...list.querySelectorAll("[role=option]")];
  options.forEach((option, index) => { option.id = `palette-${index}`; });
  if (!options.length) {
    const nothing = document.createElement("div");
    nothing.className = "palette-group";
    nothing.textContent = say("notFound");
    list.append(nothing);
  }
  pick(options[0]);
}

function pick(option) {
  for (const other of list.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  return field.setAttribute("aria-activedescendant", option.id);
}

function move(step) {
  const options = [...list.querySelectorAll("[role=option]")];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  pick(options[(at + step + options.length) % options.length]);
}

function choose(option, newTab) {
  if (!option) return;
  sheet.close();
  if (option.hubRun) option.hubRun();
  else if (newTab) open(option.href, "_blank", "noopener");
  else location.assign(option.href);
}

async function search() {
  const typed = field.value.trim();
  searching?.abort();
  found = [];
  if (typed.length < 2) return draw();
  searching = new AbortController();
  const answer = await fragment(`${hub.urls.palette}?q=${encodeURIComponent(typed)}`, { quiet: true, signal: searching.signal });
  if (answer && field.value.trim() === typed) found = elements(answer.html);
  return draw();
}

function show() {
  if (sheet.open) return;
  field.value = "";
  found = [];
  sheet.showModal();
  draw();
  field.focus();
}

export function startPalette() {
  sheet = document.getElementById("palette");
  field = sheet.querySelector("input");
  list = sheet.querySelector("[role=listbox]");
  bind("Mod+k", "toPalette", show, { always: true, palette: false });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-do=palette]")) show(); });
  field.addEventListener("input", () => { draw(); clearTimeout(timer); timer = setTimeout(search, PAUSE); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") choose(list.querySelector("[aria-selected=true]"), event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    choose(option, event.ctrlKey || event.metaKey);
  });
  sheet.addEventListener("click", (event) => { if (event.target === sheet) sheet.close(); });
}
