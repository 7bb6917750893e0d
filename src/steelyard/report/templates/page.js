// The script of a page: it shows one document at a time, draws its charts and listings, and
// switches the theme. Data comes from the JSON element #report-data; text is inserted as text,
// never as markup.
(() => {
  "use strict";
  const root = document.documentElement;
  const { blobs, sections } = JSON.parse(document.getElementById("report-data").textContent);
  const shown = [...document.querySelectorAll("section.document")]; // in the order of `sections`
  const all = sections.map((data, i) => ({ data, section: shown[i] }));
  const byKey = new Map(all.map((one) => [one.data.key, one]));
  const [main] = all;
  const picker = document.getElementById("picker");
  const narrow = window.matchMedia("(max-width: 640px)");
  const paper = 690; // width of a printed chart in pixels, which fits on A4 and on letter
  let printing = false;
  let current = null; // the document that is shown: its section and its data

  // --- Columns: references into the blobs become arrays, colours become the theme's ------------
  const arrays = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

  function stored(ref) {
    const bytes = Uint8Array.from(atob(blobs[ref.blob]), (c) => c.charCodeAt(0));
    const column = new arrays[ref.kind](bytes.buffer);
    return ref.date ? Float64Array.from(column, (seconds) => seconds * 1000) : column;
  }

  function taken(ref) {
    const column = read(ref.of);
    return Array.from(read(ref.take), (i) => column[i]);
  }

  function zipped(ref) {
    const columns = ref.zip.map((column) => read(column));
    return Array.from(columns[0], (_, i) => columns.map((column) => column[i]));
  }

  function colour(token) {
    const parts = /^\$([a-z]+)(?:@([0-9.]+))?$/.exec(token);
    if (!parts) return token;
    const value = getComputedStyle(root).getPropertyValue(`--${parts[1]}`).trim();
    if (!parts[2]) return value;
    const rgb = [1, 3, 5].map((i) => parseInt(value.slice(i, i + 2), 16));
    return `rgba(${rgb.join(",")},${parts[2]})`;
  }

  function read(value, key = "") {
    if (Array.isArray(value)) return value.map((item) => read(item));
    if (typeof value === "string") return /color$/i.test(key) ? colour(value) : value;
    if (value === null || typeof value !== "object") return value;
    if ("blob" in value) return stored(value);
    if ("take" in value) return taken(value);
    if ("zip" in value) return zipped(value);
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, read(v, k)]));
  }

  // --- Charts ------------------------------------------------------------------------------
  function layoutOf(run, panel) {
    const font = { family: getComputedStyle(document.body).fontFamily, color: colour("$ink"), size: 12 };
    const axis = { gridcolor: colour("$grid"), linecolor: colour("$rule"), tickcolor: colour("$rule"),
      tickfont: { color: colour("$muted") }, zerolinecolor: colour("$rule") };
    const small = narrow.matches;
    const titled = ({ title, ...rest }) => ({ ...rest, title: small ? { text: "" }
      : { ...title, standoff: 6, font: { color: colour("$muted"), size: 11 } } });
    const timed = () => ({ type: "date", range: [run.from, run.to],
      hoverformat: "%Y-%m-%d %H:%M", showspikes: true, spikemode: "across",
      spikethickness: 1, spikedash: "dot", spikecolor: colour("$muted"), spikesnap: "cursor" });
    return {
      autosize: !printing,
      ...(printing ? { width: paper } : {}),
      height: Math.round((small ? 250 : 330) * panel.weight),
      margin: { l: small ? 48 : 66, r: small ? 8 : 18, t: 10, b: 46 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font, showlegend: false, separators: ".,",
      hovermode: panel.hovermode, hoverdistance: 24, barmode: "relative",
      hoverlabel: { bgcolor: colour("$raised"), bordercolor: colour("$rule"), font, align: "left" },
      dragmode: small ? false : "zoom", // on a phone a finger scrolls the page
      xaxis: { ...axis, showline: true, ...(panel.xaxis ? titled(read(panel.xaxis)) : timed()) },
      yaxis: { ...axis, fixedrange: true, ...titled(read(panel.yaxis)) },
      shapes: read(panel.shapes),
    };
  }

  function link(nodes) {
    let busy = false;
    for (const node of nodes) {
      node.on("plotly_relayout", (change) => {
        if (busy || !Object.keys(change).some((key) => key.startsWith("xaxis"))) return;
        busy = true;
        const range = node.layout.xaxis.range.slice();
        const others = nodes.filter((other) => other !== node);
        Promise.all(others.map((other) => Plotly.relayout(other, { "xaxis.range": range })))
          .finally(() => { busy = false; });
      });
    }
  }

  function legend(figure, panel, chart) {
    const box = figure.querySelector(".legend");
    box.replaceChildren();
    const groups = new Map();
    panel.traces.forEach((trace, i) => add(trace, "traces", i, trace.line || trace.marker));
    panel.shapes.forEach((shape, i) => add(shape, "shapes", i, shape.line));
    function add(item, kind, index, looks) {
      if (!groups.has(item.name)) {
        if (item.showlegend === false) return;
        groups.set(item.name, { item, looks, traces: [], shapes: [] });
      }
      groups.get(item.name)[kind].push(index);
    }
    for (const [name, group] of groups) box.append(entry(name, group, chart));
  }

  function entry(name, { item, looks, traces, shapes }, chart) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    const swatch = document.createElement("span");
    const glyph = { "triangle-up": "▲", "triangle-down": "▼", diamond: "◆",
      circle: "●", x: "✖", square: "■", cross: "✚", "diamond-open": "◇" }[looks.symbol];
    swatch.className = "swatch" + (glyph ? " glyph" : item.fillcolor || item.type === "bar" ? " box" : ` ${looks.dash || "solid"}`);
    swatch.textContent = glyph || "";
    swatch.style.color = `var(--${looks.color.slice(1).split("@")[0]})`;
    button.append(swatch, document.createTextNode(decode(name)));
    button.addEventListener("click", () => {
      const visible = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(visible));
      if (traces.length) Plotly.restyle(chart, { visible }, traces);
      if (shapes.length) {
        Plotly.relayout(chart, Object.fromEntries(shapes.map((i) => [`shapes[${i}].visible`, visible])));
      }
    });
    return button;
  }

  // Names were escaped for plotly, which interprets tags; this turns them back into plain text.
  function decode(text) {
    return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"')
      .replace(/&#x27;/g, "'").replace(/&amp;/g, "&");
  }

  // Draws the charts of a section and returns them, or null if they are drawn already. `run` has the
  // time range that they show.
  function plot(section, panels, run) {
    if (!panels.length) return null;
    const look = `${root.dataset.theme} ${narrow.matches} ${printing}`;
    if (section.dataset.drawn === look) {
      for (const chart of section.querySelectorAll(".chart")) Plotly.Plots.resize(chart);
      return null;
    }
    section.dataset.drawn = look;
    const config = { responsive: true, displayModeBar: false };
    const charts = panels.map((panel) => {
      const figure = [...section.querySelectorAll("[data-panel]")].find((f) => f.dataset.panel === panel.key);
      const chart = figure.querySelector(".chart");
      Plotly.newPlot(chart, read(panel.traces), layoutOf(run, panel), config);
      legend(figure, panel, chart);
      return chart;
    });
    root.dataset.charts = document.querySelectorAll("svg.main-svg").length;
    return charts;
  }

  function draw({ data, section }) {
    const charts = plot(section, data.panels, data);
    if (charts !== null) {
      const timed = charts.filter((_, i) => !data.panels[i].xaxis); // others have no time axis
      link(timed);
      if (data.from && timed.length) spans(data, section, timed);
      // A click on a point in the chart of a comparison shows the document of that member.
      for (const chart of charts) {
        chart.on("plotly_click", ({ points: [{ customdata }] }) => {
          if (sections.length > 1 && data === main.data && customdata) go(sections[1 + customdata[2]].key);
        });
      }
    }
    section.querySelectorAll(".listing .scroller").forEach((box, i) => {
      if (!box.firstChild) table(data.listings[i], box);
    });
    section.querySelectorAll(".table .scroller").forEach(beyond);
  }

  // Names, below a table, its columns that a narrow window hides.
  function beyond(box) {
    const figure = box.closest("figure");
    const heads = [...box.querySelectorAll("thead th")];
    const hidden = heads.filter((head) =>
      head.getBoundingClientRect().right + box.scrollLeft > box.getBoundingClientRect().right + 2);
    const names = hidden.map((head) => head.textContent).filter(Boolean);
    let hint = figure.querySelector(".beyond");
    if (!hint) {
      hint = document.createElement("p");
      hint.className = "hint beyond";
      box.after(hint);
    }
    hint.hidden = names.length === 0;
    hint.textContent = `Scroll to the right for: ${names.join(", ")}.`;
  }

  function spans(run, section, charts) {
    let box = section.querySelector(".spans");
    if (!box) {
      box = document.createElement("div");
      box.className = "spans chips";
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Time shown in the charts");
      const figure = charts[0].closest("figure");
      (figure.closest(".several") || figure).before(box);
    }
    const [from, to] = [new Date(`${run.from}Z`), new Date(`${run.to}Z`)];
    const choices = [["Whole run", from, to]];
    const [first, last] = [from.getUTCFullYear(), to.getUTCFullYear()];
    if (last > first && last - first < 8) {
      for (let year = first; year <= last; year += 1) {
        choices.push([String(year), new Date(Date.UTC(year, 0, 1)), new Date(Date.UTC(year + 1, 0, 1))]);
      }
    }
    const days = 864e5;
    if (run.worst && to - from > 60 * days) {
      const worst = Number(new Date(`${run.worst}Z`));
      choices.push(["Around the worst day", new Date(worst - 14 * days), new Date(worst + 16 * days)]);
    }
    box.replaceChildren();
    if (choices.length < 2) return;
    for (const [name, since, until] of choices) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chip";
      button.textContent = name;
      button.addEventListener("click", () => {
        const range = [Math.max(since, from), Math.min(until, to)].map((at) => new Date(at).toISOString());
        for (const chart of charts) Plotly.relayout(chart, { "xaxis.range": range });
      });
      box.append(button);
    }
    const hint = document.createElement("span");
    hint.className = "hint wide";
    hint.textContent = "Drag across a chart to look closer, double-click to see all again.";
    box.append(hint);
  }

  // --- Tables ------------------------------------------------------------------------------
  function writer(column) {
    if (column.kind === "text") return (value) => value;
    if (column.kind === "time") return (value) => new Date(value).toISOString().slice(0, 19).replace("T", " ");
    const digits = { minimumFractionDigits: column.decimals, maximumFractionDigits: column.decimals };
    const format = new Intl.NumberFormat("en-US", digits);
    const text = (value) => format.format(value)
      .replace(/^-(?=[0.]+$)/, "") // a value that rounds to zero has no sign
      .replace("-", "−");
    return (value) => (Number.isFinite(value) ? text(value) : "–");
  }

  function table(listing, box) {
    const grid = document.createElement("table");
    grid.className = "sortable";
    const head = grid.createTHead().insertRow();
    const body = grid.createTBody();
    const columns = listing.map((column) => ({ ...column, write: writer(column), values: read(column.column) }));
    for (const column of columns) {
      const th = document.createElement("th");
      const button = document.createElement("button");
      th.scope = "col";
      th.className = column.kind === "number" ? "" : "word";
      button.type = "button";
      button.textContent = column.label;
      th.append(button);
      head.append(th);
    }
    for (let i = 0; i < columns[0].values.length; i += 1) {
      const row = body.insertRow();
      for (const { kind, values, write, label } of columns) {
        const cell = row.insertCell();
        cell.textContent = write(values[i]);
        cell.dataset.v = Number.isNaN(values[i]) ? "" : values[i];
        if (kind !== "number") cell.className = label === "side" ? `word ${values[i]}` : "word";
      }
    }
    box.replaceChildren(grid);
    sortable(grid);
  }

  function sortable(grid) {
    const heads = [...grid.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      const button = head.querySelector("button");
      if (!button) return;
      button.addEventListener("click", () => {
        const words = head.classList.contains("word");
        const down = head.getAttribute("aria-sort") === (words ? "ascending" : null) ||
          (!words && head.getAttribute("aria-sort") !== "descending");
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(grid.tBodies[0], place, down);
      });
    });
  }

  function sort(body, place, down) {
    const keyed = [...body.rows].map((row) => {
      const text = row.cells[place].dataset.v;
      return { row, key: text !== "" && Number.isFinite(Number(text)) ? Number(text) : text };
    });
    keyed.sort((a, b) => {
      if (a.key === "" || b.key === "") return (a.key === "") - (b.key === ""); // empty ones last
      const order = typeof a.key === typeof b.key && typeof a.key === "number"
        ? a.key - b.key : String(a.key).localeCompare(String(b.key));
      return down ? -order : order;
    });
    body.append(...keyed.map(({ row }) => row));
  }

  // --- What is shown -----------------------------------------------------------------------
  function wanted() {
    let key = location.hash.slice(1);
    try { key = decodeURIComponent(key); } catch { /* the key is used undecoded */ }
    return byKey.get(key) ?? main;
  }

  function show() {
    const next = wanted();
    const moved = next !== current && current !== null;
    current = next;
    for (const section of shown) section.hidden = section !== current.section;
    if (picker) picker.value = current.data.key;
    if (moved) window.scrollTo(0, 0);
    draw(current);
    root.dataset.shown = current.data.key;
  }

  function go(key) {
    location.hash = key === "" ? "" : encodeURIComponent(key);
  }

  function step(way) {
    const place = sections.indexOf(current.data);
    go(sections[(place + way + sections.length) % sections.length].key);
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    draw(current);
  }

  document.getElementById("theme").addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("steelyard-theme", theme); } catch { /* it lasts as long as the page */ }
    setTheme(theme);
  });
  if (picker) {
    picker.addEventListener("change", () => go(picker.value));
    document.getElementById("previous").addEventListener("click", () => step(-1));
    document.getElementById("next").addEventListener("click", () => step(1));
  }
  for (const grid of document.querySelectorAll("table.sortable")) sortable(grid);
  for (const row of document.querySelectorAll("tr[data-link]")) {
    row.addEventListener("click", (event) => { if (!event.target.closest("a")) go(row.dataset.link); });
  }
  let before = null; // the theme before printing, which uses the light one
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    printing = true;
    setTheme("light");
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    setTheme(before);
  });
  // A link to a chapter keeps the document that is shown.
  window.addEventListener("hashchange", () => { if (wanted() !== current) show(); });
  narrow.addEventListener("change", show);
  window.addEventListener("resize", () => current.section.querySelectorAll(".table .scroller").forEach(beyond));
  show();
  root.dataset.ready = "yes";
})();
