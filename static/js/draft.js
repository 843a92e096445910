// Keep what is written into the prompt in this browser until the server has it: a session that ends,
// a link or another language would lose it.
const note = document.getElementById("draft-kept");
const area = document.querySelector("textarea[name=text]");
const key = `prompt-draft:${note.dataset.user}`;

if (note.dataset.is === "sent") {
  localStorage.removeItem(key);
} else {
  const shown = area.defaultValue;
  const kept = localStorage.getItem(key);
  const keep = () => {
    if (area.value === shown) localStorage.removeItem(key);
    else localStorage.setItem(key, area.value);
  };
  // Text typed before this script loaded is newer than the stored draft.
  if (area.value !== shown) {
    keep();
  } else if (kept !== null && kept !== shown) {
    area.value = kept;
    note.hidden = false;
  }
  area.addEventListener("input", keep);
  note.querySelector("button").addEventListener("click", () => {
    localStorage.removeItem(key);
    area.value = shown;
    note.hidden = true;
    area.focus();
  });
}
