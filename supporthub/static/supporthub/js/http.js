// Fetching parts of pages. A session that has ended leads to the sign-in; other refusals are said in words.
import { say } from "./words.js";
import { toast } from "./toasts.js";

/** Fetch a fragment: `{ html, headers }`, or null when it did not work (which has been said, unless `quiet`). */
export async function fragment(url, { quiet = false, signal } = {}) {
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin", signal });
    if (answer.status === 401) {
      location.assign(`${answer.headers.get("HX-Redirect").split("?")[0]}?next=${encodeURIComponent(location.pathname + location.search)}`);
      return null;
    }
    const html = await answer.text();
    if (answer.ok) return { html, headers: answer.headers };
    if (!quiet) toast(answer.headers.get("Content-Type")?.startsWith("text/plain") ? html : say("noAnswer"), "error");
  } catch (error) {
    if (error.name !== "AbortError" && !quiet) toast(say("noAnswer"), "error");
  }
  return null;
}

/** Elements of a fragment. */
export function elements(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return [...holder.content.children];
}
