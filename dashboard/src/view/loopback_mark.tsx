// An agent's link to a loopback address leads to the computer of the one who reads, not to the agent's: another program
// answers there, perhaps one that acts at a mere visit.

import { isLoopback } from "./web_address.ts";

export function LoopbackMark({ address }: { address: string }) {
  return isLoopback(address) ? <span class="loopback"> (on your own computer)</span> : null;
}
