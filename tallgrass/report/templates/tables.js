"use strict";
{
  // A name is ordered by its key, the last name; a cell without a number goes last either way.
  const key = (cell) => cell.dataset.sort ?? cell.textContent;
  const order = (column, numeric, direction) => (a, b) => {
    const x = a.cells[column], y = b.cells[column];
    if (!numeric) return direction * key(x).localeCompare(key(y));
    const p = parseFloat(x.dataset.sort), q = parseFloat(y.dataset.sort);
    if (isNaN(p) || isNaN(q)) return isNaN(p) - isNaN(q);
    return direction * (p - q);
  };
  const isNumber = (cell) => cell.dataset.sort !== undefined && !isNaN(cell.dataset.sort);

  // Not a button element: browsers leave those out of the heads that they repeat in print.
  const asButton = (head, act) => {
    const title = document.createElement("span");
    title.setAttribute("role", "button");
    title.tabIndex = 0;
    title.append(...head.childNodes);
    head.append(title);
    title.addEventListener("click", act);
    title.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      act();
    });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => asButton(head, () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      const body = table.tBodies[0];
      const numeric = [...body.rows].some((row) => isNumber(row.cells[column]));
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

  // Spreadsheets read numbers with a plain minus, and would run a text that begins like a formula.
  const field = (cell) => {
    const text = cell.textContent.trim().replace(/\u00a0/g, " ").replace(/^\u2212(?=\d)/, "-");
    const safe = /^[=+@\t\r]/.test(text) && !/^\+[\d.,]+$/.test(text) ? "'" + text : text;
    return /[",\n]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  };
  const isShown = (row) => !row.hidden && !row.classList.contains("out");
  const csv = (table) => [...table.rows].filter(isShown)
    .map((row) => [...row.cells].map(field).join(",")).join("\r\n") + "\r\n";

  const save = (table) => {
    const text = csv(table);
    if (window.parent !== window) {  // a sandboxed frame may not save files
      const dialog = document.getElementById("copy"), area = dialog.querySelector("textarea");
      area.value = text;
      dialog.showModal();
      area.select();
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv" }));
    link.download = table.id + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  for (const table of document.querySelectorAll("table.data")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "csv";
    button.textContent = "CSV";
    button.title = "Save the rows that are shown";
    button.setAttribute("aria-label", "CSV of the table: " + table.caption.textContent);
    button.addEventListener("click", () => save(table));
    table.caption.append(" ", button);
  }
}
