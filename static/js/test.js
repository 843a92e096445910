// The way of a photo as an app sends it, each step shown and timed.
import { bytes, fragment, onPhotos, reach, sha256, shrink } from "./photos.js";

const list = document.getElementById("photos");
const drop = document.getElementById("drop");
const names = JSON.parse(document.getElementById("names").textContent);
const canHash = Boolean(globalThis.crypto?.subtle);
const sums = { photos: 0, known: 0, sent: 0, saved: 0 };

document.getElementById("no-hashing").hidden = canHash;

class Card {
  constructor(file) {
    this.file = file;
    this.item = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.find("[data-name]").textContent = file.name;
    const image = this.find("[data-preview]");
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    image.addEventListener("error", () => {
      image.hidden = true;
      this.find("[data-no-preview]").hidden = false;
    });
    image.src = URL.createObjectURL(file);
    image.hidden = false;
    this.find("[data-again]").addEventListener("click", () => this.askAgain());
    this.find("[data-retry]").addEventListener("click", () => this.send());
    list.prepend(this.item);
  }

  find(selector) {
    return this.item.querySelector(selector);
  }

  show(part, visible = true) {
    this.find(`[data-part="${part}"]`).hidden = !visible;
  }

  // Run one step of the way, and show its state, its note and its time.
  async step(name, work) {
    const row = this.find(`[data-step="${name}"]`);
    row.dataset.state = "busy";
    const started = performance.now();
    try {
      const note = await work(row);
      row.dataset.state = "done";
      this.note(row, note);
    } catch (error) {
      row.dataset.state = "failed";
      throw error;
    } finally {
      row.querySelector("[data-time]").textContent = `${Math.round(performance.now() - started)} ms`;
    }
  }

  skip(name, note) {
    const row = this.find(`[data-step="${name}"]`);
    row.dataset.state = "skipped";
    this.note(row, note);
  }

  note(row, name) {
    for (const note of row.querySelectorAll("[data-note]")) note.hidden = note.dataset.note !== name;
  }

  async send() {
    this.show("queued", false);
    this.show("waiting");
    this.show("failure", false);
    this.find("[data-retry]").hidden = true;
    try {
      await this.shrink();
      const answer = (await this.ask()) ?? (await this.upload());
      this.showAnswer(answer);
      await this.showDetails(answer.request_id);
    } catch (error) {
      this.showFailure(error);
      if (error.request_id) await this.showDetails(error.request_id);
    } finally {
      this.show("waiting", false);
      showSums();
    }
  }

  async shrink() {
    await this.step("shrink", async (row) => {
      const { blob, note } = await shrink(this.file, Number(list.dataset.maxSide));
      this.blob = blob;
      row.querySelector("[data-from]").textContent = bytes(this.file.size);
      row.querySelector("[data-to]").textContent = bytes(blob.size);
      return note;
    });
  }

  // The known answer, if there is one.
  async ask() {
    if (!canHash) {
      this.skip("hash", "left");
      this.skip("ask", "left");
      return null;
    }
    await this.step("hash", async (row) => {
      this.hash = await sha256(this.blob);
      row.querySelector("code").textContent = `${this.hash.slice(0, 12)}…`;
      return "done";
    });
    let answer;
    await this.step("ask", async () => {
      answer = await call("/api/v1/classify/check-cache", {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ image_hash: this.hash }),
      });
      return answer.cached ? "known" : "unknown";
    });
    if (!answer.cached) return null;
    this.skip("upload", "spared");
    this.find("[data-spared]").textContent = bytes(this.file.size);
    sums.known += 1;
    sums.saved += this.file.size;
    return { ...answer, source: "cache" };
  }

  async upload() {
    const form = new FormData();
    form.append("image", this.blob, this.file.name);
    if (this.hash) form.append("image_hash", this.hash);
    let answer;
    await this.step("upload", async (row) => {
      row.querySelector("[data-sent]").textContent = bytes(this.blob.size);
      sums.sent += this.blob.size;
      sums.saved += this.file.size - this.blob.size;
      answer = await call("/api/v1/classify", { body: form });
      return "done";
    });
    return answer;
  }

  showAnswer({ data, source, degraded, request_id: request }) {
    this.show("answer");
    this.find("[data-category]").textContent = names[data.category] ?? data.category;
    this.find("meter").value = data.confidence;
    this.find("[data-confidence]").textContent = `${(data.confidence * 100).toFixed(1)}%`;
    this.find("[data-description]").textContent = data.description ?? "";
    for (const badge of this.item.querySelectorAll("[data-source]")) {
      badge.hidden = badge.dataset.source !== source;
    }
    this.find("[data-degraded]").hidden = !degraded;
    this.find("[data-request]").textContent = request;
    this.find("[data-again]").hidden = false;
  }

  showFailure({ message, code, request_id: request }) {
    this.show("failure");
    this.find("[data-error]").textContent = message;
    this.find("[data-code]").textContent = code ?? "";
    this.find("[data-request]").textContent = request ?? "–";
    this.find("[data-retry]").hidden = false;
  }

  async showDetails(request) {
    const query = new URLSearchParams({ hash: this.hash ?? "", request });
    const place = this.find('[data-part="details"]');
    try {
      place.innerHTML = await fragment(`answer/?${query}`);
    } catch (error) {
      place.textContent = error.message;
    }
  }

  async askAgain() {
    const button = this.find("[data-again]");
    const place = this.find('[data-part="again"]');
    const failure = this.find('[data-part="again-failed"]');
    const form = new FormData();
    form.append("image", this.blob, this.file.name);
    button.disabled = true;
    button.classList.add("busy");
    try {
      place.innerHTML = await fragment("again/", form);
      htmx.process(place);
      failure.hidden = true;
    } catch (error) {
      failure.textContent = error.message;
      failure.hidden = false;
    } finally {
      button.disabled = false;
      button.classList.remove("busy");
    }
  }
}

// The API's answer; its refusals become errors that know their code and request.
async function call(address, options) {
  const response = await reach(address, { method: "POST", ...options });
  const answer = await response.json().catch(() => ({ error: drop.dataset.failed }));
  if (answer.success) return answer;
  throw Object.assign(new Error(answer.error), {
    code: answer.error_code,
    request_id: answer.request_id,
  });
}

function showSums() {
  const summary = document.getElementById("summary");
  summary.hidden = false;
  for (const place of summary.querySelectorAll("[data-sum]")) {
    const value = sums[place.dataset.sum];
    place.textContent = ["sent", "saved"].includes(place.dataset.sum) ? bytes(value) : value;
  }
}

onPhotos(async (files) => {
  sums.photos += files.length;
  const cards = files.map((file) => new Card(file));
  for (const card of cards) await card.send();
});
