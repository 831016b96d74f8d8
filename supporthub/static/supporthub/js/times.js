// Relative times that stay true. The server writes them first (core/ages.py); here they tick.
import { say } from "./words.js";

const MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY, SOON = 90;
const AGES = {
  list: ["now", "minutes", "hours", "days"],
  words: ["justNow", "minutesAgo", "hoursAgo", "daysAgo"],
};

export function age(seconds, style) {
  const [now, minutes, hours, days] = AGES[style] ?? AGES.words;
  if (seconds < MINUTE) return say(now);
  if (seconds < HOUR) return say(minutes, { n: Math.floor(seconds / MINUTE) });
  if (seconds < DAY) return say(hours, { n: Math.floor(seconds / HOUR) });
  return seconds < WEEK ? say(days, { n: Math.floor(seconds / DAY) }) : "";
}

export function until(seconds) {
  if (seconds <= 0) return say("anyMoment");
  if (seconds < SOON) return say("inSeconds", { n: Math.floor(seconds) });
  if (seconds < HOUR) return say("inMinutes", { n: Math.round(seconds / MINUTE) });
  return say("inHours", { n: Math.round(seconds / HOUR) });
}

function tick(selector) {
  const now = Date.now();
  for (const time of document.querySelectorAll(selector)) {
    const moment = Date.parse(time.dateTime);
    const text = time.dataset.age ? age((now - moment) / 1000, time.dataset.age) : until((moment - now) / 1000);
    if (text && text !== time.textContent) time.textContent = text;
  }
}

export function startTimes() {
  setInterval(() => tick("time[data-until]"), 1000);
  setInterval(() => tick("time[data-age]"), 20_000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick("time[data-age], time[data-until]"); });
}
