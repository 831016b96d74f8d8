// Who is looking: small faces, the same colours as the server's.
import { hub, names, say } from "./words.js";

const TABLE = Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 of the UTF-8 text, as zlib counts it: it chooses a face's colour. */
export function crc32(text) {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function initials(name) {
  const words = name.split("@")[0].split(/[\s._-]+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => word[0]).join("").toUpperCase() || "?";
}

/** Everybody else in the list, each once; who types first. */
export function others(people) {
  const found = new Map();
  for (const person of people) {
    if (person.id === hub.user.id) continue;
    if (!found.has(person.id) || person.state === "typing") found.set(person.id, person);
  }
  return [...found.values()];
}

export function face(person) {
  const circle = document.createElement("span");
  circle.className = `face face-${crc32(person.name) % 8}${person.state === "typing" ? " is-typing" : ""}`;
  circle.title = person.name;
  circle.setAttribute("aria-hidden", "true");
  circle.textContent = initials(person.name);
  return circle;
}

/** Faces and, unless `brief`, a sentence; for screen readers always the sentence. */
export function showPeople(place, people, { brief = false } = {}) {
  if (!place) return;
  const here = others(people);
  place.replaceChildren(...here.slice(0, 3).map(face));
  if (!here.length) return;
  const words = document.createElement("span");
  words.className = brief ? "visually-hidden" : "";
  words.textContent = say(here.length > 1 ? "areHere" : "isHere", { who: names(here.map((person) => person.name)) });
  place.append(words);
}
