// Swagger UI has a dark theme, but never sets its class without the top bar.
const chosen = document.querySelector(".top").dataset.theme;
const system = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  const isDark = chosen ? chosen === "dark" : system.matches;
  document.documentElement.classList.toggle("dark-mode", isDark);
}

system.addEventListener("change", paint);
paint();
