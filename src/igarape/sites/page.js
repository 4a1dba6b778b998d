// A site's page: draws what the block of JSON holds. Places are in pixels of the site's ground, y downwards.
"use strict";
(async () => {
  const site = JSON.parse(document.getElementById("content").textContent);
  const at = (id) => document.getElementById(id);
  const { grid, labels, dates, steps } = site;
  const COLOUR = "224, 33, 138", COVER = 0.55, ALERT = "#ffd400", NO_LOOK = 255, MORE = 60, CELLS = 2400; // pixels of the canvas over the ground, at most

  const unpacked = async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const present = await unpacked(site.present); // (labels, days, tiles), each day as its difference to the one before
  const seen = await unpacked(site.seen); // (days, tiles), a bit each
  const places = new Uint32Array((await unpacked(site.places)).buffer);
  const looks = await unpacked(site.looks); // (alerts, days), of the first alerts; NO_LOOK: none
  const columns = JSON.parse(new TextDecoder().decode(await unpacked(site.alerts)));
  const alerts = columns.id.map((id, row) => ({ id, row, tiles: [], crops: site.crops[row] || {}, middle: columns.middle.map((axis) => axis[row]),
    ...Object.fromEntries(["tile", "label", "change", "status", "verdict", "reason", "raised", "first", "last", "told", "event", "place", "probability"].map((name) => [name, columns[name][row]])) }));
  for (const alert of alerts) if (alert.event !== alert.row) alerts[alert.event].tiles.push(alert); // those of one event, below the strongest
  const events = alerts.filter((alert) => alert.event === alert.row);
  const tiles = grid.tiles, wide = Math.ceil(tiles / 8);
  for (let label = 0; label < labels.length; label++)
    for (let day = 1; day < dates.length; day++)
      for (let tile = 0, here = (label * dates.length + day) * tiles; tile < tiles; tile++, here++) present[here] += present[here - tiles];
  const chance = (label, day, tile) => present[(label * dates.length + day) * tiles + tile] / steps;
  const looked = (day, tile) => (seen[day * wide + (tile >> 3)] >> (7 - (tile & 7))) & 1;
  const corner = (tile) => [grid.columns[places[tile] % grid.columns.length], grid.rows[Math.floor(places[tile] / grid.columns.length)]];
  // Tiles may overlap: each is drawn as the square around its middle that is its own.
  const own = (tile) => { const [x, y] = corner(tile), rim = (grid.size - grid.stride) / 2; return [x + rim, y + rim, grid.stride]; };

  // The map
  const ground = [[-grid.height, 0], [0, grid.width]];
  const map = L.map("map", { crs: L.CRS.Simple, minZoom: -9, maxZoom: 2, zoomSnap: 0.25, attributionControl: false });
  map.fitBounds(ground);
  map.setMaxBounds(L.latLngBounds(ground).pad(0.5));
  const picture = L.imageOverlay("", ground).addTo(map);
  const Canvas = L.ImageOverlay.extend({
    _initImage() {
      const canvas = (this._image = L.DomUtil.create("canvas", "leaflet-image-layer"));
      const scale = Math.min(1, CELLS / Math.max(grid.width, grid.height));
      canvas.width = Math.max(1, Math.round(grid.width * scale)); canvas.height = Math.max(1, Math.round(grid.height * scale));
      canvas.id = "known";
    },
  });
  const overlay = new Canvas("", ground).addTo(map);
  const pen = overlay.getElement().getContext("2d"), scale = overlay.getElement().width / grid.width;
  const hatch = (() => {
    const square = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }), line = square.getContext("2d");
    line.strokeStyle = "rgba(235, 240, 238, .8)"; line.lineWidth = 1.2;
    line.beginPath(); line.moveTo(-2, 10); line.lineTo(10, -2); line.moveTo(-2, 2); line.lineTo(2, -2); line.moveTo(6, 10); line.lineTo(10, 6); line.stroke();
    return pen.createPattern(square, "repeat");
  })();
  const chosen = L.layerGroup().addTo(map), outlines = L.layerGroup().addTo(map);

  const state = { label: 0, day: Number(at("day").value), ground: Object.keys(site.grounds).length ? "day" : "none", tile: null, alert: null };
  const standing = (alert) => ["confirmed", "candidate"].includes(alert.status);
  const box = (tile) => { const [x, y] = corner(tile); return [[-(y + grid.size), x], [-y, x + grid.size]]; };

  function drawMap() {
    const { label, day } = state;
    pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height);
    for (let tile = 0; tile < tiles; tile++) {
      const [x, y, side] = own(tile).map((value) => value * scale), p = chance(label, day, tile);
      if (p) { pen.fillStyle = `rgba(${COLOUR}, ${COVER * p})`; pen.fillRect(x, y, side, side); }
      if (!looked(day, tile)) { pen.fillStyle = hatch; pen.fillRect(x, y, side, side); }
    }
    const address = { day: site.grounds[dates[day]], clearest: site.clearest && site.clearest[1], none: "" }[state.ground];
    picture.setUrl(address || ""); picture.setOpacity(address ? 1 : 0);
    chosen.clearLayers(); // below the alerts' outlines, and wider
    if (state.tile !== null) L.rectangle(box(state.tile), { color: "#3fb6ff", weight: 11, fill: false, interactive: false }).addTo(chosen);
    outlines.clearLayers();
    for (const alert of alerts) {
      if (labels[label] !== alert.label || !standing(alert) || alert.raised > dates[day]) continue;
      const dashed = alert.status === "candidate" ? "6 5" : null;
      const marks = alert.event === alert.row ? [["#10201a", 5], [ALERT, 2.5]] : [[ALERT, 1]]; // one mark an event; its other tiles have a thin line
      for (const [color, weight] of marks) L.rectangle(box(alert.place), { color, weight, dashArray: dashed, fill: false, interactive: false }).addTo(outlines);
    }
    at("day").setAttribute("aria-valuetext", dates[day]);
    const looks = site.looked[day], cloudy = site.cloudy[day], percent = (share) => `${Math.round(100 * share)} %`;
    const sky = looks + cloudy ? `${percent(cloudy / (looks + cloudy))} of what the scene covers was under cloud` : "no tile was covered";
    at("when").textContent = `${dates[day]}: ${looks.toLocaleString("en")} of ${tiles.toLocaleString("en")} tiles looked at; ${sky}.`
      + (site.untrusted.includes(dates[day]) ? " Not like what the model was trained on." : "")
      + (state.ground === "clearest" && site.clearest ? ` Ground of ${site.clearest[0]}.` : state.ground === "day" && !address ? " No picture of this day." : "");
  }

  // Curves
  const SVG = "http://www.w3.org/2000/svg";
  const shape = (name, facts, text) => { const made = document.createElementNS(SVG, name); for (const key in facts) made.setAttribute(key, facts[key]); if (text !== undefined) made.textContent = text; return made; };
  const time = (date) => Date.parse(date), first = time(dates[0]), span = Math.max(time(dates[dates.length - 1]) - first, 1);
  function plot({ name, line, dots = [], width = 260, height = 150, top = 1, now = null }) {
    const left = 42, right = 8, bottom = height - 20;
    const x = (date) => left + (width - left - right) * (time(date) - first) / span, y = (value) => bottom - (bottom - 8) * value / top;
    const svg = shape("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name });
    for (const value of [0, top]) svg.append(shape("line", { class: "frame", x1: left, x2: width - right, y1: y(value), y2: y(value) }), shape("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, value === 0 ? "0" : `${Math.round(100 * top)} %`));
    svg.append(shape("text", { x: left, y: height - 5 }, dates[0]), shape("text", { x: width - right, y: height - 5, "text-anchor": "end" }, dates[dates.length - 1]));
    if (now !== null) svg.append(shape("line", { class: "now", x1: x(now), x2: x(now), y1: 6, y2: bottom }));
    svg.append(shape("polyline", { class: "known", points: line.map(([date, value]) => `${x(date).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
    for (const [date, value] of line.length === 1 ? [...line, ...dots] : dots) svg.append(shape("circle", { class: "look", r: 3.5, cx: x(date), cy: y(value) }));
    return svg;
  }
  const said = (alert) => alert && alert.row < site.dotted ? site.all_dates.map((date, day) => [date, looks[alert.row * site.all_dates.length + day]])
    .filter(([, step]) => step !== NO_LOOK).map(([date, step]) => [date, step / site.fine]) : [];
  function drawTile() {
    const { tile, label, day, alert } = state;
    if (tile === null) return;
    const row = Math.floor(places[tile] / grid.columns.length), name = `${row}_${places[tile] % grid.columns.length}`;
    const line = dates.map((date, place) => [date, chance(label, place, tile)]);
    const dots = said(alert !== null ? alerts[alert] : alerts.find((each) => each.place === tile && each.label === labels[label]));
    const head = Object.assign(document.createElement("h3"), { textContent: `Tile ${name}: ${labels[label]}` });
    const now = `${labels[label]} in tile ${name}: ${Math.round(100 * chance(label, day, tile))} % on ${dates[day]}`;
    const note = Object.assign(document.createElement("p"), { className: "small", textContent: `${now}. The line is what is known after each day${dots.length ? "; the dots are what the model said of each look by itself" : ""}.` });
    at("tile").replaceChildren(head, plot({ name: now, line, dots, width: at("tile").clientWidth, now: dates[day] }), note);
  }
  function drawShares() {
    at("shares").replaceChildren(...labels.map((label, place) => {
      const line = dates.map((date, day) => [date, site.shares[day][place]]).filter(([, share]) => share !== null);
      const card = Object.assign(document.createElement("div"), { className: "card" }), head = document.createElement("h3");
      const newest = line.length ? line[line.length - 1][1] : null;
      head.append(label, Object.assign(document.createElement("span"), { className: "small", textContent: newest === null ? "no look" : `${(100 * newest).toFixed(1)} %` }));
      const top = Math.max(0.02, ...line.map(([, share]) => share)) * 1.15;
      card.append(head, plot({ name: `share of tiles with ${label}`, line, height: 110, top: Math.min(1, top) }));
      return card;
    }));
  }
  function draw() { drawMap(); drawTile(); }

  // Alerts
  const element = (name, facts = {}, ...inside) => { const made = Object.assign(document.createElement(name), facts); made.append(...inside); return made; };
  function crop(alert, side) {
    if (!alert.crops[side]) return element("div", { className: "small", textContent: `no picture ${side === "before" ? "before" : "after"} it` });
    const [date, image] = alert.crops[side];
    return element("figure", {}, element("img", { src: image, alt: `${side} the change, ${date}` }), element("i"), element("figcaption", { textContent: `${side}: ${date}` }));
  }
  const when = (alert) => alert.first && alert.last ? `between ${alert.first} and ${alert.last}` : `raised ${alert.raised}`;
  const judged = (alert) => alert.verdict ? `; judged ${alert.verdict}: ${alert.reason || ""}` : "";
  function card(alert) {
    const count = alert.tiles.length + 1, unjudged = [alert, ...alert.tiles].some((each) => !each.verdict);
    const command = `igarape judge ${alert.id} yes ${alert.tiles.length ? "--event " : ""}--reason "..."`;
    const copy = element("button", { type: "button", textContent: "Copy" });
    copy.addEventListener("click", async () => { await navigator.clipboard.writeText(command); copy.textContent = "Copied"; });
    const open = element("button", { type: "button", className: "open" },
      element("h3", {}, element("span", { className: `tag ${alert.status}`, textContent: alert.status }), `${alert.label} ${alert.change}${count > 1 ? `, in ${count} tiles` : ""}`),
      element("div", { className: "small", textContent: `tile ${alert.tile}, ${when(alert)}; probability ${alert.probability.toFixed(3)}${judged(alert)}` }),
      element("div", { className: "small", textContent: `its middle: ${alert.middle.map((degrees) => degrees.toFixed(5)).join(", ")} (latitude, longitude)` }),
      ...(alert.crops.before || alert.crops.after ? [element("div", { className: "crops" }, crop(alert, "before"), crop(alert, "after"))] : []));
    open.addEventListener("click", () => choose(alert.row));
    const item = element("li", { className: "alert" }, open);
    item.dataset.row = alert.row;
    if (alert.tiles.length) {
      const row = (each) => {
        const choice = element("button", { type: "button", textContent: `tile ${each.tile}` });
        choice.addEventListener("click", () => choose(each.row));
        return element("li", {}, choice, ` ${each.status}, ${when(each)}; probability ${each.probability.toFixed(3)}${judged(each)} `, element("code", { textContent: each.id }));
      };
      const rest = element("details", { className: "small" }, element("summary", { textContent: `${count - 1} more tile${count > 2 ? "s" : ""} of this event` }), element("ul", {}, ...alert.tiles.map(row)));
      item.append(rest);
    }
    if (alert.status !== "withdrawn" && unjudged) item.append(element("div", { className: "judge" }, element("code", { textContent: command }), copy));
    return item;
  }
  // A large site has thousands of events: a part of them is there at once, and more when they are asked for.
  function more(count) {
    const list = at("alerts"), next = events.slice(list.children.length, count);
    list.append(...next.map(card));
    at("more").hidden = list.children.length >= events.length;
    at("more").textContent = `Show ${Math.min(MORE, events.length - list.children.length)} more of ${(events.length - list.children.length).toLocaleString("en")}`;
  }
  function choose(place) {
    const alert = alerts[place], shown = alert.crops.after ? alert.crops.after[0] : alert.told, day = dates.findIndex((date) => date >= shown);
    Object.assign(state, { alert: place, tile: alert.place, label: labels.indexOf(alert.label), day: day < 0 ? dates.length - 1 : day });
    [...at("alerts").children].forEach((item) => Number(item.dataset.row) === alert.event ? item.setAttribute("aria-current", "true") : item.removeAttribute("aria-current"));
    at("label").value = state.label; at("day").value = state.day;
    map.fitBounds(L.latLngBounds(box(alert.place)).pad(1.5), { animate: false });
    draw();
    at("map").scrollIntoView({ block: "center" });
  }
  function pick(latlng) {
    const inside = (tile) => { const [x, y, side] = own(tile); return latlng.lng >= x && latlng.lng < x + side && -latlng.lat >= y && -latlng.lat < y + side; };
    const tile = places.findIndex((_, place) => inside(place));
    if (tile < 0) return;
    Object.assign(state, { tile, alert: null });
    draw();
  }

  more(MORE);
  at("more").addEventListener("click", () => more(at("alerts").children.length + MORE));
  for (const option of at("label").options) {
    const count = events.filter((alert) => alert.label === labels[option.value] && standing(alert)).length;
    if (count) option.textContent += ` (${count} event${count === 1 ? "" : "s"})`;
  }
  at("ground").value = state.ground;
  at("label").addEventListener("change", () => { Object.assign(state, { label: Number(at("label").value), alert: null }); draw(); });
  at("ground").addEventListener("change", () => { state.ground = at("ground").value; draw(); });
  const goto = (day) => { state.day = Math.min(Math.max(day, 0), dates.length - 1); at("day").value = state.day; draw(); };
  at("day").addEventListener("input", () => goto(Number(at("day").value)));
  at("earlier").addEventListener("click", () => goto(state.day - 1));
  at("later").addEventListener("click", () => goto(state.day + 1));
  map.on("click", (event) => pick(event.latlng));
  at("map").addEventListener("keydown", (event) => { if (event.key === "Enter") pick(map.getCenter()); });
  window.addEventListener("resize", drawTile);
  drawShares();
  draw();
  document.body.dataset.ready = "true";
})();
