// `npm run types` writes the dashboard's TypeScript types out of the Rust ones.

import { main } from "./lib/main.mjs";
import { run } from "./lib/run.mjs";
import { stepper } from "./lib/steps.mjs";

const args = ["test", "--locked", "--lib", "typescript"];
const env = { ...process.env, TOWNWATCH_WRITE_TYPES: "1" };

await main(async () => void (await stepper(1)("writing the types", () => run("cargo", args, { env }))));
