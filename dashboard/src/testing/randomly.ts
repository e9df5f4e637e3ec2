// Numbers that look like chance and are the same in every run, so that what a test finds is found again.

export function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}
