// What this browser keeps between visits. Where storage is forbidden or full nothing is kept, and nothing breaks.

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // The next visit begins as the first.
  }
}
