"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const n = data.names.length, columns = data.columns, byId = (id) => document.getElementById(id);
  const PASSED = "#0b6a94", NOT = "#c2540a", NONE = "#9aa9b5", INK = "#1d2b36", QUIET = "#51606c";
  const ran = (i) => data.status[i] < 2;
  const passed = (i) => data.passed && data.passed[i];
  const colour = (i) => (!data.passed || data.passed[i] === null ? NONE : data.passed[i] ? PASSED : NOT);
  const kept = new Uint8Array(n).fill(1);
  let picked = -1;

  const extent = (column) => {
    if (column.names) return [-0.5, column.names.length - 0.5];
    let low = Infinity, high = -Infinity;
    for (const v of column.values) if (v !== null) { if (v < low) low = v; if (v > high) high = v; }
    if (!(low <= high)) return [0, 1];
    return low === high ? [low - (Math.abs(low) || 1) * 0.5, high + (Math.abs(high) || 1) * 0.5] : [low, high];
  };
  columns.forEach((c) => { c.extent = extent(c); c.brush = null; });
  const said = (column, i) => {
    const v = column.values[i];
    if (v === null) return "–";
    return column.names ? column.names[v] || "–" : number(v, column.digits);
  };
  const number = (v, digits = 4) => (v === 0 ? "0" : Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(digits - 2) : String(Number(v.toPrecision(digits))));
  const title = (column) => column.label + (column.unit ? " (" + column.unit + ")" : "");

  // What is told of a variant, with the way to its report.
  const tell = (i) => {
    picked = i;
    const box = byId("told");
    box.textContent = "";
    if (i < 0) { box.textContent = "\u00a0"; return; }
    const name = document.createElement(ran(i) ? "a" : "strong");
    name.textContent = "Variant " + data.names[i];
    if (ran(i)) name.href = encodeURIComponent(data.names[i]) + "/report.html";
    box.append(name, ": " + axes.map((c) => c.label + " " + said(c, i) + (c.unit && c.values[i] !== null ? " " + c.unit : "")).join(", "));
    drawAll();
    mark();
  };

  // Canvases in device pixels.
  const fit = (canvas) => {
    const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    canvas.width = Math.round(box.width * ratio); canvas.height = Math.round(box.height * ratio);
    const ink = canvas.getContext("2d");
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.font = '12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
    return [ink, box.width, box.height];
  };

  // Parallel coordinates.
  const parallel = byId("parallel"), TOP = 62, FOOT = 26, SIDE = 70;
  const inputs = columns.filter((c) => c.kind === "input"), figures = columns.slice(0, data.looked).filter((c) => c.kind === "figure");
  let axes = [...inputs.slice(0, 6), ...figures.slice(0, Math.max(3, 9 - Math.min(inputs.length, 6)))];
  const place = (k, width) => SIDE + (axes.length > 1 ? (k * (width - 2 * SIDE)) / (axes.length - 1) : 0);
  const height = (column, v, h) => TOP + (1 - (v - column.extent[0]) / (column.extent[1] - column.extent[0])) * (h - TOP - FOOT);
  const jitter = (column, i) => (column.names ? (((i * 7919) % 101) / 101 - 0.5) * 0.5 : 0);
  let size = [0, 0];
  const line = (ink, i, width, h) => {
    let open = false;
    for (let k = 0; k < axes.length; k++) {
      const v = axes[k].values[i];
      if (v === null) { open = false; continue; }
      const x = place(k, width), y = height(axes[k], v + jitter(axes[k], i), h);
      if (open) ink.lineTo(x, y); else ink.moveTo(x, y);
      open = true;
    }
  };
  const drawParallel = () => {
    const [ink, width, h] = fit(parallel);
    size = [width, h];
    ink.clearRect(0, 0, width, h);
    const some = kept.some((k) => !k), alpha = Math.max(0.06, Math.min(0.7, 220 / n));
    const groups = some ? [[NONE, (i) => !kept[i], alpha * 0.35]] : [];
    for (const shade of [NONE, NOT, PASSED]) groups.push([shade, (i) => kept[i] && colour(i) === shade, some ? Math.min(0.8, alpha * 3) : alpha]);
    for (const [shade, which, strength] of groups) {
      ink.strokeStyle = shade; ink.globalAlpha = strength; ink.lineWidth = 1;
      for (let i = 0; i < n; i++) if (which(i)) { ink.beginPath(); line(ink, i, width, h); ink.stroke(); }
    }
    ink.globalAlpha = 1;
    if (picked >= 0) { ink.strokeStyle = INK; ink.lineWidth = 2.5; ink.beginPath(); line(ink, picked, width, h); ink.stroke(); }
    axes.forEach((column, k) => axis(ink, column, place(k, width), h, width));
  };
  const words = (ink, text, room) => {
    const lines = [""];
    for (const word of text.split(" ")) {
      const longer = (lines[lines.length - 1] + " " + word).trim();
      if (ink.measureText(longer).width > room && lines[lines.length - 1]) lines.push(word); else lines[lines.length - 1] = longer;
    }
    return lines.slice(0, 3);
  };
  const axis = (ink, column, x, h, width) => {
    ink.strokeStyle = "#5d7484"; ink.lineWidth = 1.2; ink.beginPath(); ink.moveTo(x, TOP); ink.lineTo(x, h - FOOT); ink.stroke();
    ink.textAlign = "center"; ink.fillStyle = INK;
    const lines = words(ink, column.label.replace(/^[a-z ]+: /, "") + (column.unit ? " (" + column.unit + ")" : ""), Math.min(140, (width - 2 * SIDE) / Math.max(1, axes.length - 1) - 8));
    lines.forEach((text, k) => ink.fillText(text, x, TOP - 16 - 14 * (lines.length - 1 - k)));
    ink.fillStyle = QUIET;
    if (column.names && column.names.length <= 14) column.names.forEach((name, k) => {
      const text = name.slice(0, 18), y = height(column, k, h), wide = ink.measureText(text).width + 8;
      ink.textAlign = "center"; ink.fillStyle = "#fffffff0"; ink.fillRect(x - wide / 2, y - 9, wide, 18);
      ink.fillStyle = INK; ink.fillText(text, x, y + 4);
    });
    else if (!column.names) { ink.fillText(number(column.extent[1], column.digits), x, TOP - 3); ink.fillText(number(column.extent[0], column.digits), x, h - FOOT + 14); }
    if (column.brush) {
      const [a, b] = column.brush.map((v) => height(column, v, h));
      ink.fillStyle = "#0b6a9433"; ink.strokeStyle = PASSED;
      ink.fillRect(x - 8, Math.min(a, b), 16, Math.abs(b - a)); ink.strokeRect(x - 8, Math.min(a, b), 16, Math.abs(b - a));
    }
  };
  const keep = () => {
    const brushed = columns.filter((c) => c.brush);
    let count = 0;
    for (let i = 0; i < n; i++) {
      kept[i] = brushed.every((c) => c.values[i] !== null && c.values[i] >= c.brush[0] && c.values[i] <= c.brush[1]) ? 1 : 0;
      count += kept[i];
    }
    byId("kept").textContent = brushed.length ? count + " of " + n + " kept" : "";
    page = 0; drawAll(); list();
  };
  let drag = null;
  const nearAxis = (x) => { let best = 0; axes.forEach((_, k) => { if (Math.abs(place(k, size[0]) - x) < Math.abs(place(best, size[0]) - x)) best = k; }); return Math.abs(place(best, size[0]) - x) < 14 ? best : -1; };
  const at = (event, canvas) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const back = (column, y) => column.extent[0] + (1 - (y - TOP) / (size[1] - TOP - FOOT)) * (column.extent[1] - column.extent[0]);
  parallel.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event, parallel), k = nearAxis(x);
    if (k >= 0) { drag = [axes[k], y]; parallel.setPointerCapture(event.pointerId); } else tell(nearLine(x, y));
  });
  parallel.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [, y] = at(event, parallel), ends = [back(drag[0], drag[1]), back(drag[0], y)];
    drag[0].brush = [Math.min(...ends), Math.max(...ends)];
    drawParallel();
  });
  parallel.addEventListener("pointerup", (event) => {
    if (!drag) return;
    if (Math.abs(at(event, parallel)[1] - drag[1]) < 4) drag[0].brush = null;
    drag = null; keep();
  });
  const nearLine = (x, y) => {
    let best = -1, least = 12;
    for (let k = 0; k + 1 < axes.length; k++) {
      const a = place(k, size[0]), b = place(k + 1, size[0]);
      if (x < a || x > b) continue;
      const share = (x - a) / (b - a);
      for (let i = 0; i < n; i++) {
        const u = axes[k].values[i], v = axes[k + 1].values[i];
        if (!kept[i] || u === null || v === null) continue;
        const far = Math.abs((1 - share) * height(axes[k], u + jitter(axes[k], i), size[1]) + share * height(axes[k + 1], v + jitter(axes[k + 1], i), size[1]) - y);
        if (far < least) { least = far; best = i; }
      }
    }
    return best;
  };

  // Scatter plot.
  const scatter = byId("scatter"), EDGE = [64, 20, 16, 44];
  let spots = [];
  const drawScatter = () => {
    const [ink, width, h] = fit(scatter);
    ink.clearRect(0, 0, width, h);
    const cx = columns[byId("across").value], cy = columns[byId("up").value];
    const sx = (v) => EDGE[0] + ((v - cx.extent[0]) / (cx.extent[1] - cx.extent[0])) * (width - EDGE[0] - EDGE[1]);
    const sy = (v) => h - EDGE[3] - ((v - cy.extent[0]) / (cy.extent[1] - cy.extent[0])) * (h - EDGE[2] - EDGE[3]);
    ink.strokeStyle = "#dbe2e7"; ink.fillStyle = QUIET;
    ticks(cx).forEach(([v, text]) => { ink.beginPath(); ink.moveTo(sx(v), EDGE[2]); ink.lineTo(sx(v), h - EDGE[3]); ink.stroke(); ink.textAlign = "center"; ink.fillText(text, sx(v), h - EDGE[3] + 16); });
    ticks(cy).forEach(([v, text]) => { ink.beginPath(); ink.moveTo(EDGE[0], sy(v)); ink.lineTo(width - EDGE[1], sy(v)); ink.stroke(); ink.textAlign = "right"; ink.fillText(text, EDGE[0] - 6, sy(v) + 4); });
    ink.fillStyle = INK; ink.textAlign = "center"; ink.fillText(title(cx), width / 2, h - 8);
    ink.save(); ink.translate(13, h / 2); ink.rotate(-Math.PI / 2); ink.fillText(title(cy), 0, 0); ink.restore();
    spots = [];
    ink.lineWidth = 1.4;
    const half = n > 2000 ? 2 : 3.2;
    for (let i = 0; i < n; i++) {
      const u = cx.values[i], v = cy.values[i];
      if (u === null || v === null) continue;
      const x = sx(u + jitter(cx, i)), y = sy(v + jitter(cy, i));
      ink.globalAlpha = kept[i] ? 0.75 : 0.12; ink.strokeStyle = ink.fillStyle = colour(i);
      ink.beginPath();
      if (data.passed && passed(i) === 0) { ink.moveTo(x - half, y - half); ink.lineTo(x + half, y + half); ink.moveTo(x - half, y + half); ink.lineTo(x + half, y - half); ink.stroke(); }
      else { ink.arc(x, y, half, 0, 7); ink.fill(); }
      if (kept[i]) spots.push([x, y, i]);
    }
    ink.globalAlpha = 1;
    const spot = spots.find((s) => s[2] === picked);
    if (spot) { ink.strokeStyle = INK; ink.lineWidth = 2.5; ink.beginPath(); ink.arc(spot[0], spot[1], 7, 0, 7); ink.stroke(); }
  };
  const ticks = (column) => {
    if (column.names) return column.names.map((name, k) => [k, name.slice(0, 16)]);
    const [a, b] = column.extent, rough = (b - a) / 5, power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough), found = [];
    for (let v = Math.ceil(a / step) * step; v <= b * (1 + 1e-9) + 1e-300; v += step) found.push([v, number(Math.abs(v) < step * 1e-6 ? 0 : v, column.digits)]);
    return found.slice(0, 12);
  };
  const nearSpot = (event) => {
    const [x, y] = at(event, scatter);
    let best = -1, least = 12;
    for (const [u, v, i] of spots) { const far = Math.hypot(u - x, v - y); if (far < least) { least = far; best = i; } }
    return best;
  };
  scatter.addEventListener("click", (event) => tell(nearSpot(event)));
  scatter.addEventListener("dblclick", (event) => { const i = nearSpot(event); if (i >= 0 && ran(i)) location.href = encodeURIComponent(data.names[i]) + "/report.html"; });

  // The table: sorted, a page at a time.
  const PAGE = 50;
  let page = 0, sorted = data.rank ? "rank" : "name", rising = true, rows = [];
  const value = (i) => {
    if (sorted === "rank") return data.rank[i];
    if (sorted === "name") return i;
    if (sorted === "status") return data.status[i];
    const column = columns[sorted], v = column.values[i];
    return v === null ? (rising ? Infinity : -Infinity) : v;
  };
  const list = () => {
    const which = byId("which").value, looked = byId("search").value.trim().toLowerCase();
    rows = [];
    for (let i = 0; i < n; i++) {
      const fits = which === "all" || (which === "passed" && passed(i) === 1) || (which === "not" && passed(i) === 0) || (which === "failed" && !ran(i));
      if (kept[i] && fits && (!looked || data.names[i].toLowerCase().includes(looked))) rows.push(i);
    }
    const keys = new Map(rows.map((i) => [i, value(i)]));
    rows.sort((a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : a - b) * (rising ? 1 : -1));
    fill();
  };
  const head = (text, unit, key, isText) => {
    const th = document.createElement("th"), button = document.createElement("button");
    th.scope = "col"; button.type = "button"; button.textContent = text; th.append(button);
    if (isText) th.className = "text";
    if (unit) { const small = document.createElement("small"); small.textContent = unit; th.append(small); }
    if (key === sorted) th.setAttribute("aria-sort", rising ? "ascending" : "descending");
    button.addEventListener("click", () => { rising = key === sorted ? !rising : true; sorted = key; page = 0; list(); });
    return th;
  };
  const fill = () => {
    const table = byId("ranking").querySelector("table");
    const told = columns.map((c, k) => [c, k]).filter(([, k]) => byId("every").checked || k < data.looked);
    const top = table.tHead.rows[0];
    top.replaceChildren(head("variant", "", "name", true), ...(data.rank ? [head("rank", "", "rank")] : []), head("status", "", "status", true), ...told.map(([c, k]) => head(c.label, c.unit, k)));
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    page = Math.min(page, pages - 1);
    table.tBodies[0].replaceChildren(...rows.slice(page * PAGE, (page + 1) * PAGE).map((i) => row(i, told)));
    table.caption.textContent = rows.length + " of " + n + " variants; a click on a heading sorts";
    byId("page").textContent = "page " + (page + 1) + " of " + pages;
    byId("back").disabled = page === 0; byId("on").disabled = page === pages - 1;
    mark();
  };
  const row = (i, told) => {
    const tr = document.createElement("tr"), th = document.createElement("th");
    th.scope = "row"; tr.dataset.variant = i;
    if (ran(i)) { const a = document.createElement("a"); a.href = encodeURIComponent(data.names[i]) + "/report.html"; a.textContent = data.names[i]; th.append(a); } else th.textContent = data.names[i];
    const cell = (text, kind) => { const td = document.createElement("td"); td.textContent = text; if (kind) td.className = kind; return td; };
    const state = data.kinds[data.status[i]] + (data.passed && data.passed[i] !== null ? (data.passed[i] ? ", meets all" : ", does not meet all") : "");
    tr.append(th, ...(data.rank ? [cell(data.rank[i])] : []), cell(state, "text"), ...told.map(([c]) => cell(said(c, i))));
    return tr;
  };
  const mark = () => { for (const tr of byId("ranking").querySelectorAll("tbody tr")) tr.classList.toggle("picked", Number(tr.dataset.variant) === picked); };

  const drawAll = () => { drawParallel(); drawScatter(); };
  const options = (select, chosen) => columns.forEach((c, k) => { const o = document.createElement("option"); o.value = k; o.textContent = title(c); o.selected = k === chosen; select.append(o); });
  options(byId("across"), 0);
  const firstFigure = columns.findIndex((c) => c.kind === "figure");
  options(byId("up"), Math.max(firstFigure, 0));
  const add = byId("add-axis"), blank = document.createElement("option");
  blank.textContent = "…"; blank.value = ""; add.append(blank); options(add, -1); add.value = "";
  add.addEventListener("change", () => { const c = columns[add.value]; if (c) { if (axes.includes(c)) { c.brush = null; axes = axes.filter((each) => each !== c); keep(); } else axes.push(c); drawParallel(); } add.value = ""; });
  byId("across").addEventListener("change", drawScatter);
  byId("up").addEventListener("change", drawScatter);
  byId("all-again").addEventListener("click", () => { columns.forEach((c) => { c.brush = null; }); picked = -1; byId("told").textContent = "\u00a0"; keep(); });
  for (const id of ["which", "every"]) byId(id).addEventListener("change", () => { page = 0; list(); });
  byId("search").addEventListener("input", () => { page = 0; list(); });
  byId("back").addEventListener("click", () => { page -= 1; fill(); });
  byId("on").addEventListener("click", () => { page += 1; fill(); });
  byId("table-tools").hidden = byId("pages").hidden = false;
  let waiting = 0;
  window.addEventListener("resize", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(drawAll); });
  drawAll(); list();
})();
