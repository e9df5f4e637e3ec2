// Line icons on a 16 × 16 grid, decoration only: the words beside them say everything.

const paths = {
  Read: "M3 2.5h6l4 4v7H3zM9 2.5v4h4M5.5 9h5M5.5 11.2h3.5",
  Write: "M3 2.5h6l4 4v7H3zM9 2.5v4h4M8 8.2v4M6 10.2h4",
  Edit: "M10.8 2.8l2.4 2.4-7.6 7.6-3 .6.6-3zM9 4.6L11.4 7",
  Bash: "M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10h3",
  Grep: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3L14 14",
  Glob: "M1.8 4h4.4l1.6 1.6h6.4V13H1.8z",
  WebFetch: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM2 8h12M8 2c3.6 3.7 3.6 8.3 0 12M8 2C4.4 5.7 4.4 10.3 8 14",
  WebSearch: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM2 8h12M8 2c3.6 3.7 3.6 8.3 0 12M8 2C4.4 5.7 4.4 10.3 8 14",
  Task: "M4 2v9a2 2 0 0 0 2 2h5M4 6h7M11 4l2 2-2 2M11 11l2 2-2 2",
  Todo: "M2.5 4.2l1.3 1.3 2.2-2.6M2.5 11l1.3 1.3L6 9.7M8.5 4.5h5M8.5 11.3h5",
  Mcp: "M5.5 2v3.5M10.5 2v3.5M3.5 5.5h9V8a4.5 4.5 0 0 1-9 0zM8 12.5V15",
  Other: "M13.2 4.4a3.6 3.6 0 0 1-4.8 4.4l-4.6 4.6-1.9-1.9 4.6-4.6a3.6 3.6 0 0 1 4.4-4.8L8.8 4.2l.6 2.4 2.4.6z",
  say: "M2.5 3h11v8H7.2L4 13.6V11H2.5z",
  thinking: "M5.6 11.2A4.6 4.6 0 1 1 10.4 11.2V13H5.6zM6.4 15h3.2",
  user: "M8 2.5a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4zM2.8 14a5.2 5.2 0 0 1 10.4 0",
  lines: "M3 4.5h10M3 8h10M3 11.5h6",
  status: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
  session: "M3.5 14V2.5h7V14M2 14h12M8.2 8.2v.4M10.5 5H13v9",
  file: "M3.5 2h5.8l3.2 3.2V14h-9zM9 2v3.5h3.5",
  error: "M8 2.2L14.4 13.4H1.6zM8 6.4v3.4M8 11.5v.3",
  notice: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 7.2v4M8 4.8v.3",
  run: "M4 14.5V2M4 2.6h8.4L10.6 5.6l1.8 3H4",
  order: "M3.5 3h9v11h-9zM6 1.8h4v2.4H6zM6 7.5h4M6 10.3h4",
  end: "M4 14.5V2M4 2.6h8.4L10.6 5.6l1.8 3H4",
  gap: "M2 8h3M11 8h3M6.5 11.5l3-7",
  question: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM6.2 6.4a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.2M8 11.3v.3",
  unknown: "M5.5 2.5c-3 0-.6 4.6-3 5.5 2.4.9 0 5.5 3 5.5M10.5 2.5c3 0 .6 4.6 3 5.5-2.4.9 0 5.5-3 5.5",
  check: "M3 8.5l3.2 3.2L13 4.8",
  cross: "M4 4l8 8M12 4l-8 8",
  chevron: "M6 3.5L10.5 8 6 12.5",
  back: "M10 3L5 8l5 5",
  stop: "M4 4h8v8H4z",
  remove: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M7 7v3.5M9 7v3.5",
  archive: "M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 8.8h3",
  play: "M4.8 3l8 5-8 5z",
  plus: "M8 3v10M3 8h10",
  down: "M8 3v10M4 9l4 4 4-4",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3L14 14",
  filter: "M2 3.5h12L9.5 8.8v4.2l-3-1.5V8.8z",
  pause: "M5 3v10M11 3v10",
  up: "M4 10l4-4 4 4",
  numbers: "M3 13V9M6.5 13V4M10 13V7M13.5 13V2.5",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1.2 1.4H2.8zM6.8 14h2.4",
  bell_off: "M4 11V7a4 4 0 0 1 6.6-3M12 7.4V11l1.2 1.4H2.8L4 11M6.8 14h2.4M2.5 14L13.5 2.5",
  key: "M5 8.2a2.9 2.9 0 1 1 0 5.6 2.9 2.9 0 0 1 0-5.6zM7 9L13 3M10.6 5.4l2 2M12.2 3.8l1.4 1.4",
  lantern: "M6 3.4a2 2 0 0 1 4 0M4.6 5.6L6 3.4h4l1.4 2.2zM5.4 5.6v6M10.6 5.6v6M4.4 11.6h7.2L11 14H5zM8 7c.9.9 1.2 1.4 1.2 2a1.2 1.2 0 0 1-2.4 0c0-.6.3-1.1 1.2-2z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, class: extra = "" }: { name: IconName; class?: string }) {
  return (
    <svg class={`icon ${extra}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** A tool's icon by its category; categories of a newer server have the general one. */
export function toolIcon(category: string): IconName {
  return Object.hasOwn(paths, category) ? (category as IconName) : "Other";
}
