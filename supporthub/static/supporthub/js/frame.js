// What every page has: times, live state, shortcuts, palette, menus, toasts, and htmx's refusals in words.
import { bind, startKeyboard } from "./keyboard.js";
import { start as startLive, watch } from "./live.js";
import { startPalette } from "./palette.js";
import { startTimes } from "./times.js";
import { startToasts, toast } from "./toasts.js";
import { hub, say } from "./words.js";

const CLOCK = new Intl.DateTimeFormat(hub.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function showLive(state, since) {
  const badge = document.getElementById("live");
  const word = state === "offline" ? say("offlineSince", { time: CLOCK.format(since ?? new Date()) }) : say(state);
  badge.dataset.state = state;
  const place = badge.querySelector(".live-word");
  if (place.textContent !== word) place.textContent = word;
}

function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

function startHtmx() {
  document.body.addEventListener("htmx:responseError", (event) => {
    const answer = event.detail.xhr;
    if (answer.status === 401) return;
    if (answer.status === 409 && answer.responseText.includes("class=\"conflict\"")) {
      ask(answer.responseText);
      return;
    }
    const plain = answer.getResponseHeader("Content-Type")?.startsWith("text/plain");
    toast(plain ? answer.responseText : say("noAnswer"), "error");
  });
  document.body.addEventListener("htmx:sendError", () => toast(say("noAnswer"), "error"));
  document.body.addEventListener("htmx:timeout", () => toast(say("noAnswer"), "error"));
}

function ask(html) {
  const sheet = document.getElementById("ask");
  sheet.innerHTML = html;
  window.htmx.process(sheet);
  sheet.showModal();
  sheet.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) sheet.close(); }, { once: true });
}

document.addEventListener("click", (event) => {
  const doing = event.target.closest("[data-do]")?.dataset.do;
  if (doing === "theme") window.hubTheme.flip();
  else if (doing === "dismiss") event.target.closest(".toast-line").remove();
  else if (doing === "keep-theirs") {
    event.preventDefault();
    document.getElementById("ask").close();
    document.dispatchEvent(new CustomEvent("hub:changed", { detail: {} }));
  }
});

for (const choice of document.querySelectorAll("[data-theme-choice] input")) {
  choice.checked = choice.value === window.hubTheme.chosen();
  choice.addEventListener("change", () => window.hubTheme.choose(choice.value));
}

startTimes();
startToasts();
startMenus();
startKeyboard();
startPalette();
startHtmx();
bind("t", "toTheme", () => window.hubTheme.flip());
watch(showLive);
startLive();
