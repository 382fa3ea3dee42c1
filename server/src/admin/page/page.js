// Shows who is there, anew every few seconds. What comes from the router is only ever set as text.

const EVERY_MS = 2000;
const PATIENCE_MS = 10_000;
/** The most rows that are shown: a table of thousands helps nobody. */
const MOST_ROWS = 300;
/** Who is behind by more than this stands out. */
const LATE = 100;
const KEY = "multichat-operators-key";

const $ = (id) => document.getElementById(id);

/** @param {Record<string, string>} [attributes] */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Words for numbers.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${short.format(count)} ${units[unit]}`;
}

function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

const roundTrip = (seconds) => (seconds === null ? "–" : `${short.format(seconds * 1000)} ms`);

// Asking the router.

class Unauthorized extends Error {}

async function ask(path, method = "GET", body = undefined) {
  const headers = {};
  const key = sessionStorage.getItem(KEY);
  if (key !== null) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 401) throw new Unauthorized(answer.error);
  if (!response.ok) throw new Error(answer.error ?? `the router answered ${response.status}`);
  return answer;
}

// What is on the page.

/** @type {Map<number, {row: HTMLElement, cells: Record<string, HTMLElement>, client: any}>} */
const rows = new Map();
let before = null;
let overview = null;

function makeRow() {
  const cells = {};
  const cell = (name, attributes = {}) => (cells[name] = element("td", attributes));
  const number = (name) => cell(name, { class: "number" });
  cells.dot = element("span", { class: "dot" });
  cells.name = element("bdi");
  cells.status = element("span", { class: "tag" });
  cells.tag = element("span", { class: "tag" }, "muted");
  cells.mute = element("button", { type: "button" });
  cells.kick = element("button", { type: "button" }, "Kick");
  const row = element(
    "tr",
    {},
    element("th", { scope: "row" }, cells.dot, cells.name, cells.status, cells.tag),
    cell("room"),
    cell("dialect"),
    cell("address"),
    number("since"),
    number("seen"),
    number("trip"),
    number("lag"),
    number("sent"),
    number("received"),
    element("td", { class: "actions" }, cells.mute, cells.kick),
  );
  const entry = { row, cells, client: null };
  cells.mute.addEventListener("click", () => mute(entry.client.room, entry.client.name, !entry.client.muted));
  cells.kick.addEventListener("click", () => kick(entry.client));
  return entry;
}

/** How much of something a second came since the last look; `null` if that is not known. */
function rate(now, earlier) {
  const seconds = before === null ? 0 : (overview.time - before.time) / 1000;
  return seconds > 0 && earlier !== undefined ? Math.max(0, now - earlier) / seconds : null;
}

function flow(now, earlier) {
  const messages = rate(now.messages, earlier?.messages);
  return messages === null || messages === 0
    ? `${whole.format(now.messages)} · ${bytes(now.bytes)}`
    : `${short.format(messages)}/s · ${bytes(rate(now.bytes, earlier?.bytes))}/s`;
}

function fillRow({ row, cells }, client, earlier) {
  const status = client.status ?? "online";
  cells.dot.dataset.status = status;
  cells.dot.title = client.text === null ? status : `${status}: ${client.text}`;
  setText(cells.name, client.name);
  cells.name.title = client.name;
  // Not by its colour alone.
  setText(cells.status, status);
  cells.status.hidden = status === "online";
  cells.tag.hidden = !client.muted;
  setText(cells.room, client.room);
  setText(cells.dialect, client.dialect);
  setText(cells.address, client.address);
  setText(cells.since, duration(overview.time - client.since));
  setText(cells.seen, `${duration(overview.time - client["last-seen"])} ago`);
  setText(cells.trip, roundTrip(client["round-trip-seconds"]));
  setText(cells.lag, whole.format(client.lag));
  cells.lag.classList.toggle("late", client.lag > LATE);
  setText(cells.sent, flow(client.sent, earlier?.sent));
  setText(cells.received, flow(client.received, earlier?.received));
  setText(cells.mute, client.muted ? "Unmute" : "Mute");
  cells.mute.setAttribute("aria-label", `${client.muted ? "Unmute" : "Mute"} ${client.name} in ${client.room}`);
  cells.kick.setAttribute("aria-label", `Kick ${client.name}, connection ${client.connection}`);
  row.title = `Connection ${client.connection}; may ${client.rights.join(", ") || "do nothing"}`;
}

function showClients() {
  const wanted = $("filter").value.trim().toLowerCase();
  const matches = overview.clients.filter((client) =>
    [client.name, client.room, client.address].some((text) => text.toLowerCase().includes(wanted)),
  );
  matches.sort((a, b) => a.room.localeCompare(b.room) || a.name.localeCompare(b.name) || a.connection - b.connection);
  const earlier = new Map(before?.clients.map((client) => [client.connection, client]));
  const shown = matches.slice(0, MOST_ROWS);
  const kept = new Set(shown.map((client) => client.connection));
  for (const [connection, { row }] of rows) {
    if (!kept.has(connection)) {
      row.remove();
      rows.delete(connection);
    }
  }
  const table = $("clients");
  table.querySelector(".empty")?.closest("tr").remove();
  let next = table.firstElementChild;
  for (const client of shown) {
    let entry = rows.get(client.connection);
    if (entry === undefined) rows.set(client.connection, (entry = makeRow()));
    entry.client = client;
    fillRow(entry, client, earlier.get(client.connection));
    // Where it is already, it stays, and with it whatever has the focus.
    if (entry.row === next) next = next.nextElementSibling;
    else table.insertBefore(entry.row, next);
  }
  if (shown.length === 0) {
    const text = wanted === "" ? "Nobody is there." : "Nobody is called so.";
    table.append(element("tr", {}, element("td", { class: "empty", colspan: "11" }, text)));
  }
  const left = matches.length - shown.length;
  setText($("more"), left > 0 ? `And ${whole.format(left)} more.` : "");
}

/** Each room's count, which changes often; the rest is made anew only if it differs, so that a button keeps the focus. */
const counts = new Map();

function makeRoom(room) {
  const count = element("span", { class: "faint" });
  counts.set(room.name, count);
  const item = element("li", {}, element("strong", {}, room.name), count);
  if (room.muted.length > 0) {
    const names = room.muted.map((name) => {
      const label = `Unmute ${name} in ${room.name}`;
      const button = element("button", { type: "button", "aria-label": label }, element("bdi", {}, name), " ✕");
      button.addEventListener("click", () => mute(room.name, name, false));
      return element("li", {}, button);
    });
    item.append(element("ul", { class: "muted-names", "aria-label": `Muted in ${room.name}` }, ...names));
  }
  return item;
}

function showRooms() {
  const shown = JSON.stringify(overview.rooms.map(({ name, muted }) => [name, muted]));
  if ($("rooms").dataset.shown !== shown) {
    $("rooms").dataset.shown = shown;
    counts.clear();
    $("rooms").replaceChildren(...overview.rooms.map(makeRoom));
  }
  for (const { name, connections, newest } of overview.rooms) {
    const here = connections === 1 ? "1 connection" : `${whole.format(connections)} connections`;
    const said = newest === 1 ? "1 entry so far" : `${whole.format(newest)} entries so far`;
    setText(counts.get(name), `${here}, ${said}`);
  }
}

function showTiles() {
  const sum = (from, of) => from.reduce((total, each) => total + of(each), 0);
  const said = rate(sum(overview.rooms, (room) => room.newest), before === null ? undefined : sum(before.rooms, (room) => room.newest));
  const earlier = new Map(before?.clients.map((client) => [client.connection, client.sent]));
  const perSecond = (what) =>
    before === null ? null : sum(overview.clients, (client) => rate(client.sent[what], earlier.get(client.connection)?.[what]) ?? 0);
  const orNothing = (number, word) => (number === null ? "–" : word(number));
  setText($("connections"), whole.format(overview.clients.length));
  setText($("said"), orNothing(said, (number) => `${short.format(number)}/s`));
  setText($("delivered"), orNothing(perSecond("messages"), (number) => `${short.format(number)}/s`));
  setText($("sent"), orNothing(perSecond("bytes"), (number) => `${bytes(number)}/s`));
  setText($("lag"), whole.format(overview.clients.reduce((most, client) => Math.max(most, client.lag), 0)));
}

function state(kind, text) {
  $("state").dataset.state = kind;
  setText($("state"), text);
}

// Doing something.

let noticeTimer;
function notice(text) {
  $("notice").textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($("notice").textContent = ""), 6000);
}

/** Resolves to whether the operator means it. */
function confirmed(title, text, verb) {
  const dialog = $("confirm");
  setText($("confirm-title"), title);
  setText($("confirm-text"), text);
  setText($("do"), verb);
  const { promise, resolve } = Promise.withResolvers();
  const form = dialog.querySelector("form");
  form.onsubmit = (event) => {
    event.preventDefault();
    resolve(true);
    dialog.close();
  };
  $("cancel").onclick = () => dialog.close();
  dialog.onclose = () => resolve(false);
  dialog.showModal();
  $("cancel").focus();
  return promise;
}

async function act(what, ...request) {
  try {
    await ask(...request);
    notice(what);
    await look();
  } catch (error) {
    failed(error);
  }
}

async function kick({ name, connection, address, room }) {
  const text = `Connection ${connection} of ${name} in ${room}, from ${address}, is closed. Its client is told to stay away, but with the key it may come back.`;
  if (await confirmed(`Kick ${name}?`, text, "Kick")) {
    await act(`${name} was kicked.`, `clients/${connection}/kick`, "POST");
  }
}

async function mute(room, name, isMuted) {
  const text = `What all clients called ${name} say in ${room} is dropped until they are unmuted, or the router is restarted. They hear the others.`;
  if (!isMuted || (await confirmed(`Mute ${name}?`, text, "Mute"))) {
    await act(`${name} was ${isMuted ? "muted" : "unmuted"}.`, `rooms/${room}/${isMuted ? "mute" : "unmute"}`, "POST", { name });
  }
}

// The key.

function askForKey(why) {
  const dialog = $("ask");
  if (dialog.open) return;
  setText($("ask-error"), why);
  $("key").value = "";
  dialog.showModal();
}

$("ask").addEventListener("cancel", (event) => event.preventDefault());
$("ask").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $("key").value);
  $("ask").close();
  look();
});
$("forget").addEventListener("click", () => {
  sessionStorage.removeItem(KEY);
  location.reload();
});

// Again and again.

function failed(error) {
  if (error instanceof Unauthorized) {
    const hadKey = sessionStorage.getItem(KEY) !== null;
    sessionStorage.removeItem(KEY);
    state("waiting", "locked");
    askForKey(hadKey ? "This is not the key." : "");
  } else {
    state("bad", "not reachable");
    notice(`It did not work: ${error.message}`);
  }
}

let looking = null;
/** Asks and shows; whoever asks while that happens waits for the same. */
function look() {
  looking ??= lookOnce().finally(() => (looking = null));
  return looking;
}

async function lookOnce() {
  try {
    const next = await ask("clients");
    [before, overview] = [overview, next];
    showTiles();
    showRooms();
    showClients();
    if (overview["shutting-down"]) state("warn", "shutting down");
    else state("good", "live");
    $("forget").hidden = sessionStorage.getItem(KEY) === null;
  } catch (error) {
    failed(error);
  }
}

async function run() {
  for (;;) {
    if (!document.hidden && !$("ask").open) await look();
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

$("filter").addEventListener("input", () => overview !== null && showClients());
document.addEventListener("visibilitychange", () => !document.hidden && !$("ask").open && look());
run();
