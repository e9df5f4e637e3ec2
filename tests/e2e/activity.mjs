// What a person reads in a list of which only a window is in the document: these scroll through it and put it together.

import assert from "node:assert/strict";

/** All items of the list in their order, as `{key, kind, text}`; the list is scrolled from its beginning to its end. */
export function wholeList(page, name = "Activity") {
  return page.getByRole("region", { name }).evaluate(async (scroller) => {
    const painted = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const found = new Map();
    scroller.scrollTop = 0;
    for (let still = 0; still < 2; ) {
      await painted();
      const keys = [...scroller.querySelectorAll(".slot")].map((slot) => slot.dataset.key);
      if (new Set(keys).size < keys.length) throw new Error(`an item stands there twice: ${keys}`);
      for (const slot of scroller.querySelectorAll(".slot")) {
        found.set(slot.dataset.key, { kind: slot.querySelector(".row")?.classList[1] ?? "", text: slot.textContent });
      }
      const before = scroller.scrollTop;
      // More is in the document than is in sight.
      scroller.scrollTop += scroller.clientHeight * 1.4;
      await painted();
      still = Math.abs(scroller.scrollTop - before) < 1 ? still + 1 : 0;
    }
    return [...found].map(([key, item]) => ({ key, ...item }));
  });
}

/** Waits until the page is live, and has loaded what was before that. */
export async function untilAllIsHere(page) {
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByText("Loading earlier events…").first().waitFor({ state: "detached" });
}

/** Holds that the list's rows are what a recording of Claude Code says: each call, with how it went, and each text once. */
export function mustShowWork(items, { steps, results }) {
  const verbs = { Read: "Reading", Write: "Writing", Edit: "Editing" };
  const expected = steps.flatMap(({ kind, tool, input, text }) => {
    if (kind === "text") return [text.slice(0, 60).split("\n")[0]];
    if (kind !== "call") return [];
    return [tool === "Bash" ? `Running \`${input.command.slice(0, 20)}` : `${verbs[tool]} ${input.file_path.replace("/workspace/repo/", "")}`];
  });
  const shown = items.filter(({ kind }) => kind === "call" || kind === "say").map(({ text }) => text.replace(/^[\d:]+/, ""));
  assert.deepEqual(shown.map((text, index) => text.slice(0, expected[index]?.length ?? 60)), expected);
  const outcomes = steps.filter(({ kind }) => kind === "call").map(({ tool_use_id }) => results.find((one) => one.tool_use_id === tool_use_id)?.success);
  const shownOutcomes = items.filter(({ kind }) => kind === "call").map(({ text }) => ({ succeeded: true, failed: false })[/succeeded|failed/.exec(text)?.[0]]);
  assert.deepEqual(shownOutcomes, outcomes);
}

/** Where an item stands in the window, and whether it does: its text's first line is given. */
export function placeOf(page, text, name = "Activity") {
  return page.getByRole("region", { name }).evaluate((scroller, wanted) => {
    const slot = [...scroller.querySelectorAll(".slot")].find((one) => one.textContent.includes(wanted));
    if (slot === undefined) return null;
    const [own, window] = [slot.getBoundingClientRect(), scroller.getBoundingClientRect()];
    return { y: own.top - window.top, inSight: own.top < window.bottom && own.bottom > window.top };
  }, text);
}

/** Waits until the list has stood still for some frames: heights are measured, and nothing is about to move. */
export const settled = (page, name = "Activity") =>
  page.getByRole("region", { name }).evaluate(async (scroller) => {
    for (let still = 0, last = ""; still < 6; ) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = `${scroller.scrollTop} ${scroller.scrollHeight} ${scroller.clientWidth} ${scroller.querySelectorAll(".slot").length}`;
      still = now === last ? still + 1 : 0;
      last = now;
    }
  });

export const scrollBy = (page, pixels, name = "Activity") =>
  page.getByRole("region", { name }).evaluate((scroller, by) => void (scroller.scrollTop += by), pixels);
