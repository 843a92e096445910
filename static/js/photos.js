// Handling of photos in the browser, for the test page and prompt trials.

const QUALITY = 0.8;

const zone = document.getElementById("drop");
const notPhotos = document.getElementById("not-photos");

// Call `take` with image files that are dropped on the page, chosen, taken or pasted.
export function onPhotos(take) {
  const give = (files) => {
    const photos = [...files].filter(
      (file) => file.type.startsWith("image/") || /\.hei[cf]$/i.test(file.name),
    );
    const skipped = files.length - photos.length;
    notPhotos.hidden = !skipped;
    notPhotos.textContent = notPhotos.dataset.words.replace("{count}", skipped);
    if (photos.length) take(photos);
  };
  // Anywhere on the page: the browser would navigate to a photo dropped outside the zone.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    give(await filesOf(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => give(event.clipboardData.files));
  for (const input of zone.querySelectorAll("input")) {
    const giveChosen = () => {
      give(input.files);
      input.value = "";
    };
    input.addEventListener("change", giveChosen);
    giveChosen(); // files chosen before this script loaded
  }
}

// What was dropped, with what its folders hold, and theirs. The entries are to be taken at once:
// after the event they are gone.
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory)) return transfer.files;
  return (await Promise.all(entries.filter(Boolean).map(filesUnder))).flat();
}

async function filesUnder(entry) {
  if (entry.isFile) return [await new Promise((done, fail) => entry.file(done, fail))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // readEntries() returns up to a hundred entries at a time.
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) break;
    found.push(...some);
  }
  found.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  return (await Promise.all(found.map(filesUnder))).flat();
}

// The photo as a JPEG of at most `maxSide` pixels, upright; itself when it is small already or
// when this browser cannot read it.
export async function shrink(file, maxSide) {
  await readable(file);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { blob: file, note: "unreadable" };
  }
  const scale = maxSide / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) return { blob: file, note: "small" };
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  return blob.size < file.size ? { blob, note: "done" } : { blob: file, note: "small" };
}

// Throws an error with a message for the user if a file was moved, or its drive is gone.
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw Object.assign(new Error(zone.dataset.unreadable), { isFinal: true });
  }
}

// Lower-case hexadecimal SHA-256 of a blob's bytes.
export async function sha256(blob) {
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The server's response, in the language of the page. Throws an error with a message for the user.
export async function reach(address, { headers, ...options } = {}) {
  const language = document.documentElement.lang;
  try {
    return await fetch(address, { headers: { "Accept-Language": language, ...headers }, ...options });
  } catch {
    throw new Error(zone.dataset.unreachable);
  }
}

// Fetch an HTML fragment, posting `form` if given. Throws as `reach` does.
export async function fragment(address, form) {
  const headers = { "HX-Request": "true", "X-CSRFToken": zone.dataset.csrf };
  const response = await reach(address, { headers, method: form ? "POST" : "GET", body: form });
  if (response.ok) return response.text();
  throw new Error(response.status === 401 ? zone.dataset.loggedOut : zone.dataset.failed);
}

export function bytes(count) {
  return count < 1e6 ? `${Math.ceil(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
