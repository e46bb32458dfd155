"use strict";
// Plain text order is the reader's alphabet; a cell without a number goes last either way.
function order(column, numeric, direction) {
  return (a, b) => {
    const x = a.cells[column], y = b.cells[column];
    if (!numeric) return direction * x.textContent.localeCompare(y.textContent);
    const p = parseFloat(x.dataset.sort), q = parseFloat(y.dataset.sort);
    if (isNaN(p) || isNaN(q)) return isNaN(p) - isNaN(q);
    return direction * (p - q);
  };
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const body = table.tBodies[0];
    const numeric = [...body.rows].some((row) => row.cells[column].dataset.sort !== undefined);
    body.append(...[...body.rows].sort(order(column, numeric, direction)));
  }));
}
for (const box of document.querySelectorAll("input[data-table]")) {
  const rows = document.getElementById(box.dataset.table).tBodies[0].rows;
  box.addEventListener("input", () => {
    // Accents do not matter: "emile" finds "Émile".
    const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of rows) {
      const text = plain(row.textContent);
      row.hidden = !words.every((word) => text.includes(word));
      found += !row.hidden;
    }
    box.parentElement.querySelector(".found").textContent =
      words.length ? found + " of " + rows.length : "";
  });
}
for (const tool of document.querySelectorAll(".pairs")) {
  const codes = Uint8Array.from(atob(tool.dataset.codes), (c) => c.charCodeAt(0));
  const [first, second] = tool.querySelectorAll("select");
  const n = first.options.length;
  // The half above the diagonal of the table of all pairs, row by row.
  const above = (i, j) => codes[i * n - (i * (i + 1)) / 2 + j - i - 1];
  const words = (p) => (p === 0 ? "under 1" : p === 100 ? "over 99" : p) + "\u00a0%";
  const show = () => {
    const i = first.selectedIndex, j = second.selectedIndex;
    const p = i < j ? above(i, j) : 100 - above(j, i);
    tool.querySelector("output").textContent = i === j ? "Choose two different legislators." :
      `${first.value} ${tool.dataset.relation} ${second.value} with a probability of ${words(p)}.`;
  };
  tool.addEventListener("change", show);
  show();
  tool.hidden = false;
}
// A sandboxed frame may refuse to follow a link, even one into the same page.
for (const link of document.querySelectorAll("nav a")) {
  link.addEventListener("click", (event) => {
    const target = document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    target.scrollIntoView();
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
  });
}
window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
});
