// Splits a command line into words like a shell does, without running one: quotes group, a backslash takes the next
// character as it is. Nothing is expanded, so `$HOME` and `*` reach the program as they are written.

/** The words, or null where a quote is not closed. */
export function commandWords(line: string): string[] | null {
  const words: string[] = [];
  let word = "";
  let inside = false;
  let quote = "";
  for (let position = 0; position < line.length; position += 1) {
    const character = line.charAt(position);
    if (character === "\\" && quote !== "'") {
      position += 1;
      word += line.charAt(position);
      inside = true;
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      inside = true;
    } else if (/\s/.test(character)) {
      if (inside) words.push(word);
      word = "";
      inside = false;
    } else {
      word += character;
      inside = true;
    }
  }
  if (quote !== "") return null;
  if (inside) words.push(word);
  return words;
}
