// Short messages at the edge; announced politely. Good news goes by itself, bad news stays until dismissed. What was done
// may be taken back while its message is there: `undo` says where to, with what, and for how many milliseconds.
const GONE_AFTER = 5_000;

export function toast(text, level = "success", undo = null) {
  const line = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  line.dataset.level = level;
  line.querySelector("span").textContent = text;
  if (undo) offer(line, undo);
  document.getElementById("toasts").append(line);
  leaveLater(line);
}

function offer(line, { url, values, ms }) {
  const button = line.querySelector("[data-do=undo]");
  button.hidden = false;
  button.addEventListener("click", () => {
    line.remove();
    window.htmx.ajax("POST", url, { source: document.body, swap: "none", values });
  });
  setTimeout(() => line.remove(), ms);
}

/** Take back what the latest message offers; false when none does. */
export function undoLatest() {
  const offers = document.querySelectorAll("#toasts [data-do=undo]:not([hidden])");
  offers[offers.length - 1]?.click();
  return offers.length > 0;
}

function leaveLater(line) {
  const stays = line.dataset.level === "error" || line.dataset.level === "warning" || line.querySelector("[data-do=undo]:not([hidden])");
  if (!stays) setTimeout(() => line.remove(), GONE_AFTER);
}

export function startToasts() {
  for (const line of document.querySelectorAll(".toast-line")) leaveLater(line);
  document.addEventListener("hub:toast", (event) => toast(event.detail.text, event.detail.level, event.detail.undo));
}
