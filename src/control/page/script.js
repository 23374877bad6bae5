// Fetches this page again and carries over what differs, node by node, so that a selection or the
// scroll position of a table survives. The server's rendering is the only template there is.
"use strict";
function carry(old, now) {
  if (old.isEqualNode(now)) return;
  const alike = old.nodeName === now.nodeName && old.childNodes.length === now.childNodes.length;
  if (!alike || old.nodeType !== Node.ELEMENT_NODE) { old.replaceWith(now); return; }
  for (const a of now.attributes) if (old.getAttribute(a.name) !== a.value) old.setAttribute(a.name, a.value);
  for (const a of [...old.attributes]) if (!now.hasAttribute(a.name)) old.removeAttribute(a.name);
  const nows = [...now.childNodes];
  [...old.childNodes].forEach((child, i) => carry(child, nows[i]));
}
async function update() {
  const stale = document.getElementById("stale");
  try {
    const answer = await fetch("/", { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["about", "numbers"]) carry(document.getElementById(id), page.getElementById(id));
    stale.hidden = true;
  } catch { stale.hidden = false; }
  setTimeout(update, document.hidden ? 10000 : 2000);
}
setTimeout(update, 2000);
