// A failure that is not a bug of these scripts: shown without a stack, with what to do about it.

export class Problem extends Error {
  /**
   * `remedy` says what to do; `output` is what the failing command printed.
   *
   * @param {string} message
   */
  constructor(message, { remedy = "", output = "" } = {}) {
    super(message);
    this.remedy = remedy;
    this.output = output;
  }

  toString() {
    const shown = ends(this.output);
    return [shown && `${indent(shown)}\n`, this.message, this.remedy].filter(Boolean).join("\n");
  }
}

/**
 * The first and the last lines of a long text: a compiler says most at the end, npm at the beginning.
 *
 * @param {string} text
 */
function ends(text, first = 10, last = 40) {
  const lines = text.trimEnd().split("\n");
  if (lines.length <= first + last) return lines.join("\n");
  return [...lines.slice(0, first), "…", ...lines.slice(-last)].join("\n");
}

/** @param {string} text */
const indent = (text) => text.replace(/^/gm, "  | ");
