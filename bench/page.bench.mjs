// How smoothly the dashboard scrolls: 50 agents with 2,000 events of mixed sizes each, all in the tab, while 200 more
// arrive a second; and the longest frame when 2,000 arrive at once.
//
//   npm run bench -- page        (or, after npm run build: node bench/page.bench.mjs)
//
// The list is the town's, with all agents' rows in one; every fifth row that comes into sight is opened. Fails if
// fewer than 95 of 100 frames take 17 ms or less while it scrolls, or if a frame of the burst takes 50 ms or more.
// Browser, Worker and poster share this machine, so the bound is on the time that the page's own main thread takes
// (Chromium's trace), and what the screen got is printed beside it.

import { findChromium } from "../scripts/lib/chromium.mjs";
