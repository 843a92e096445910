// What the test page and the trial of a prompt do with photos in the browser.

const QUALITY = 0.8;

const zone = document.getElementById("drop");

// Call `take` with the image files that are dropped on the page, chosen, taken or pasted.
export function onPhotos(take) {
  const give = (files) => {
    const photos = [...files].filter(
      (file) => file.type.startsWith("image/") || /\.hei[cf]$/i.test(file.name),
    );
    document.getElementById("not-photos").hidden = photos.length === files.length;
    if (photos.length) take(photos);
  };
  // Anywhere on the page: a browser would leave it for a photo that missed the zone.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    give(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => give(event.clipboardData.files));
  for (const input of zone.querySelectorAll("input")) {
    const giveChosen = () => {
      give(input.files);
      input.value = "";
    };
    input.addEventListener("change", giveChosen);
    giveChosen(); // what was chosen before this script came
  }
}

// The photo as a JPEG of at most `maxSide` pixels, upright; itself when it is small already or
// when this browser cannot read it.
export async function shrink(file, maxSide) {
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

// Lower-case hexadecimal SHA-256 of a blob's bytes.
export async function sha256(blob) {
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The server's response, in the language of the page. Throws what a person is to be told.
export async function reach(address, { headers, ...options } = {}) {
  const language = document.documentElement.lang;
  try {
    return await fetch(address, { headers: { "Accept-Language": language, ...headers }, ...options });
  } catch {
    throw new Error(zone.dataset.unreachable);
  }
}

// A part of a page, for which `form` is posted when there is one. Throws as `reach` does.
export async function fragment(address, form) {
  const headers = { "HX-Request": "true", "X-CSRFToken": zone.dataset.csrf };
  const response = await reach(address, { headers, method: form ? "POST" : "GET", body: form });
  if (response.ok) return response.text();
  throw new Error(response.status === 401 ? zone.dataset.loggedOut : zone.dataset.failed);
}

export function bytes(count) {
  return count < 1e6 ? `${Math.ceil(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
