// A page of one chart: it is drawn in the theme and for the width that are shown.
(() => {
  "use strict";
  const root = document.documentElement;
  const themes = JSON.parse(document.getElementById("report-data").textContent);
  const chart = document.getElementById("chart");
  const narrow = window.matchMedia("(max-width: 640px)");
  const draw = () => {
    const { data, layout } = themes[root.dataset.theme];
    const { title, ...rest } = layout; // the page has its own heading
    const shown = { ...rest, autosize: true, margin: { ...layout.margin, t: 24 } };
    if (narrow.matches) {
      // a telephone has no room for the name of the axis: the words above say what it counts
      shown.margin = { ...shown.margin, l: 44, r: 10 };
      shown.yaxis = { ...layout.yaxis, title: undefined };
      shown.xaxis = { ...layout.xaxis, tickangle: layout.xaxis.type === "category" ? -45 : "auto" };
      shown.font = { ...layout.font, size: 11 };
    }
    Plotly.react(chart, data, shown, { responsive: true, displayModeBar: false });
  };
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("steelyard-theme", root.dataset.theme); } catch { /* lasts as long as the page */ }
    draw();
  });
  narrow.addEventListener("change", draw);
  draw();
  root.dataset.ready = "yes";
})();
