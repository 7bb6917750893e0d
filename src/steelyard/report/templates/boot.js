// This runs before the page is painted: it records errors where tests can read them, and it sets
// the theme.
(() => {
  "use strict";
  const root = document.documentElement;
  const mark = (what) => { root.dataset.error = String(what); };
  window.addEventListener("error", (event) => mark(event.message));
  window.addEventListener("unhandledrejection", (event) => mark(event.reason));
  window.addEventListener("securitypolicyviolation", (event) => mark(event.violatedDirective));
  let kept = null;
  // A browser may refuse storage to a local file; the chosen theme then lasts as long as the page.
  try { kept = localStorage.getItem("steelyard-theme"); } catch { /* no theme is stored */ }
  const asked = new URLSearchParams(location.search).get("theme") || kept;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const settle = () => {
    root.dataset.theme = asked === "light" || asked === "dark" ? asked : dark.matches ? "dark" : "light";
  };
  settle();
})();
