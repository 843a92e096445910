// Redoc fetches its maker's mark from another host, and has no option to leave it out.
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
