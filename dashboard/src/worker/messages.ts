// What the page and its worker say to each other. The worker does what may take long or never end when the text was
// made to be so: the page waits a while and else shows the text as it is.

export type Work =
  | { readonly kind: "markdown"; readonly text: string }
  | { readonly kind: "highlight"; readonly language: string; readonly code: string }
  | { readonly kind: "diff"; readonly before: string; readonly after: string }
  | { readonly kind: "json"; readonly text: string };

export interface Results {
  markdown: readonly MarkdownNode[];
  /** Null: no language that is known. */
  highlight: readonly Token[] | null;
  diff: readonly DiffLine[];
  /** The JSON that the text is; null: none. */
  json: string | null;
}

export interface Request {
  readonly id: number;
  readonly work: Work;
}

export interface Response {
  readonly id: number;
  /** Null where the work failed. */
  readonly result: Results[keyof Results] | null;
}

/** A piece of code and what it is, as highlight.js names it; "" where it is nothing special. */
export type Token = readonly [what: string, text: string];

/** A text's structure. Nothing in it can run or be fetched: all that an agent wrote is text, links have a checked address. */
export type MarkdownNode =
  | string
  | { readonly kind: "element"; readonly tag: MarkdownTag; readonly children: readonly MarkdownNode[]; readonly start?: number }
  | { readonly kind: "link"; readonly address: string; readonly children: readonly MarkdownNode[] }
  /** A link that leads nowhere safe, or an image: what it says, and its address as text. */
  | { readonly kind: "reference"; readonly children: readonly MarkdownNode[]; readonly address: string }
  | { readonly kind: "code"; readonly language: string; readonly code: string }
  | { readonly kind: "task"; readonly done: boolean };

export const MARKDOWN_TAGS = [
  "p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "br",
  "strong", "em", "del", "code",
] as const;
export type MarkdownTag = (typeof MARKDOWN_TAGS)[number];

/** `hole`: lines that are the same before and after are left out here. */
export interface DiffLine {
  readonly kind: "same" | "added" | "removed" | "hole";
  readonly text: string;
}
