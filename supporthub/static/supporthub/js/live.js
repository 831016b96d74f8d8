// One socket for the page. Events are hints: whoever listens fetches the truth over HTTP.
//
// Each topic has a position (epoch, seq). An event carries `after`, the last number before it that concerns us. When
// that lies beyond our position something is missing: after a moment for reordering we ask for the position again and
// the listener fetches afresh. Digests say, every 15 s, what the database holds. A list does not listen to each of its
// rows: it looks at all of them at once, which tells who is there and nothing else.
import { hub } from "./words.js";

const FIRST_WAIT = 500, LONGEST_WAIT = 15_000, REORDER = 300, ANNOUNCE = 15_000, FRESH = 2_000;
const NOT_SIGNED_IN = 4401, FOREIGN_ORIGIN = 4403;

const topics = new Map();
const watchers = new Set();
const loadedAt = performance.now();
let looked = [], showCrowd = () => {};
let socket = null, wait = FIRST_WAIT, timer = 0, offlineSince = null, status = "connecting";

/**
 * Listen to a topic. `known()` gives the digest of what is shown, as JSON text, or "" when unknown.
 * `onEvent(event)` gets changes in order, `refresh()` must fetch everything afresh, `onPeople(people)` who looks.
 */
export function listen(topic, { known = () => "", onEvent = () => {}, refresh = () => {}, onPeople = () => {} }) {
  topics.set(topic, { known, onEvent, refresh, onPeople, epoch: null, seq: 0, late: [], lateTimer: 0, state: "", first: true });
  send({ type: "subscribe", topic });
}

/** See who is on these topics, and on no others; `onPeople(topic, people)` is told now and whenever it changes. */
export function look(names, onPeople) {
  const same = names.length === looked.length && names.every((name) => looked.includes(name));
  looked = names;
  showCrowd = onPeople;
  if (!same) send({ type: "look", topics: looked });
}

/** Say that this person is viewing or typing; said again every 15 s until "gone". */
export function announce(topic, state) {
  const entry = topics.get(topic);
  if (!entry || entry.state === state) return;
  entry.state = state;
  send({ type: "presence", topic, state });
}

/** Be told of the connection's state: live, connecting, reconnecting, degraded, offline (with its beginning). */
export function watch(watcher) {
  watchers.add(watcher);
  watcher(status, offlineSince);
}

export function start() {
  connect();
  setInterval(() => {
    for (const [topic, entry] of topics) if (entry.state && entry.state !== "gone") send({ type: "presence", topic, state: entry.state });
  }, ANNOUNCE);
  addEventListener("online", askEverywhere);
  addEventListener("offline", () => show("offline"));
  addEventListener("pagehide", () => { for (const [topic, entry] of topics) if (entry.state) send({ type: "presence", topic, state: "gone" }); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });
}

function connect() {
  clearTimeout(timer);
  const address = new URL(hub.urls.live, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    show("live");
    for (const [topic, entry] of topics) {
      entry.epoch = null;
      send({ type: "subscribe", topic });
    }
    if (looked.length) send({ type: "look", topics: looked });
  });
  socket.addEventListener("message", (message) => take(JSON.parse(message.data)));
  socket.addEventListener("close", lost);
}

function lost(event) {
  socket = null;
  if (event.code === NOT_SIGNED_IN) {
    location.assign(`${hub.urls.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  offlineSince ??= new Date();
  show(!navigator.onLine || event.code === FOREIGN_ORIGIN || wait > 4 * FIRST_WAIT ? "offline" : "reconnecting");
  const pause = wait * (0.5 + Math.random());
  wait = Math.min(wait * 2, LONGEST_WAIT);
  timer = setTimeout(connect, pause);
}

/** The network is back: a socket that survived proves itself by answering. */
function askEverywhere() {
  if (socket) for (const topic of topics.keys()) again(topic);
  else hurry();
}

function hurry() {
  if (socket) return;
  wait = FIRST_WAIT;
  connect();
}

function show(next) {
  if (next === "live") offlineSince = null;
  else if (next === "offline") offlineSince ??= new Date();
  status = next;
  for (const watcher of watchers) watcher(status, offlineSince);
}

function send(frame) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function take(frame) {
  wait = FIRST_WAIT;
  if (frame.type === "event" && frame.kind === "live") return show(frame.state);
  if (status === "offline" || status === "reconnecting") show("live");
  if (frame.type === "crowd") {
    for (const topic of looked) showCrowd(topic, frame.people[topic] ?? []);
    return undefined;
  }
  if (frame.kind === "presence" && looked.includes(frame.topic)) showCrowd(frame.topic, frame.people);
  const entry = topics.get(frame.topic);
  if (!entry) return undefined;
  if (frame.type === "snapshot") return position(frame, entry);
  if (frame.type === "digest") return compare(frame, entry);
  if (frame.type !== "event") return undefined;
  return frame.kind === "presence" ? entry.onPeople(frame.people) : inOrder(frame, entry);
}

function position(frame, entry) {
  const { epoch, seq } = entry;
  Object.assign(entry, { epoch: frame.epoch, seq: frame.seq, late: [] });
  clearTimeout(entry.lateTimer);
  const first = entry.first && performance.now() - loadedAt < FRESH;
  entry.first = false;
  if (epoch === frame.epoch && seq === frame.seq) compare(frame, entry);
  else if (!first || !same(frame.digest, entry)) entry.refresh();
  if (entry.state && entry.state !== "gone") send({ type: "presence", topic: frame.topic, state: entry.state });
}

function same(digest, entry) {
  return digest != null && entry.known() === JSON.stringify(digest);
}

function compare(frame, entry) {
  if (frame.digest && entry.known() && !same(frame.digest, entry)) entry.refresh();
}

function inOrder(event, entry) {
  if (entry.epoch !== event.epoch) return again(event.topic);
  if (event.seq <= entry.seq) return undefined;
  if ((event.after ?? event.seq - 1) > entry.seq) {
    entry.late.push(event);
    if (!entry.lateTimer) entry.lateTimer = setTimeout(() => again(event.topic), REORDER);
    return undefined;
  }
  entry.seq = event.seq;
  entry.onEvent(event);
  return waiting(entry);
}

function waiting(entry) {
  entry.late.sort((one, other) => one.seq - other.seq);
  const next = entry.late.shift();
  if (next) inOrder(next, entry);
  if (!entry.late.length) {
    clearTimeout(entry.lateTimer);
    entry.lateTimer = 0;
  }
}

function again(topic) {
  const entry = topics.get(topic);
  if (!entry) return;
  clearTimeout(entry.lateTimer);
  Object.assign(entry, { epoch: null, late: [], lateTimer: 0 });
  send({ type: "resync", topic });
}
