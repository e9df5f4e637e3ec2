// Which of the lines that wrangler prints in development say something.

const NOISE = [
  /^\s*$/,
  /GET \/health 200/,
  /^\[custom build\]( Running:.*)?\s*$/,
  /Reloading local server/,
  /Logs were written to/,
  // Without a network it asks for its own place in the world in vain, with a stack.
  /Unable to fetch the `Request.cf` object|ENOTFOUND workers\.cloudflare\.com|GetAddrInfoReqWrap/,
];

/** A filter for one run of wrangler: `keep(line)`. */
export function newsOnly() {
  let inDump = false;
  return (/** @type {string} */ line) => {
    // After a failed build, whose output is shown as it comes, wrangler shows all of it once more as an inspected error.
    if (/\[Error\]: Process exited with non-zero status/.test(line)) inDump = true;
    if (/Running custom build .* failed/.test(line)) inDump = false;
    return !inDump && !NOISE.some((pattern) => pattern.test(line));
  };
}
