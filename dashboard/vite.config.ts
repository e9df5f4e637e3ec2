import { defineConfig } from "vite";
import { favicons } from "./favicons.ts";

// Paths are relative to this folder: `vite build dashboard` and `vite build` inside it give the same.
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [favicons()],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    // One small page: preloading and inlining would only add code and loosen the content security policy.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
