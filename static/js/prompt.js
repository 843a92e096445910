// Tries a draft and the current prompt on photos, one after the other.
import { fragment, onPhotos, shrink } from "./photos.js";

const list = document.getElementById("trials");

onPhotos(async (files) => {
  const room = Number(list.dataset.maxPhotos) - list.children.length;
  document.getElementById("too-many").hidden = files.length <= room;
  const rows = files.slice(0, Math.max(room, 0)).map((file) => [file, addRow(file)]);
  for (const [file, place] of rows) {
    try {
      place.innerHTML = await answers(file);
    } catch (error) {
      place.replaceChildren(document.getElementById("trial-failed").content.cloneNode(true));
      place.firstElementChild.textContent = error.message;
    }
  }
});

function addRow(file) {
  const row = document.getElementById("trial").content.firstElementChild.cloneNode(true);
  const image = row.querySelector("img");
  image.addEventListener("load", () => URL.revokeObjectURL(image.src));
  image.addEventListener("error", () => image.removeAttribute("src"));
  image.src = URL.createObjectURL(file);
  list.append(row);
  return row.querySelector("div");
}

async function answers(file) {
  const form = new FormData();
  form.append("image", (await shrink(file, Number(list.dataset.maxSide))).blob, file.name);
  form.append("text", document.querySelector("form[action$='/publish/'] [name=text]").value);
  return fragment("/prompt/trial/", form);
}
