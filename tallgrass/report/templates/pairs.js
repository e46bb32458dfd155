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
