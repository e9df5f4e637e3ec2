import { render } from "preact";
import { browserFetch } from "./browser.ts";
import { Api } from "./client/api.ts";
import { App } from "./view/app.tsx";
import { takeCode } from "./view/route.ts";

// Before anything else: a code that is used up would only mislead who copies or bookmarks the address.
const code = takeCode();

const root = document.getElementById("app");
if (root !== null) render(<App api={new Api(browserFetch)} firstCode={code} />, root);
