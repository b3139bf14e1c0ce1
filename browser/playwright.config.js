import { defineConfig } from "@playwright/test";
import { launchOptions } from "./browsers.js";

const VIEWPORT = { width: 1440, height: 900 };

/** Each test runs in both browsers. All of it is bounded in time, and nothing is tried twice. */
export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  reporter: [["list"]],
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  globalTimeout: 15 * 60_000,
  expect: { timeout: 10_000 },
  use: { viewport: VIEWPORT, actionTimeout: 10_000, navigationTimeout: 15_000 },
  projects: ["chromium", "firefox"].map((name) => ({
    name,
    use: {
      browserName: name,
      // Firefox is launched by its channel, which Playwright takes from here and not from the launch options.
      channel: launchOptions(name).channel,
      launchOptions: launchOptions(name),
    },
  })),
});
