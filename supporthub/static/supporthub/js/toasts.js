// Short messages at the edge; announced politely. Good news goes by itself, bad news stays until dismissed.
const GONE_AFTER = 5_000;

export function toast(text, level = "success") {
  const line = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  line.dataset.level = level;
  line.querySelector("span").textContent = text;
  document.getElementById("toasts").append(line);
  leaveLater(line);
}

function leaveLater(line) {
  if (line.dataset.level !== "error" && line.dataset.level !== "warning") setTimeout(() => line.remove(), GONE_AFTER);
}

export function startToasts() {
  for (const line of document.querySelectorAll(".toast-line")) leaveLater(line);
  document.addEventListener("hub:toast", (event) => toast(event.detail.text, event.detail.level));
}
