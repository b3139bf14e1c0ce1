/**
 * How the two browsers are launched: those that the system has, not builds of Playwright's own.
 *
 * Firefox is the stock one, driven over WebDriver BiDi, which Playwright does under its `moz-…` channels. Playwright is
 * pinned to 1.64: from 1.65 on it needs a BiDi command (`emulation.setMediaFeaturesOverride`) that Firefox ESR 153 lacks,
 * and cannot open a page there.
 */
import { existsSync } from "node:fs";

const CHROMIUM = [process.env.TEST_FANFARE_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FIREFOX = [process.env.TEST_FANFARE_FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"];

const LAUNCH_TIMEOUT_MS = 30_000;

const CHROMIUM_ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // The sandbox refuses to run as root, which is who tests run as in a container.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/**
 * @param {"chromium" | "firefox"} name
 * @param {{isDark?: boolean}} [system] whether the system's theme is dark; BiDi of Firefox ESR cannot say so later
 * @returns {import("@playwright/test").LaunchOptions}
 */
export function launchOptions(name, { isDark = false } = {}) {
  const common = { headless: true, timeout: LAUNCH_TIMEOUT_MS };
  if (name === "chromium") return { ...common, executablePath: installed("Chromium", CHROMIUM), args: CHROMIUM_ARGUMENTS };
  return {
    ...common,
    channel: "moz-firefox",
    executablePath: installed("Firefox", FIREFOX),
    firefoxUserPrefs: { "layout.css.prefers-color-scheme.content-override": isDark ? 0 : 1 },
  };
}

function installed(name, places) {
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error(`${name} is not installed in any of: ${places.filter(Boolean).join(", ")}. See FANFARE_${name.toUpperCase()}`);
  return found;
}
