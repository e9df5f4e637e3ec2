// What the tests' types are to know besides.

/** What tests leave on a page to look at it later. */
interface Window {
  // biome-ignore lint/suspicious/noExplicitAny: each test leaves something else.
  [mark: string]: any;
}

// Packages of tests/clients, which are installed only where its tests run.
declare module "@microsoft/fetch-event-source";
declare module "eventsource";
declare module "partysocket";
declare module "reconnecting-websocket";
