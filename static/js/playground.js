// The test page: processes photos three at a time, newest first, and shows totals.
import { Card } from "./photo_card.js";
import { bytes, onPhotos } from "./photos.js";
import { download } from "./csv.js";

const AT_ONCE = 3;
// From this number on, tiles are shown instead of whole cards.
const MANY = 6;

const list = document.getElementById("photos");
const summary = document.getElementById("summary");
const tally = document.getElementById("tally");
const names = JSON.parse(document.getElementById("names").textContent);
const layout = document.getElementById("layout");
const stop = document.getElementById("stop");
const cards = [];
const queue = [];
let atWork = 0;

onPhotos((files) => {
  const added = files.map((file) => new Card(file, sum));
  for (const card of added) {
    card.find("[data-retry]").addEventListener("click", () => enqueue([card]));
  }
  list.prepend(...added.map((card) => card.item));
  cards.unshift(...added);
  if (cards.length > MANY && !layout.dataset.chosen) layOut("grid");
  enqueue(added);
});

// Queue these before those already waiting, in order.
function enqueue(added) {
  for (const card of added) card.enter("queued");
  queue.unshift(...added);
  sum();
  while (atWork < AT_ONCE && queue.length) work();
}

async function work() {
  atWork += 1;
  while (queue.length) await queue.shift().send();
  atWork -= 1;
  sum();
}

stop.addEventListener("click", () => {
  for (const card of queue.splice(0)) card.enter("stopped");
  sum();
});

layout.addEventListener("click", () => {
  layout.dataset.chosen = "yes";
  layOut(list.classList.contains("grid") ? "list" : "grid");
});

function layOut(look) {
  list.classList.toggle("grid", look === "grid");
  layout.setAttribute("aria-pressed", String(look === "grid"));
}

document.getElementById("csv").addEventListener("click", () => download(cards));

// Warn before leaving: photos in progress would be lost.
addEventListener("beforeunload", (event) => {
  if (atWork) event.preventDefault();
});

function sum() {
  const count = (...states) => cards.filter((card) => states.includes(card.state)).length;
  const total = (name) => cards.reduce((sofar, card) => sofar + card[name], 0);
  const values = {
    done: count("done", "failed"),
    photos: cards.length,
    failed: count("failed"),
    known: cards.filter((card) => card.answer?.source === "cache" || card.answer?.from_cache).length,
    sent: bytes(total("sent")),
    saved: bytes(total("saved")),
    cost: `¥${total("cost").toFixed(4)}`,
  };
  summary.hidden = false;
  for (const place of summary.querySelectorAll("[data-sum]")) {
    place.textContent = values[place.dataset.sum];
  }
  const bar = summary.querySelector("progress");
  bar.max = values.photos;
  bar.value = values.done;
  document.getElementById("some-failed").hidden = !values.failed;
  stop.hidden = !queue.length;
  showTally();
}

function showTally() {
  const counts = {};
  for (const { answer, category } of cards) {
    if (answer) counts[category] = (counts[category] ?? 0) + 1;
  }
  const rows = Object.entries(counts).sort(([, one], [, other]) => other - one);
  tally.replaceChildren(
    ...rows.map(([key, count]) => {
      const row = document.createElement("li");
      const number = document.createElement("b");
      number.textContent = count;
      row.append(`${names[key] ?? key} `, number);
      return row;
    }),
  );
}
