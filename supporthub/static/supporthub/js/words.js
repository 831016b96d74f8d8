// What the server says to scripts: who is here, where things are, and every word in the person's language.
const block = document.getElementById("hub");

export const hub = block ? JSON.parse(block.textContent) : { user: {}, urls: {}, places: [], words: {}, shortcuts: false, language: "en" };

/** The words called `name`, with `{n}` and the like filled in. */
export function say(name, values = {}) {
  let text = hub.words[name] ?? name;
  for (const [key, value] of Object.entries(values)) text = text.replace(`{${key}}`, value);
  return text;
}

/** Anna / Anna and Ben / Anna, Ben and Cem. */
export function names(list) {
  if (list.length < 2) return list.join("");
  return `${list.slice(0, -1).join(", ")} ${say("and")} ${list.at(-1)}`;
}
