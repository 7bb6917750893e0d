// Before anything is painted: errors leave a mark that tests can read, and the theme is settled.
(() => {
  "use strict";
  const root = document.documentElement;
  const mark = (what) => { root.dataset.error = String(what); };
  window.addEventListener("error", (event) => mark(event.message));
  window.addEventListener("unhandledrejection", (event) => mark(event.reason));
  window.addEventListener("securitypolicyviolation", (event) => mark(event.violatedDirective));
  let kept = null;
  // a browser may refuse storage to a local file: the toggle then lasts as long as the page
  try { kept = localStorage.getItem("steelyard-theme"); } catch { /* nothing kept */ }
  const asked = new URLSearchParams(location.search).get("theme") || kept;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const settle = () => {
    root.dataset.theme = asked === "light" || asked === "dark" ? asked : dark.matches ? "dark" : "light";
  };
  settle();
})();
