// A long list of which only what is in sight is in the document.
//
// What is being read stays where it is: whatever changes above it, the item at the top of the window keeps its place
// (`#anchor`). Only who is at the end, and stays there, is taken along.

import type { ComponentChildren } from "preact";
import { Component, createRef } from "preact";
import type { GrowingList } from "../client/growing_list.ts";
import type { Keyed } from "../client/heights.ts";
import { Heights } from "../client/heights.ts";

interface VirtualListProps<Item extends Keyed> {
  readonly items: GrowingList<Item>;
  /** About how high it is, before it was ever seen. */
  readonly guess: (item: Item) => number;
  readonly render: (item: Item) => ComponentChildren;
  /** Whether it keeps to the end. The list asks for a change; its owner decides. */
  readonly following: boolean;
  readonly follow: (following: boolean) => void;
  readonly name: string;
  /** A log is read out as it grows, politely. */
  readonly live: "polite" | "off" | null;
  /** Is given the list while it is shown: a component's own `ref` never reaches it in Preact 11. */
  readonly handle?: { current: VirtualList<Item> | null };
  readonly above?: ComponentChildren;
  readonly below?: ComponentChildren;
}

/**
 * Items beyond the window's edge that are in the document, and how near the edge may come to the last of them. Of a larger
 * step a frame does too much, and with smaller ones the document is laid out more often than it pays.
 */
const MARGIN_PIXELS = 700;
const NEAR_PIXELS = 350;
/**
 * Who follows a burst is shown another window each frame, and most of that is gone in the next. So only what is in sight
 * and this much above it is made at once, and the rest of the margin when nothing was new for so long.
 */
const HASTE_PIXELS = 150;
const CALM_MS = 200;
/** Rounding of fractional scroll positions. */
const EXACT_PIXELS = 1.5;
/** Items that stand in for the anchor, should a filter take it away. */
const ANCHORS = 30;

interface Anchor {
  readonly key: string;
  readonly index: number;
  /** From the window's top to the item's. */
  y: number;
}

export class VirtualList<Item extends Keyed> extends Component<VirtualListProps<Item>> {
  readonly #scroller = createRef<HTMLDivElement>();
  readonly #space = createRef<HTMLDivElement>();
  readonly #shown = createRef<HTMLDivElement>();
  readonly #heights = new Heights();
  readonly #observer = new ResizeObserver((entries) => this.#resized(entries));
  readonly #observed = new Map<Element, string>();
  #first = 0;
  #last = -1;
  #anchors: Anchor[] = [];
  /** Where the window stood when this list last looked or set it, and how high it was. */
  #top = 0;
  #height = 0;
  #width = 0;
  /** As its owner last said; what was shown or held since then comes first. */
  #said = false;
  #following = false;
  #calm_timer: ReturnType<typeof setTimeout> | undefined;
  #isCalm = false;

  /** Shows the item, a little below the window's top, and keeps it there while heights become known. */
  show(key: string): boolean {
    const index = this.#heights.indexOf(key, 0);
    const scroller = this.#scroller.current;
    if (index < 0 || scroller === null) return false;
    const above = this.#heights.top(index) - (scroller.scrollTop - (this.#space.current?.offsetTop ?? 0));
    const isInSight = above >= 0 && this.#heights.top(index + 1) - this.#heights.top(index) + above <= scroller.clientHeight;
    this.#anchors = [{ key, index, y: isInSight ? above : Math.round(scroller.clientHeight / 4) }];
    this.#top = scroller.scrollTop;
    this.#following = false;
    this.#settle();
    return true;
  }

  /** From now on this item stays where it is, even at the end: it was opened to be read. */
  hold(element: Element): void {
    const slot = element.closest("[data-key]");
    const key = slot === null ? undefined : this.#observed.get(slot);
    if (slot === null || key === undefined || this.#scroller.current === null) return;
    const y = slot.getBoundingClientRect().top - this.#scroller.current.getBoundingClientRect().top;
    this.#anchors = [{ key, index: this.#heights.indexOf(key, this.#first), y }];
    this.#top = this.#scroller.current.scrollTop;
    this.#following = false;
  }

  /** Whether the last item's end is in sight. */
  get isAtEnd(): boolean {
    const scroller = this.#scroller.current;
    return scroller === null || scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop <= EXACT_PIXELS;
  }

  /**
   * Whether the reader moved up from the end. The browser moves the window up, too: to the new end where the list became
   * shorter, and by as much as the window itself became higher, and rows may follow before this list hears of it.
   */
  get #isLeft(): boolean {
    const scroller = this.#scroller.current;
    if (scroller === null || this.isAtEnd) return false;
    const grown = Math.max(0, scroller.clientHeight - this.#height);
    return scroller.scrollTop + grown < this.#top - EXACT_PIXELS;
  }

  override componentDidMount(): void {
    if (this.props.handle !== undefined) this.props.handle.current = this;
    if (this.#scroller.current !== null) this.#observer.observe(this.#scroller.current);
    this.#settle();
  }

  override componentDidUpdate(): void {
    this.#settle();
  }

  override componentWillUnmount(): void {
    clearTimeout(this.#calm_timer);
    this.#observer.disconnect();
  }

  /** Brings heights, window and document into line; renders again only if the window shows what is not rendered. */
  #settle(): void {
    // A reader who scrolled up a moment ago, and of whom no event has told yet, is not taken back.
    if (this.#following && this.#isLeft) {
      this.#following = false;
      this.#scrolled();
    }
    const following = this.#following;
    const scroller = this.#scroller.current;
    const space = this.#space.current;
    const shown = this.#shown.current;
    if (scroller === null || space === null || shown === null) return;
    // Reading first and writing then, so that the browser lays out once.
    const top = scroller.scrollTop;
    const before = space.offsetTop;
    this.#moveAnchors(top - this.#top);
    this.#observe(shown);
    for (const [element, key] of this.#observed) this.#measure(element, key);
    const { all } = this.props.items;
    space.style.height = `${this.#heights.total}px`;
    shown.style.transform = `translateY(${this.#heights.top(this.#first)}px)`;
    const target = this.#anchoredTop(before);
    this.#top = top;
    this.#height = scroller.clientHeight;
    if (following) {
      scroller.scrollTop = scroller.scrollHeight;
      this.#top = scroller.scrollTop;
    } else if (target !== null && Math.abs(target - top) > 0.5) {
      scroller.scrollTop = target;
      this.#top = scroller.scrollTop;
    }
    if (following) this.#takeAnchors();
    const y = this.#top - before;
    const needed = this.#range(y, scroller.clientHeight, following ? 0 : NEAR_PIXELS);
    const enough = this.#first <= needed.first && this.#last >= needed.last && this.#last < all.length;
    clearTimeout(this.#calm_timer);
    if (!enough) this.forceUpdate();
    else if (this.#first > this.#range(y, scroller.clientHeight, NEAR_PIXELS).first) this.#completeWhenCalm();
  }

  #completeWhenCalm(): void {
    this.#calm_timer = setTimeout(() => {
      this.#isCalm = true;
      this.forceUpdate();
    }, CALM_MS);
  }

  /** The items from `margin` above the window to `margin` below it. */
  #range(y: number, height: number, margin: number): { first: number; last: number } {
    return { first: Math.max(0, this.#heights.at(y - margin)), last: this.#heights.at(y + height + margin) };
  }

  #anchoredTop(before: number): number | null {
    for (const { key, index, y } of this.#anchors) {
      const now = this.#heights.indexOf(key, index);
      if (now >= 0) return before + this.#heights.top(now) - y;
    }
    return null;
  }

  /** The reader scrolled: what is anchored moved along. */
  #moveAnchors(moved: number): void {
    if (moved !== 0) for (const anchor of this.#anchors) anchor.y -= moved;
  }

  #takeAnchors(): void {
    const { all } = this.props.items;
    const y = this.#top - (this.#space.current?.offsetTop ?? 0);
    const first = this.#heights.at(y);
    this.#anchors = all
      .slice(Math.max(0, first), first + ANCHORS)
      .map(({ key }, offset) => ({ key, index: first + offset, y: this.#heights.top(first + offset) - y }));
  }

  #scrolled = (): void => {
    const scroller = this.#scroller.current;
    if (scroller === null) return;
    const moved = scroller.scrollTop - this.#top;
    if (Math.abs(moved) > EXACT_PIXELS) {
      const isLeft = this.#isLeft;
      [this.#top, this.#height] = [scroller.scrollTop, scroller.clientHeight];
      this.#takeAnchors();
      // Content that grows also moves the end away: only a reader who moved up has left it.
      if (this.isAtEnd) this.props.follow(true);
      else if (isLeft) this.props.follow(false);
    }
    const y = scroller.scrollTop - (this.#space.current?.offsetTop ?? 0);
    const needed = this.#range(y, scroller.clientHeight, NEAR_PIXELS);
    if (needed.first < this.#first || needed.last > this.#last) this.forceUpdate();
  };

  #observe(shown: HTMLElement): void {
    const gone = new Set(this.#observed.keys());
    for (const element of shown.children) {
      if (!gone.delete(element)) {
        this.#observed.set(element, element.getAttribute("data-key") ?? "");
        this.#observer.observe(element);
      }
    }
    for (const element of gone) {
      this.#observed.delete(element);
      this.#observer.unobserve(element);
    }
  }

  #measure(element: Element, key: string): boolean {
    const index = this.#heights.indexOf(key, this.#first);
    return index >= 0 && this.#heights.measure(index, element.getBoundingClientRect().height);
  }

  #resized(entries: readonly ResizeObserverEntry[]): void {
    const scroller = this.#scroller.current;
    let changed = false;
    for (const { target } of entries) {
      const key = this.#observed.get(target);
      if (key !== undefined) changed = this.#measure(target, key) || changed;
    }
    if (scroller !== null && scroller.clientWidth !== this.#width) {
      if (this.#width > 0) this.#heights.forget();
      this.#width = scroller.clientWidth;
      changed = true;
    }
    if (entries.some(({ target }) => target === scroller)) changed = true;
    if (changed) this.#settle();
  }

  override render() {
    const { items, guess, render, following, name, live, above, below } = this.props;
    const scroller = this.#scroller.current;
    if (this.#said !== following) [this.#said, this.#following] = [following, following];
    this.#heights.update(items, (index) => {
      const item = items.all[index];
      return item === undefined ? 0 : guess(item);
    });
    const height = scroller?.clientHeight ?? 800;
    const y = (scroller?.scrollTop ?? 0) - (this.#space.current?.offsetTop ?? 0);
    const range = this.#wanted(y, height);
    [this.#first, this.#last] = [range.first, range.last];
    this.#isCalm = false;
    return (
      <div class="scroller" ref={this.#scroller} onScroll={this.#scrolled} tabIndex={0} role="region" aria-label={name}>
        <div class="rows" {...(live === null ? {} : { role: "log", "aria-live": live })}>
          {above}
          <div class="list-space" ref={this.#space}>
            <div class="list-shown" ref={this.#shown}>
              {items.all.slice(range.first, range.last + 1).map((item) => (
                <div key={item.key} data-key={item.key} class="slot">
                  {render(item)}
                </div>
              ))}
            </div>
          </div>
          {below}
        </div>
      </div>
    );
  }

  /** Who follows sees the end whatever the heights; who does not, what is anchored. */
  #wanted(y: number, height: number): { first: number; last: number } {
    if (!this.#following) return this.#range(this.#anchoredTop(0) ?? y, height, MARGIN_PIXELS);
    const end = this.#heights.total - height;
    const whole = this.#range(end, height, MARGIN_PIXELS);
    if (this.#isCalm) return whole;
    // What is in the document already costs nothing, and stays as far as the margin goes.
    const { first } = this.#range(end, height, HASTE_PIXELS);
    const isJoined = this.#last >= first - 1;
    return { first: isJoined ? Math.max(whole.first, Math.min(first, this.#first)) : first, last: whole.last };
  }
}
