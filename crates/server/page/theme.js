/**
 * Light, dark, or as the system has it. A plain script in the head, not a module: it must have spoken before the first
 * paint, or a dark page would flash white.
 */
(() => {
  const KEY = "fanfare.theme";
  const NEXT = { system: "light", light: "dark", dark: "system" };
  const root = document.documentElement;

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage is forbidden here; the choice then lasts as long as the page.
    }
  };
  const store = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // As above.
    }
  };
  const choose = (theme) => {
    root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) button.setAttribute("aria-label", `Theme: ${theme}. Change to ${NEXT[theme]}`);
    dispatchEvent(new Event("themechange"));
  };

  choose(stored() in NEXT ? stored() : "system");
  addEventListener("DOMContentLoaded", () => {
    choose(root.dataset.theme);
    document.getElementById("theme").addEventListener("click", () => {
      choose(NEXT[root.dataset.theme]);
      store(root.dataset.theme);
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("themechange")));
})();
