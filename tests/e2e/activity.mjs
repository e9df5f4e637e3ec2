// What a person reads in a list of which only a window is in the document: these scroll through it and put it together.

/** All items of the list in their order, as `{key, kind, text}`; the list is scrolled from its beginning to its end. */
export function wholeList(page, name = "Activity") {
  return page.getByRole("region", { name }).evaluate(async (scroller) => {
    const painted = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const found = new Map();
    scroller.scrollTop = 0;
    for (let still = 0; still < 2; ) {
      await painted();
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

/** Where an item stands in the window, and whether it does: its text's first line is given. */
export function placeOf(page, text, name = "Activity") {
  return page.getByRole("region", { name }).evaluate((scroller, wanted) => {
    const slot = [...scroller.querySelectorAll(".slot")].find((one) => one.textContent.includes(wanted));
    if (slot === undefined) return null;
    const [own, window] = [slot.getBoundingClientRect(), scroller.getBoundingClientRect()];
    return { y: own.top - window.top, inSight: own.top < window.bottom && own.bottom > window.top };
  }, text);
}

export const scrollBy = (page, pixels, name = "Activity") =>
  page.getByRole("region", { name }).evaluate((scroller, by) => void (scroller.scrollTop += by), pixels);
