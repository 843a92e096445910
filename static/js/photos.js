// What the test page and the trial of a prompt do with photos in the browser.

const QUALITY = 0.8;

// Call `take` with the image files that are dropped on the zone, chosen, taken or pasted.
export function onPhotos(take) {
  const zone = document.getElementById("drop");
  const give = (files) => {
    const photos = [...files].filter(
      (file) => file.type.startsWith("image/") || /\.hei[cf]$/i.test(file.name),
    );
    if (photos.length) take(photos);
  };
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
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

export function bytes(count) {
  return count < 1e6 ? `${Math.ceil(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
