// Redoc loads its vendor's logo from another host, and has no option to disable it.
const image = HTMLImageElement.prototype;
const { setAttribute } = image;
const { set } = Object.getOwnPropertyDescriptor(image, "src");

function isForeign(address) {
  return new URL(address, location.href).origin !== location.origin && !address.startsWith("data:");
}

// React sets the attribute first, and the property when the image is in the page.
image.setAttribute = function (name, value) {
  if (name !== "src" || !isForeign(value)) setAttribute.call(this, name, value);
};
Object.defineProperty(image, "src", {
  set(value) {
    if (isForeign(value)) this.hidden = true;
    else set.call(this, value);
  },
});

const page = document.getElementById("redoc");
const { schema, ...labels } = page.dataset;
const tokens = getComputedStyle(document.documentElement);
const colour = (name) => tokens.getPropertyValue(`--${name}`).trim();

// Redoc computes with colours, so they must be values instead of var().
function theme() {
  const font = colour("font");
  return {
    colors: {
      primary: { main: colour("accent") },
      success: { main: colour("good") },
      warning: { main: colour("warn") },
      error: { main: colour("bad") },
      gray: { 50: colour("sunken"), 100: colour("line") },
      text: { primary: colour("ink"), secondary: colour("quiet") },
      border: { dark: colour("line"), light: colour("line") },
      responses: {
        success: { backgroundColor: colour("good-soft") },
        error: { backgroundColor: colour("bad-soft") },
      },
    },
    schema: {
      nestedBackground: colour("sunken"),
      linesColor: colour("edge"),
      typeNameColor: colour("quiet"),
    },
    typography: {
      fontFamily: font,
      headings: { fontFamily: font },
      code: {
        fontFamily: colour("mono"),
        color: colour("ink"),
        backgroundColor: colour("sunken"),
      },
      links: { color: colour("accent") },
    },
    sidebar: { backgroundColor: colour("card"), textColor: colour("ink") },
    rightPanel: { backgroundColor: "#161f2a" },
    fab: { backgroundColor: colour("sunken"), color: colour("accent") },
  };
}

Redoc.init(schema, { labels, theme: theme(), hideDownloadButton: true }, page);
