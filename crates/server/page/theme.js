/**
 * The theme of the page: light, dark, or that of the system. This is a plain script in the head, not a module, because
 * the theme must be set before the page is first painted: otherwise a dark page would first flash white.
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
      // Storage is forbidden here; the choice then lasts as long as the page.
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
