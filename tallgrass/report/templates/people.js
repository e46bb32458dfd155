{
  const cards = new Map([...document.querySelectorAll(".cards article")].map((a) => [a.id, a]));
  const marks = document.querySelectorAll("[data-who]");
  const form = document.getElementById("filter"), dialog = document.getElementById("card");

  // "12, 20-35": single districts, and spans of numbered ones.
  const inDistricts = (wanted, district) => wanted.some((part) => {
    const span = part.match(/^(\d+)\s*-\s*(\d+)$/);
    if (!span) return part === district.toLowerCase();
    return /^\d+$/.test(district) && +span[1] <= +district && +district <= +span[2];
  });
  const filter = () => {
    const party = form.querySelector("select").value;
    const wanted = form.querySelector("input").value.toLowerCase().split(",")
      .map((part) => part.trim()).filter(Boolean);
    const isIn = (card) => (!party || card.dataset.party === party) &&
      (!wanted.length || inDistricts(wanted, card.dataset.district));
    let shown = 0;
    for (const card of cards.values()) {
      const inside = isIn(card);
      card.classList.toggle("out", !inside);
      shown += inside;
    }
    for (const mark of marks) {
      const card = cards.get(mark.dataset.who);
      mark.classList.toggle("out", Boolean(card && card.classList.contains("out")));
    }
    form.querySelector("output").textContent =
      party || wanted.length ? `${shown} of ${cards.size} legislators` : "";
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  const open = (card) => {
    const shown = card.cloneNode(true);
    shown.removeAttribute("id");
    dialog.querySelector("div").replaceChildren(...shown.childNodes);
    dialog.setAttribute("aria-label", card.querySelector("h3").textContent);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };
  document.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();  // beside the card
    const link = event.target.closest("a[href^='#who-']");
    const target = link ? link.getAttribute("href") : "";
    const card = cards.get(target.slice(1));
    if (!card) return;
    event.preventDefault();
    open(card);
  });
}
