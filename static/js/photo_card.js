// The card of one photo, which is sent as an app would; shows and times each step.
import { bytes, fragment, reach, sha256, shrink } from "./photos.js";

const list = document.getElementById("photos");
const { csrf, failed: failedWords } = document.getElementById("drop").dataset;
const names = JSON.parse(document.getElementById("names").textContent);
const canHash = Boolean(globalThis.crypto?.subtle);
const RETRIED = [401, 403, 408, 425, 429];

document.getElementById("no-hashing").hidden = canHash;

export class Card {
  // `changed` is called whenever the page's counts have changed.
  constructor(file, changed) {
    Object.assign(this, { file, changed, state: "queued", sent: 0, saved: 0, cost: 0 });
    this.item = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.find("[data-name]").textContent = file.webkitRelativePath || file.name;
    const image = this.find("[data-preview]");
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    image.addEventListener("error", () => {
      image.hidden = true;
      this.find("[data-no-preview]").hidden = false;
    });
    image.src = URL.createObjectURL(file);
    image.hidden = false;
    this.find("[data-again]").addEventListener("click", () => this.askAgain());
    this.find("[data-open]").addEventListener("click", () => this.item.classList.toggle("open"));
    // The response to a correction replaces the card's details.
    this.find('[data-part="details"]').addEventListener("htmx:afterSwap", () => this.readDetails());
  }

  find(selector) {
    return this.item.querySelector(selector);
  }

  show(part, visible = true) {
    this.find(`[data-part="${part}"]`).hidden = !visible;
  }

  enter(state) {
    this.state = this.item.dataset.state = state;
    for (const part of ["queued", "waiting", "stopped"]) this.show(part, false);
    if (state !== "done" && state !== "failed") this.show(state);
    this.find("[data-retry]").hidden = state !== "stopped";
    this.changed();
  }

  // Run one step, and show its state, its note and its duration.
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
    this.show("failure", false);
    this.answer = this.error = undefined;
    this.enter("waiting");
    try {
      await this.shrink();
      this.answer = (await this.ask()) ?? (await this.upload());
      this.showAnswer(this.answer);
      this.enter("done");
    } catch (error) {
      this.error = error;
      this.showFailure(error);
      this.enter("failed");
      this.find("[data-retry]").hidden = Boolean(error.isFinal);
    }
    const request = (this.answer ?? this.error).request_id;
    if (request) await this.showDetails(request);
  }

  async shrink() {
    await this.step("shrink", async (row) => {
      const { blob, note } = await shrink(this.file, Number(list.dataset.maxSide));
      this.blob = blob;
      row.querySelector("[data-from]").textContent = bytes(this.file.size);
      row.querySelector("[data-to]").textContent = bytes(blob.size);
      return note;
    });
    const most = Number(list.dataset.maxBytes);
    if (this.blob.size <= most) return;
    const sizes = `${bytes(this.blob.size)} > ${bytes(most)}`;
    throw Object.assign(new Error(`${list.dataset.tooLarge} (${sizes})`), {
      code: "image_too_large",
      isFinal: true,
    });
  }

  // The cached answer, if there is one.
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
    this.saved = this.file.size;
    return { ...answer, source: "cache" };
  }

  async upload() {
    const form = new FormData();
    form.append("image", this.blob, this.file.name);
    if (this.hash) form.append("image_hash", this.hash);
    let answer;
    await this.step("upload", async (row) => {
      row.querySelector("[data-sent]").textContent = bytes(this.blob.size);
      this.sent = this.blob.size;
      this.saved = this.file.size - this.blob.size;
      answer = await call("/api/v1/classify", { body: form });
      this.hash = answer.image_hash; // if the browser could not compute it
      return "done";
    });
    return answer;
  }

  showAnswer({ data, source, degraded, request_id: request }) {
    this.show("answer");
    this.showCategory(data.category);
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

  showCategory(key) {
    this.category = key;
    this.find("[data-category]").textContent = names[key] ?? key;
  }

  showFailure({ message, code, request_id: request }) {
    this.show("failure");
    this.find("[data-error]").textContent = message;
    this.find("[data-code]").textContent = code ?? "";
    this.find("[data-request]").textContent = request ?? "–";
  }

  async showDetails(request) {
    const query = new URLSearchParams({ hash: this.hash ?? "", request });
    const place = this.find('[data-part="details"]');
    try {
      place.innerHTML = await fragment(`answer/?${query}`);
      htmx.process(place);
      this.readDetails();
    } catch (error) {
      place.textContent = error.message;
    }
  }

  // Read from the details: the cost of the photo's calls, and its category after a correction.
  readDetails() {
    const details = this.find("[data-cost]");
    if (!details) return;
    this.cost = Number(details.dataset.cost);
    if (this.answer && details.dataset.is) this.showCategory(details.dataset.is);
    this.changed();
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

// The API's answer; its refusals become errors that know their code and request, and whether the
// same photo is refused again whenever it is sent.
// Sends the staff session, since anonymous requests may be disabled.
async function call(address, { headers, ...options }) {
  const asStaff = { "X-CSRFToken": csrf, ...headers };
  const response = await reach(address, { method: "POST", headers: asStaff, ...options });
  const answer = await response.json().catch(() => ({ error: failedWords }));
  if (answer.success) return answer;
  throw Object.assign(new Error(answer.error), {
    code: answer.error_code,
    request_id: answer.request_id,
    isFinal: response.status < 500 && !RETRIED.includes(response.status),
  });
}
