// Swagger UI and Redoc have no languages: this replaces their words as they draw them.
// No translation is itself a word, so a replaced text is left alone from then on.
const words = JSON.parse(document.getElementById("words").textContent);
const LONGEST = 120;
// What the schema says, and what was sent and received.
const KEPT = [
  "pre, code, textarea, option, h1, h2, [role=menuitem], .redoc-markdown, .property-name",
  ".opblock-tag, .opblock-summary, .parameter__name:not(.opblock-title), .model-title",
  ".property-row > td:first-child",
  ".renderedMarkdown:not(.parameter__enum, .parameter__default, .live-responses-table *)",
].join();
// The attributes that hold words, and whose are the schema's names.
const ATTRIBUTES = { placeholder: ".parameters *", title: "td", "aria-label": "[role=menuitem]" };
const patterns = [];

for (const [english, translation] of Object.entries(words)) {
  // Style sheets print some of the words: they read them from here.
  if (/^\w+$/.test(english)) {
    document.documentElement.style.setProperty(`--word-${english}`, JSON.stringify(translation));
  }
  if (english.includes("%s")) {
    const literals = english.split("%s").map((part) => part.replace(/[[\]().^$*+?|\\]/g, "\\$&"));
    patterns.push([new RegExp(`^${literals.join("(.+)")}$`), translation]);
  }
}

function translate(text) {
  if (text.length > LONGEST) return undefined;
  if (Object.hasOwn(words, text)) return words[text];
  for (const [pattern, translation] of patterns) {
    const [, ...parts] = pattern.exec(text) ?? [];
    if (!parts.length) continue;
    return parts.reduce(
      (made, part) => made.replace("%s", () => translate(part) ?? part),
      translation,
    );
  }
  return undefined;
}

function replaceText(node) {
  const text = node.nodeValue.trim();
  const translation = text && translate(text);
  if (translation && !node.parentElement?.closest(KEPT)) {
    node.nodeValue = node.nodeValue.replace(text, () => translation);
  }
}

function replaceAttribute(element, name) {
  const translation = translate(element.getAttribute(name) ?? "");
  if (translation && !element.matches(ATTRIBUTES[name])) element.setAttribute(name, translation);
}

function replaceAll(root) {
  if (root.nodeType === Node.TEXT_NODE) replaceText(root);
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) replaceText(texts.currentNode);
  const names = Object.keys(ATTRIBUTES);
  const labelled = root.querySelectorAll(names.map((name) => `[${name}]`).join());
  for (const element of [root, ...labelled]) {
    for (const name of names) replaceAttribute(element, name);
  }
}

function onChange(changes) {
  for (const { type, target, attributeName, addedNodes } of changes) {
    if (type === "childList") addedNodes.forEach(replaceAll);
    else if (type === "characterData") replaceText(target);
    else replaceAttribute(target, attributeName);
  }
}

new MutationObserver(onChange).observe(document.getElementById("content"), {
  subtree: true,
  childList: true,
  characterData: true,
  attributeFilter: Object.keys(ATTRIBUTES),
});
