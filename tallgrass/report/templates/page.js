{
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
  const label = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  prefersDark.addEventListener("change", label);
  label();

  document.getElementById("print").addEventListener("click", () => window.print());
  document.getElementById("print-brief")?.addEventListener("click", () => {
    root.classList.add("brief-only");
    window.print();
  });
  window.addEventListener("afterprint", () => root.classList.remove("brief-only"));
  document.getElementById("tools").hidden = false;

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
}
