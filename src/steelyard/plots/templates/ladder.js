// The page of a forecast: its one chart, drawn in the theme that is shown.
(() => {
  "use strict";
  const root = document.documentElement;
  const themes = JSON.parse(document.getElementById("report-data").textContent);
  const chart = document.getElementById("chart");
  const draw = () => {
    const { data, layout } = themes[root.dataset.theme];
    const { title, ...rest } = layout; // the page has its own heading
    Plotly.react(chart, data, { ...rest, autosize: true }, { responsive: true, displayModeBar: false });
  };
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("steelyard-theme", root.dataset.theme); } catch { /* lasts as long as the page */ }
    draw();
  });
  draw();
  root.dataset.ready = "true";
})();
