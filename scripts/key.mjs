// `npm run key`: a new key pair for a control server that you run yourself. The Worker has the private half, the control
// server the public one.

import { newControlKey, publicKeyOf } from "./lib/control_key.mjs";
import { main } from "./lib/main.mjs";

await main(async () => {
  const key = newControlKey();
  console.log(`CONTROL_KEY=${key}\nCONTROL_PUBLIC_KEY=${publicKeyOf(key)}`);
});
