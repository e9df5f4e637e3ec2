// A browser's own `EventSource`, by each right that a page may have to a stream: it gets history and live events, and comes
// back by itself where it was when the wire breaks, and when the server dies and is there again. All of them live through
// the same story at the same time.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { Cable } from "../worker/cable.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { freePort } from "../worker/processes.mjs";
import { sleep, until } from "../worker/until.mjs";
import { launch, openPage } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

/**
 * Whose page it is, and what it opens. `own` is the Worker's own page; `neighbour` one of the same site on another port, to
 * which the browser sends the dashboard's cookie; `foreign` one of another site. `isEarly` is there before anything happens.
 *
 * @type {{ [name: string]: any }}
 */
const READERS = {
  "by the cookie": { at: "own", signedIn: true },
  "by the cookie, from another port, with credentials": { at: "neighbour", signedIn: true, withCredentials: true },
  "by a ticket": { at: "own", ticket: true },
  "by a ticket, from another site": { at: "foreign", ticket: true },
  "by a ticket, events only": { at: "own", ticket: true, query: { format: "flat" }, isEarly: true },
  "by a ticket, without names": { at: "own", ticket: true, query: { named: "false" } },
};

describe("a browser's EventSource", { skip }, () => {
  let world;
  let town;
  let cable;
  let others;
  let browser;
  let places;
  const posted = [];
  const readers = {};
  const note = async (data) => {
    must(await world.post(town, "poster", [{ event_type: "note", data }]), 201);
    posted.push(data);
  };
  const seenBy = (name) => readers[name].page.evaluate(() => ({ ...window.seen, readyState: window.source?.readyState }));
  /** Waits until all are so far; which is not, its own test says. */
  const settle = async (isThere) => {
    const all = Object.keys(readers);
    await until("all readers", async () => (await Promise.all(all.map(seenBy))).every(isThere), 30_000).catch(() => {});
  };
  const settled = () => settle(({ notes }) => notes.length >= posted.length);

  /** A page, signed in if it has to be. */
  const pageAt = async ({ at, signedIn }) => {
    const { page, context } = await openPage(browser, places[at]);
    page.setDefaultTimeout(20_000);
    if (signedIn) {
      await page.goto(await world.link("/", cable.url));
      await page.getByRole("button", { name: /start the demo agent/i }).waitFor();
    }
    await page.goto(at === "own" ? `${places.own}/favicon.svg` : places[at]);
    assert.equal((await context.cookies()).length, signedIn ? 1 : 0);
    return page;
  };
  /** Opens a stream in a page; all that it does is in `window.seen`. */
  const openIn = (page, address, withCredentials = false) =>
    page.evaluate(
      ([url, init]) => {
        window.seen = { opened: 0, resets: [], caughtUp: 0, states: 0, ids: [], notes: [] };
        const source = new EventSource(url, init);
        source.onopen = () => (window.seen.opened += 1);
        source.addEventListener("hello", ({ data }) => window.seen.resets.push(JSON.parse(data).reset));
        source.addEventListener("caught_up", () => (window.seen.caughtUp += 1));
        source.addEventListener("state", () => (window.seen.states += 1));
        const noted = ({ data, lastEventId }) => {
          const { id, data: said } = JSON.parse(data);
          window.seen.ids.push([id, lastEventId]);
          window.seen.notes.push(said);
        };
        source.addEventListener("note", noted);
        source.onmessage = noted;
        window.source = source;
      },
      [cable.url + address, { withCredentials }],
    );

  before(async () => {
    const port = await freePort();
    places = { neighbour: `http://127.0.0.1:${port}`, foreign: `http://localhost:${port}` };
    world = await startWorld({ vars: { ALLOWED_ORIGINS: `${places.neighbour},${places.foreign}` } });
    town = await world.town();
    await world.registerAgent(town, "poster");
    cable = await Cable.lay(() => Number(new URL(world.url).port));
    places.own = cable.url;
    others = http.createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>Another</title>"));
    await new Promise((resolve) => others.listen(port, resolve));
    browser = await launch(chromium);
    for (const [name, reader] of Object.entries(READERS)) readers[name] = { page: await pageAt(reader) };
    const openAll = async (early) => {
      for (const [name, { ticket, query, withCredentials, isEarly = false }] of Object.entries(READERS)) {
        if (isEarly !== early) continue;
        const asked = new URLSearchParams({ ...query, ...(ticket && { ticket: await world.ticket(town.stream) }) });
        await openIn(readers[name].page, `${town.stream}?${asked}`, withCredentials);
      }
      await settle(({ opened, readyState }) => opened === undefined || readyState === 1);
    };
    const away = () => settle(({ opened, readyState }) => opened === undefined || readyState === 0);
    await openAll(true);
    await sleep(300); // the first block is there, too
    for (let reset = 1; reset <= 2; reset += 1) {
      cable.reset();
      await away();
      cable.mend();
      await settle(({ opened }) => opened === undefined || opened === 1 + reset);
    }
    for (let number = 0; number < 5; number += 1) await note(`before ${number}`);
    await openAll(false);
    await settled();
    for (let number = 0; number < 3; number += 1) await note(`live ${number}`);
    await settled();
    cable.reset();
    await away();
    await note("while the wire is cut");
    cable.mend();
    await settled();
    for (let round = 1; round <= 2; round += 1) {
      await world.worker.kill();
      await away();
      await world.worker.start();
      await note(`while it is away ${round}`);
      await settled();
      await note(`when it is back ${round}`);
      await settled();
    }
    await sleep(300); // what comes twice comes now
  });
  after(async () => {
    await browser?.close();
    others?.closeAllConnections();
    others?.close();
    await cable?.stop();
    await world?.stop();
  });

  for (const [name, { ticket, query, isEarly }] of Object.entries(READERS)) {
    it(`${name}: comes back by itself, and misses nothing and gets nothing twice`, async () => {
      const { notes, ids, resets, states, caughtUp, opened, readyState } = await seenBy(name);
      assert.deepEqual(notes, posted);
      assert.ok(opened >= (isEarly ? 6 : 4), `opened ${opened} times`);
      assert.equal(readyState, 1);
      for (const [id, lastEventId] of ids) assert.match(lastEventId, ticket ? new RegExp(`^${id}~[0-9a-f]{32}$`) : new RegExp(`^${id}$`));
      const isFlat = query?.format === "flat";
      assert.deepEqual([resets, caughtUp > 0, states > 0], isFlat ? [[], false, false] : [Array(opened).fill(false), true, true]);
    });
  }

  it("is refused without a right to it: the address of a used ticket, another port's page without credentials", async () => {
    const ticket = await world.ticket(town.stream);
    const address = `${town.stream}?ticket=${ticket}`;
    const tries = [
      ["own", address, 1],
      ["own", address, 2],
      ["neighbour", town.stream, 2],
    ];
    for (const [at, tried, expected] of tries) {
      const page = await pageAt({ at, signedIn: at === "neighbour" });
      await openIn(page, tried);
      await until("an answer", async () => (await page.evaluate(() => window.source.readyState)) !== 0);
      assert.equal(await page.evaluate(() => window.source.readyState), expected, `${at} ${tried}`);
      await page.context().close();
    }
  });
});
