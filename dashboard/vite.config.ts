import path from "node:path";
import { defineConfig } from "vite";
import { favicons } from "./favicons.ts";

// Paths are relative to this folder: `vite build dashboard` and `vite build` inside it give the same.
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [favicons()],
  // scripts/lib/terminal_build.mjs makes it.
  resolve: { alias: { "terminal-module": path.join(import.meta.dirname, "../target/terminal/townwatch_terminal.js") } },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    // One small page: preloading and inlining would only add code and loosen the content security policy.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
