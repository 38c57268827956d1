"use strict";
const $ = id => document.getElementById(id);
const { title, summary, banner, sections, measures, runs, organs, images } = JSON.parse($("data").textContent);
$("data").remove();
const SVG = "http://www.w3.org/2000/svg";
function dress(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
const element = (name, attributes = {}, ...children) => dress(document.createElement(name), attributes, children);
const shape = (name, attributes = {}, ...children) => dress(document.createElementNS(SVG, name), attributes, children);

// Numbers as text.
const known = value => value !== null && value !== undefined;
const digits = (value, places = 3) => known(value) ? value.toFixed(places) : "–";
function signed(value, places = 3) {
  if (!known(value)) return "–";
  const size = Math.abs(value).toFixed(places);
  return (Number(size) === 0 ? "" : value > 0 ? "+" : "−") + size;
}
const capital = text => text[0].toUpperCase() + text.slice(1);
const organName = organ => organ === "largeintestine" ? "large intestine" : organ ?? "organ unknown";

// Copying and saving. A page from a file may not be allowed to write to the clipboard, so there is an older way too.
async function copy(text, button) {
  let done = false;
  try { await navigator.clipboard.writeText(text); done = true; } catch {
    const area = element("textarea", { readonly: "", style: "position:fixed;opacity:0" });
    area.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  say(button, done ? "Copied" : "Not copied");
}
function say(button, word) {
  const name = button.dataset.name ??= button.textContent;
  button.textContent = word;
  setTimeout(() => button.textContent = name, 1500);
}
function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
// PNG at three times the figure's size, drawn by the browser.
function png(figure, button) {
  const picture = new Image();
  picture.onload = () => {
    const canvas = element("canvas");
    [canvas.width, canvas.height] = [3 * picture.naturalWidth, 3 * picture.naturalHeight];
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(blob => { if (blob) save(blob, figure.name + ".png"); else say(button, "Not saved"); }, "image/png");
  };
  picture.onerror = () => say(button, "Not saved");
  picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(figure.svg);
}
function tool(name, label, act) {
  const button = element("button", { type: "button", "aria-label": label }, name);
  button.addEventListener("click", () => act(button));
  return button;
}

// The report's parts, in the order in which they came.
function table(t) {
  const cell = (lines, i) => {
    const text = lines.length > 1
      ? [element("span", { class: "value" }, lines[0]), ...lines.slice(1).map(line => element("span", { class: "small" }, line))]
      : lines;
    return element(i ? "td" : "th", i ? {} : { scope: "row" }, ...text);
  };
  const top = element("thead", {}, element("tr", {}, ...t.head.map(name => element("th", { scope: "col" }, name))));
  const body = t.rows.map((row, at) => element("tr", at >= t.rows.length - t.sums ? { class: "sum" } : {}, ...row.map(cell)));
  const caption = t.caption ? [element("caption", {}, t.caption)] : [];
  const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t.caption || t.name },
    element("table", t.is_text ? { class: "left" } : {}, ...caption, top, element("tbody", {}, ...body)));
  const formats = [["Markdown", t.markdown], ["LaTeX", t.latex], ["CSV", t.csv]];
  const tools = element("div", { class: "tools" }, element("span", {}, "Copy as"), ...formats.map(([name, text]) => tool(name, `Copy as ${name}: ${t.caption || t.name}`, button => copy(text, button))));
  const box = element("div", { class: "piece" }, scroll, element("p", { class: "hint" }, "Swipe or scroll sideways to see all columns."), tools);
  widths.observe(scroll);
  return box;
}
// Says so where a table is wider than the page.
const widths = new ResizeObserver(entries => {
  for (const { target } of entries) target.parentNode?.classList.toggle("wide", target.scrollWidth > target.clientWidth + 1);
});
function figure(f) {
  const drawing = document.importNode(new DOMParser().parseFromString(f.svg, "image/svg+xml").documentElement, true);
  drawing.classList.add("chart");
  const width = drawing.getAttribute("width");
  drawing.removeAttribute("width");
  drawing.removeAttribute("height");
  const tools = element("div", { class: "tools" }, element("span", {}, "Save as"),
    tool("SVG", `Save as SVG: ${f.name}`, () => save(new Blob([f.svg], { type: "image/svg+xml" }), f.name + ".svg")),
    tool("PNG", `Save as PNG: ${f.name}`, button => png(f, button)));
  const scroll = element("div", { class: "scroll" }, drawing);
  widths.observe(scroll);
  return element("figure", { class: "piece", id: "figure-" + f.name, style: `--width:${Number(width)}` }, scroll, element("p", { class: "hint" }, "Swipe or scroll sideways to see all of it."), element("figcaption", { class: "small" }, f.caption), tools);
}
const kinds = {
  heading: text => element("h3", {}, text),
  text: text => element("p", {}, text),
  small: text => element("p", { class: "small" }, text),
  copy: ([name, text]) => element("div", { class: "piece" }, element("h3", {}, name), element("p", { class: "quote" }, text), element("div", { class: "tools" }, tool("Copy", `Copy: ${name}`, button => copy(text, button)))),
  code: text => element("div", { class: "piece" }, element("pre", { tabindex: "0" }, text), element("div", { class: "tools" }, tool("Copy", "Copy these lines", button => copy(text, button)))),
  table, figure,
  row: blocks => element("div", { class: "row" }, ...blocks.map(render)),
  fold: ([name, open, blocks]) => element("details", open ? { open: "" } : {}, element("summary", {}, name), ...blocks.map(render)),
};
function render(block) {
  const [[kind, content]] = Object.entries(block);
  return kinds[kind](content);
}
$("title").textContent = title;
$("summary").textContent = summary.join(" ");
if (banner.length) {
  $("banner").append(...banner.map(text => element("p", {}, text)));
  $("banner").hidden = false;
}
for (const { id, title, blocks } of sections) {
  $("main").append(element("section", { id }, element("h2", {}, title), ...blocks.map(render)));
  $("nav").append(element("a", { href: "#" + id }, title));
}
$("main").addEventListener("click", event => {
  const dot = event.target.closest?.(".dot");
  if (dot) open(dot.dataset.image, Number(dot.dataset.run));
});

// Gallery
$("nav").append(element("a", { href: "#images" }, "Images"));
for (const id of ["run", "big-run"]) $(id).append(...runs.map((run, i) => element("option", { value: i }, run.name)));
$("organ").append(element("option", { value: "*" }, "all"), ...organs.map(organ => element("option", { value: String(organ) }, organName(organ))));
function outline(name, d) {
  return shape("g", { class: name }, shape("path", { class: "rim", d }), shape("path", { class: "line", d }));
}
function drawing(picture, run) {
  const svg = shape("svg", { viewBox: `0 0 ${picture.width} ${picture.height}` });
  if (picture.image) svg.append(shape("image", { href: picture.image, width: picture.width, height: picture.height }));
  svg.append(outline("truth", picture.truth));
  if (picture.found[run]) svg.append(outline("found", picture.found[run]));
  return svg;
}
// A card is drawn when it comes near the window: hundreds of pictures at once would keep the page from opening.
const waiting = new Map();
function draw(frame) {
  const make = waiting.get(frame);
  if (make) { waiting.delete(frame); watcher.unobserve(frame); frame.append(make()); }
}
const watcher = new IntersectionObserver(entries => { for (const entry of entries) if (entry.isIntersecting) draw(entry.target); }, { rootMargin: "800px" });
let shown = [];
const score = (id, run) => runs[run].images.find(s => s.id === id);
const caption = s => `${s.id}, ${organName(s.organ)}: Dice ${digits(s.dice)}` + (s.routed ? `, sent to ${organName(s.routed.to)}` : "");
const seen = s => s.training_image === undefined ? [] : [element("div", { class: "seen" }, `Seen in training (${s.training_image}): no measure of accuracy`)];
function number(id, otherwise) { const value = parseFloat($(id).value); return Number.isFinite(value) ? value : otherwise; }
function show() {
  const run = Number($("run").value), organ = $("organ").value, least = number("least", 0), most = number("most", 1), word = $("search").value.trim().toLowerCase();
  const order = { worst: (a, b) => a.dice - b.dice, best: (a, b) => b.dice - a.dice, id: (a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }) };
  const all = runs[run].images;
  shown = all.filter(s => images[s.id] && s.dice >= least - 1e-9 && s.dice <= most + 1e-9 && (organ === "*" || String(s.organ) === organ) && s.id.toLowerCase().includes(word)).sort(order[$("order").value]);
  watcher.disconnect();
  waiting.clear();
  $("cards").replaceChildren(...shown.map(s => {
    const picture = images[s.id];
    const frame = element("div", { class: "frame", style: `aspect-ratio:${picture.width}/${picture.height}` });
    waiting.set(frame, () => drawing(picture, run));
    watcher.observe(frame);
    const card = element("button", { class: "card", type: "button", "data-id": s.id }, frame, element("div", {}, caption(s)), ...seen(s));
    card.addEventListener("click", () => open(s.id, run));
    return card;
  }));
  $("count").textContent = `${shown.length} of ${all.length} image${all.length === 1 ? "" : "s"}`;
}
function toggle(name, on) {
  document.body.classList.toggle(`no-${name}`, !on);
  for (const box of document.querySelectorAll(`.show-${name}`)) box.checked = on;
}
for (const name of ["truth", "found"]) for (const box of document.querySelectorAll(`.show-${name}`)) box.addEventListener("input", () => toggle(name, box.checked));
addEventListener("beforeprint", () => { for (const frame of [...waiting.keys()]) draw(frame); });

// One image, large
let box = null, full = null, svg = null, opened = null;
const link = (id, run) => "#" + new URLSearchParams({ image: id, run: runs[run].name });
function open(id, run) {
  const s = score(id, run);
  if (!s || !images[id]) return;
  opened = { id, run };
  $("big-title").textContent = caption(s);
  $("big-run").value = run;
  const value = m => m.path.split(".").reduce((part, key) => part?.[key], s);
  const figures = measures.filter(m => m.key !== "dice" && known(value(m))).map(m => {
    const [name, unit] = m.title.split(", ");
    return `${name} ${(m.signed ? signed : digits)(value(m), m.decimals)}${unit ? " " + unit.replace("um", "µm").replace("mm2", "mm²") : ""}`;
  });
  if (s.routed) figures.push(`sent to ${organName(s.routed.to)} with confidence ${digits(s.routed.confidence)}`);
  if (!images[id].image) figures.push("the image itself could not be shown");
  $("big-figures").replaceChildren(...seen(s), capital(figures.join("; ")));
  $("big-link").href = link(id, run);
  const keep = svg && full && $("big").open && svg.dataset.id === id ? box : null;
  svg = drawing(images[id], run);
  svg.dataset.id = id;
  full = [0, 0, images[id].width, images[id].height];
  box = keep ?? full.slice();
  look();
  $("view").replaceChildren(svg);
  const at = shown.findIndex(other => other.id === id);
  $("before").disabled = at <= 0;
  $("after").disabled = at < 0 || at + 1 >= shown.length;
  if (!$("big").open) { $("big").showModal(); $("view").focus(); }
  history.replaceState(null, "", link(id, run));
}
function go(step) {
  const next = shown[shown.findIndex(other => other.id === opened.id) + step];
  if (next && shown.some(other => other.id === opened.id)) open(next.id, opened.run);
}
function look() { svg.setAttribute("viewBox", box.join(" ")); }
// px of the picture for one of the screen
const scale = () => 1 / (svg.getScreenCTM()?.a || 1);
function zoom(factor, clientX, clientY) {
  const width = Math.min(full[2], Math.max(full[2] / 24, box[2] * factor)), height = width * full[3] / full[2];
  let at = [box[0] + box[2] / 2, box[1] + box[3] / 2];
  const matrix = svg.getScreenCTM();
  if (known(clientX) && matrix) { const p = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse()); at = [p.x, p.y]; }
  const part = width / box[2];
  box = [at[0] - (at[0] - box[0]) * part, at[1] - (at[1] - box[1]) * part, width, height];
  move(0, 0);
}
function move(x, y) {
  box[0] = Math.min(full[2] - box[2], Math.max(0, box[0] + x));
  box[1] = Math.min(full[3] - box[3], Math.max(0, box[1] + y));
  look();
}
const view = $("view"), pointers = new Map();
view.addEventListener("wheel", event => { event.preventDefault(); zoom(event.deltaY < 0 ? .8 : 1.25, event.clientX, event.clientY); }, { passive: false });
view.addEventListener("pointerdown", event => { pointers.set(event.pointerId, event); try { view.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ } });
for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, event => pointers.delete(event.pointerId));
view.addEventListener("pointermove", event => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const other = [...pointers.values()].find(p => p.pointerId !== event.pointerId);
  if (other) {
    const apart = p => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY) || 1;
    zoom(apart(last) / apart(event), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
  } else move((last.clientX - event.clientX) * scale(), (last.clientY - event.clientY) * scale());
  pointers.set(event.pointerId, event);
});
$("nearer").addEventListener("click", () => zoom(.8));
$("further").addEventListener("click", () => zoom(1.25));
$("whole").addEventListener("click", () => { box = full.slice(); look(); });
$("before").addEventListener("click", () => go(-1));
$("after").addEventListener("click", () => go(1));
$("close").addEventListener("click", () => $("big").close());
$("big-run").addEventListener("input", () => open(opened.id, Number($("big-run").value)));
$("big").addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  const step = box[2] / 8;
  const keys = { "+": () => zoom(.8), "=": () => zoom(.8), "-": () => zoom(1.25), "0": () => $("whole").click(), ArrowLeft: () => move(-step, 0), ArrowRight: () => move(step, 0), ArrowUp: () => move(0, -step), ArrowDown: () => move(0, step),
    t: () => toggle("truth", document.body.classList.contains("no-truth")), f: () => toggle("found", document.body.classList.contains("no-found")), n: () => go(1), p: () => go(-1) };
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { act(); event.preventDefault(); }
});
$("big").addEventListener("close", () => {
  history.replaceState(null, "", location.pathname + location.search);
  document.querySelector(`.card[data-id="${CSS.escape(opened.id)}"]`)?.focus();
});
for (const id of ["run", "organ", "least", "most", "search", "order"]) $(id).addEventListener("input", show);
if (Object.keys(images).length === 0) {
  $("controls").hidden = true;
  $("cards").append(element("p", {}, "No image is drawn here: the report was made without pictures, or nothing could be scored."));
} else show();
// A link with an image opens at it; another part's link is the browser's own business.
function follow() {
  const asked = new URLSearchParams(location.hash.slice(1)), id = asked.get("image");
  if (id === null || !images[id]) return;
  const named = runs.findIndex(run => run.name === asked.get("run"));
  const run = named >= 0 && score(id, named) ? named : runs.findIndex(run => run.images.some(s => s.id === id));
  if (run >= 0) open(id, run);
}
addEventListener("hashchange", follow);
follow();
