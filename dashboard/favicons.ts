// The tab's icons with a count: as many small files as there are counts, because the page's policy lets no script make one.

import type { Plugin } from "vite";

const COLOURS = { asks: "#f2b757", failed: "#e5584b", running: "#3fb5a8" } as const;
const COUNT_MAX = 10;
const LANTERN =
  "M6 3.4a2 2 0 0 1 4 0M4.6 5.6L6 3.4h4l1.4 2.2zM5.4 5.6v6M10.6 5.6v6M4.4 11.6h7.2L11 14H5zM8 7c.9.9 1.2 1.4 1.2 2a1.2 1.2 0 0 1-2.4 0c0-.6.3-1.1 1.2-2z";

function icon(colour: string, text: string): string {
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#1d232c"/>',
    `<path transform="translate(-.6 -.8) scale(.8)" d="${LANTERN}" fill="none" stroke="#f2b757" stroke-width="1.3" stroke-linecap="round" stroke-linejoin="round"/>`,
    `<circle cx="11" cy="11" r="5" fill="${colour}"/>`,
    `<text x="11" y="13.6" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="7.4" fill="#14181e">${text}</text></svg>`,
  ].join("");
}

export function favicons(): Plugin {
  return {
    name: "favicons",
    generateBundle() {
      for (const [kind, colour] of Object.entries(COLOURS)) {
        for (let count = 1; count <= COUNT_MAX; count += 1) {
          const text = count < COUNT_MAX ? String(count) : "9+";
          this.emitFile({ type: "asset", fileName: `favicons/${kind}-${count}.svg`, source: icon(colour, text) });
        }
      }
    },
  };
}
