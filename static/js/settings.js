// Copies an example. Without a secure context, there is no clipboard: selects the text instead.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.disabled = false; // disabled until this script has loaded
  button.addEventListener("click", async () => {
    const text = button.closest(".example").querySelector("pre");
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text.textContent);
      button.querySelector("[data-copied]").hidden = false;
    } else {
      getSelection().selectAllChildren(text);
    }
  });
}
