// The page of the service: sends a file and shows what was read. Values come from documents of unknown origin, so they
// are inserted as text (textContent), never as HTML; the content security policy forbids inline scripts besides.
"use strict";

const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const PAGE_UNITS = 1000; // of boxes: thousandths of the page's width and height

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function setStatus(text, isError) {
  byId("status").textContent = text;
  byId("status").className = isError ? "error" : "";
}

function headers() {
  const token = byId("token").value;
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function light(index, isLit) {
  for (const part of document.querySelectorAll(`[data-value="${index}"]`)) part.classList.toggle("lit", isLit);
}

function lightOn(part, index) {
  for (const [event, isLit] of [["mouseenter", true], ["mouseleave", false], ["focus", true], ["blur", false]]) {
    part.addEventListener(event, () => light(index, isLit));
  }
}

function showPages(reading) {
  const overlays = new Map();
  byId("pages").replaceChildren(...reading.pages.map((page) => {
    const frame = element("div", undefined, "page");
    const image = element("img");
    image.src = page.image;
    image.alt = `page ${page.page}`;
    const overlay = document.createElementNS(SVG, "svg");
    overlay.setAttribute("viewBox", `0 0 ${PAGE_UNITS} ${PAGE_UNITS}`);
    overlay.setAttribute("preserveAspectRatio", "none");
    overlays.set(page.page, overlay);
    frame.append(image, overlay);
    return frame;
  }));
  reading.values.forEach((value, index) => {
    for (const { page, box: [x0, y0, x1, y1] } of value.boxes) {
      const rect = document.createElementNS(SVG, "rect");
      for (const [name, side] of Object.entries({ x: x0, y: y0, width: x1 - x0, height: y1 - y0 })) {
        rect.setAttribute(name, side);
      }
      rect.dataset.value = index;
      if (value.doubts.length) rect.classList.add("doubt");
      const title = document.createElementNS(SVG, "title");
      title.textContent = `${value.path}: ${value.text}`;
      rect.append(title);
      lightOn(rect, index);
      overlays.get(page)?.append(rect);
    }
  });
}

function showValues(reading) {
  byId("rows").replaceChildren(...reading.values.map((value, index) => {
    const row = element("tr", undefined, value.doubts.length ? "doubt" : "");
    row.dataset.value = index;
    row.tabIndex = 0;
    const text = element("td", value.text);
    if (value.doubts.length) text.append(element("span", value.doubts.join("; "), "note"));
    const confidence = value.confidence === null ? "–" : value.confidence.toFixed(2);
    row.append(element("td", value.path, "path"), text, element("td", confidence));
    lightOn(row, index);
    row.addEventListener("click", () => {
      document.querySelector(`rect[data-value="${index}"]`)?.scrollIntoView({ block: "center", behavior: "smooth" });
    });
    return row;
  }));
}

function showSummary(reading) {
  const summary = byId("summary");
  summary.className = reading.needs_review ? "review" : "";
  const verdict = reading.needs_review ? "A person should look at it" : "Nothing speaks against the values";
  const list = element("ul");
  for (const reason of reading.review_reasons) list.append(element("li", reason));
  for (const sum of reading.broken_arithmetic) {
    list.append(element("li", `${sum.rule}: ${sum.path} is ${sum.read}, from the other amounts follows ${sum.expected}`));
  }
  summary.replaceChildren(element("strong", `${reading.file}: ${verdict}`), list);
}

async function send(file) {
  setStatus(`Reading ${file.name} …`, false);
  byId("result").hidden = true;
  const form = new FormData();
  form.append("file", file);
  try {
    const answer = await fetch("v1/documents?pictures=true", { method: "POST", body: form, headers: headers() });
    const body = await answer.json();
    if (!answer.ok) {
      setStatus(`${answer.status}: ${body.detail}`, true);
      return;
    }
    showSummary(body);
    showPages(body);
    showValues(body);
    byId("result").hidden = false;
    const { opening, reading } = body.seconds;
    setStatus(`${body.values.length} values in ${(opening + reading).toFixed(1)} s`, false);
  } catch (error) {
    setStatus(`No answer from the service: ${error.message}`, true);
  }
}

async function showReader() {
  const state = await (await fetch("readyz")).json();
  const { base, adapter, batch } = state.read_by;
  const name = adapter ? `adapter ${batch ? `of ${batch}, ` : ""}${adapter.slice(0, 12)}` : "no adapter";
  byId("reader").textContent = state.ready ? `Reader: ${base}, ${name}` : `Not ready: ${state.reason}`;
}

const drop = byId("drop");
for (const event of ["dragenter", "dragover"]) {
  drop.addEventListener(event, (dragged) => { dragged.preventDefault(); drop.classList.add("over"); });
}
for (const event of ["dragleave", "drop"]) drop.addEventListener(event, () => drop.classList.remove("over"));
drop.addEventListener("drop", (dropped) => {
  dropped.preventDefault();
  if (dropped.dataTransfer.files.length) send(dropped.dataTransfer.files[0]);
});
byId("file").addEventListener("change", (chosen) => {
  if (chosen.target.files.length) send(chosen.target.files[0]);
});
showReader().catch((error) => setStatus(`No answer from the service: ${error.message}`, true));
