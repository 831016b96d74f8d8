// Phone intake: find the person while typing, send with Ctrl+Enter, never twice.
import { startAttach } from "./attach.js";
import { elements, fragment } from "./http.js";

const PAUSE = 120;
const form = document.getElementById("intake");
const field = form.elements.requester;
const box = document.getElementById("people");
const known = form.querySelector("[data-known]");
const unknown = form.querySelector("[data-unknown]");
let timer = 0, searching = null, chosen = field.value;

function close() {
  box.hidden = true;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

function pick(option) {
  for (const other of box.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  return field.setAttribute("aria-activedescendant", option.id);
}

function take(option) {
  const { email, name, organisation } = option.dataset;
  field.value = chosen = email;
  known.querySelector("[data-known-text]").textContent = `${name || email} · ${organisation}`;
  known.hidden = false;
  unknown.hidden = true;
  close();
  form.elements.title.focus();
}

async function search() {
  const typed = field.value.trim();
  searching?.abort();
  if (typed.length < 2) return close();
  searching = new AbortController();
  const answer = await fragment(`${form.dataset.people}?q=${encodeURIComponent(typed)}`, { quiet: true, signal: searching.signal });
  if (!answer || field.value.trim() !== typed || document.activeElement !== field) return undefined;
  const options = elements(answer.html);
  box.replaceChildren(...options);
  box.hidden = options.length === 0;
  field.setAttribute("aria-expanded", String(options.length > 0));
  return pick(options[0]);
}

field.addEventListener("input", () => {
  known.hidden = true;
  unknown.hidden = !field.value.includes("@");
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE);
});
field.addEventListener("keydown", (event) => {
  const options = [...box.querySelectorAll("[role=option]")];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (box.hidden) return;
  if (event.key === "ArrowDown") pick(options[(at + 1) % options.length]);
  else if (event.key === "ArrowUp") pick(options[(at - 1 + options.length) % options.length]);
  else if (event.key === "Enter" && options[at]) take(options[at]);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
});
field.addEventListener("blur", () => setTimeout(close, 150));
box.addEventListener("pointerdown", (event) => {
  const option = event.target.closest("[role=option]");
  if (!option) return;
  event.preventDefault();
  take(option);
});

function fitCategories() {
  const board = form.elements.board.value;
  for (const option of form.elements.category.options) {
    option.hidden = option.disabled = Boolean(option.dataset.board) && option.dataset.board !== board;
    if (option.disabled && option.selected) form.elements.category.value = "";
  }
}

form.elements.board.addEventListener("change", fitCategories);
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
startAttach(form);
form.addEventListener("submit", () => { form.querySelector("[data-send]").disabled = true; });
addEventListener("pageshow", () => { form.querySelector("[data-send]").disabled = false; });
fitCategories();
if (chosen && known.hidden) unknown.hidden = false;
