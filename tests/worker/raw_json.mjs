// Takes JSON text apart without reading its values, so that a test can compare what came back byte for byte:
// JSON.parse would round 12345678901234567890 and could not tell `\u2028` from the character itself.

/** The members of an object's text: `Map` of key to the value's raw text. */
export function members(text) {
  const found = new Map();
  for (const part of parts(text, "{", "}")) {
    const colon = endOfString(part, part.indexOf('"')) + 1;
    const key = JSON.parse(part.slice(0, colon));
    found.set(key, part.slice(part.indexOf(":", colon) + 1).trim());
  }
  return found;
}

/** The raw texts of an array's elements. */
export function elements(text) {
  return parts(text, "[", "]");
}

/** Walks down by keys: `at(text, "data", "events")` is the raw text of `.data.events`. */
export function at(text, ...keys) {
  return keys.reduce((inner, key) => members(inner).get(key), text);
}

function parts(text, open, close) {
  const whole = text.trim();
  if (whole[0] !== open || whole.at(-1) !== close) throw new Error(`not ${open}…${close}: ${whole.slice(0, 80)}`);
  const found = [];
  let depth = 0;
  let start = 1;
  for (let position = 1; position < whole.length - 1; position += 1) {
    const character = whole[position];
    if (character === '"') position = endOfString(whole, position);
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (character === "," && depth === 0) {
      found.push(whole.slice(start, position).trim());
      start = position + 1;
    }
  }
  const last = whole.slice(start, -1).trim();
  return last === "" ? found : [...found, last];
}

/** The position of the quote that closes the string opened at `start`. */
function endOfString(text, start) {
  let position = start + 1;
  while (text[position] !== '"') position += text[position] === "\\" ? 2 : 1;
  return position;
}
