// Marks a text wherever it stands in the document, without changing the document: the browser paints ranges
// (CSS Custom Highlight API). A browser that can not, does not; the rows are found all the same.

import { createContext } from "preact";
import { useEffect } from "preact/hooks";

/** What the reader looks for on this page, "" for nothing: parts that have it do not begin folded. */
export const Sought = createContext("");

/** Places that are marked at once; more are not in sight together. */
const PLACES_MAX = 2_000;

export function useHighlights(root: Element | null, text: string): void {
  useEffect(() => {
    if (root === null || text.trim() === "" || !("highlights" in CSS)) return;
    const highlight = new Highlight();
    CSS.highlights.set("found", highlight);
    let frame = 0;
    const mark = (): void => {
      frame = 0;
      highlight.clear();
      for (const range of rangesOf(root, text)) highlight.add(range);
    };
    const later = (): void => {
      if (frame === 0) frame = requestAnimationFrame(mark);
    };
    const observer = new MutationObserver(later);
    observer.observe(root, { childList: true, subtree: true, characterData: true });
    mark();
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      CSS.highlights.delete("found");
    };
  }, [root, text]);
}

function rangesOf(root: Element, text: string): Range[] {
  const sought = text.toLowerCase();
  const ranges: Range[] = [];
  const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node !== null && ranges.length < PLACES_MAX; node = nodes.nextNode()) {
    const content = (node.nodeValue ?? "").toLowerCase();
    // Some letters grow when made small, and then positions would not be the text's own.
    if (content.length !== node.nodeValue?.length) continue;
    for (let at = content.indexOf(sought); at >= 0; at = content.indexOf(sought, at + sought.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + sought.length);
      ranges.push(range);
    }
  }
  return ranges;
}
