"use strict";
// Shows the values of all lines at the place of the pointer. Everything else works without it.
(function () {
  const tip = document.getElementById("tip");
  const lines = new WeakMap();
  // Points of the path in the plot's own units, with the values that stand beside it.
  function read(line) {
    if (!lines.has(line)) {
      const places = line.querySelector("path").getAttribute("d").match(/[ML][^ML]+/g)
        .map((part) => parseFloat(part.slice(1)));
      const values = line.dataset.values.split(",").map((pair) => pair.split(" ").map(Number));
      lines.set(line, { places, values });
    }
    return lines.get(line);
  }
  function nearest(places, x) {
    let best = 0;
    places.forEach((place, at) => {
      if (Math.abs(place - x) < Math.abs(places[best] - x)) best = at;
    });
    return best;
  }
  function percentile(nines) {
    const digits = Math.max(1, Math.ceil(nines - 1e-9) - 1);
    return "p" + String(Number((100 * (1 - Math.pow(10, -nines))).toFixed(digits)));
  }
  function hide(svg) {
    tip.hidden = true;
    svg.querySelectorAll(".cursor").forEach((cursor) => cursor.remove());
  }
  function show(svg, event) {
    const box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal;
    const x = (event.clientX - box.left) * view.width / box.width;
    const rows = [];
    let place = null, head = "";
    svg.querySelectorAll(".line").forEach((line) => {
      if (getComputedStyle(line).display === "none") return;
      const { places, values } = read(line);
      const at = nearest(places, x);
      if (Math.abs(places[at] - x) > 30) return;
      if (place === null) {
        place = places[at];
        head = svg.dataset.unit === "percentile" ? percentile(values[at][0]) : values[at][0] + " " + svg.dataset.unit;
      }
      rows.push((line.dataset.name + "  " + values[at][1]).trim());
    });
    hide(svg);
    if (place === null) return;
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "path");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("d", "M" + place + " 34V" + (view.height - 26));
    svg.appendChild(cursor);
    tip.textContent = [head].concat(rows).join("\n");
    tip.hidden = false;
    const left = event.clientX + 14, width = tip.offsetWidth;
    tip.style.left = Math.max(4, left + width > innerWidth ? event.clientX - width - 14 : left) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)) + "px";
  }
  document.querySelectorAll("svg.plot").forEach((svg) => {
    svg.addEventListener("pointermove", (event) => show(svg, event));
    svg.addEventListener("pointerdown", (event) => show(svg, event));
    svg.addEventListener("pointerleave", () => hide(svg));
  });
})();
