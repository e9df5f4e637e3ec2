// The configuration with the container: wrangler.toml and what container/wrangler.part.toml adds. It is a file of its own
// so that everyday development needs no Docker.

import fs from "node:fs";
import { inRoot } from "./paths.mjs";

const FILE = "wrangler.container.toml";

/** Writes it and returns its path in the project. */
export function writeContainerConfig() {
  const parts = ["wrangler.toml", "container/wrangler.part.toml"].map((file) => fs.readFileSync(inRoot(file), "utf8"));
  fs.writeFileSync(inRoot(FILE), `# Written by \`npm run deploy:container\`; change its parts.\n${parts.join("\n")}`);
  return FILE;
}
