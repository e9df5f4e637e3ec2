// Which addresses in agents' words become links.

/** The address if it is one of the web, in full; else null. */
export function webAddress(href: string): string | null {
  // URL() forgives tabs and spaces in "java script:", so it decides; what it made of it is what is linked.
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
}
