// Which addresses in agents' words become links.

/** The address if it is one of the web, in full; else null. */
export function webAddress(href: string): string | null {
  // URL() forgives tabs and spaces in "java script:", so it decides; what it made of it is what is linked.
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
}

/** Whether an address leads to the computer that it is opened on. `URL` writes 127.1, 0x7f000001 and 2130706433 as 127.0.0.1. */
export function isLoopback(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const host = new URL(address).hostname.replace(/\.$/, "");
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\]|\[::ffff:0:0\])$/.test(host);
}
