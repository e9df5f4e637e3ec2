// The link that signs a browser in: the key is behind `#`, so it is in no request and in no log.

export const link = (port, vars) => `http://localhost:${port}/#key=${vars.TOWNWATCH_API_KEY}`;
