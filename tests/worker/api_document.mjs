// Reads an OpenAPI document and holds requests and answers against it.

import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const BASE = "document";

export class ApiDocument {
  #document;
  #ajv;
  /** What was held against it, as `GET /path 200`. */
  seen = new Set();

  constructor(document) {
    this.#document = document;
    // OpenAPI's own keywords (`discriminator`) are no concern of a JSON Schema's.
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, BASE);
  }

  /** Every operation as `{method, path, operation}`. */
  get operations() {
    const methods = ["get", "put", "post", "patch", "delete"];
    return Object.entries(this.#document.paths).flatMap(([path, item]) =>
      methods.filter((method) => item[method]).map((method) => ({ method: method.toUpperCase(), path, operation: item[method] })),
    );
  }

  /** What is wrong with a value by one of `components.schemas`; null if nothing is. */
  problemsOf(name, value) {
    return this.#check(`#/components/schemas/${name}`, value);
  }

  /**
   * Fails unless the document has this answer to this request: path, query, body and its type, status, content and body of
   * the answer.
   */
  mustDescribe(method, address, { body, kind = "application/json" }, answer) {
    const [path, query] = address.split("?");
    const found = this.#find(method, path);
    assert.ok(found, `${method} ${path} is not in the document`);
    const { pattern, operation } = found;
    const what = `${method} ${pattern} ${answer.status}`;
    const pointer = `#/paths/${escaped(pattern)}/${method.toLowerCase()}`;
    const response = this.#resolve(`${pointer}/responses/${answer.status}`);
    assert.ok(response, `${what} is not in the document: ${answer.text.slice(0, 300)}`);
    this.seen.add(what);
    if (answer.status < 300) this.#mustAllow(what, pointer, operation, query, body, kind);
    const answered = answer.headers["content-type"]?.split(";")[0];
    if (!response.value.content) {
      assert.equal(answer.text, "", `${what} has a body`);
      return;
    }
    assert.ok(response.value.content[answered], `${what} is ${answered}`);
    const content = answered === "application/json" ? answer.json : answer.text;
    const problems = this.#check(`${response.pointer}/content/${escaped(answered)}/schema`, content);
    assert.equal(problems, null, `${what}: ${problems}\n${answer.text.slice(0, 1000)}`);
  }

  /** What was taken has to be allowed. */
  #mustAllow(what, pointer, operation, query, body, kind) {
    for (const name of new Set(new URLSearchParams(query).keys())) {
      const index = (operation.parameters ?? []).findIndex((one) => one.in === "query" && one.name === name);
      assert.ok(index >= 0, `${what}: ${name} is not in the document`);
      const texts = new URLSearchParams(query).getAll(name);
      const { schema } = operation.parameters[index];
      const value = schema.type === "array" ? texts : schema.type === "integer" ? Number(texts[0]) : texts[0];
      const problems = this.#check(`${pointer}/parameters/${index}/schema`, value);
      assert.equal(problems, null, `${what}: ${name}: ${problems}`);
    }
    if (body === undefined) {
      assert.ok(!operation.requestBody?.required, `${what} was taken without a body`);
    } else {
      const content = Buffer.isBuffer(body) ? body.toString("latin1") : body;
      const problems = this.#check(`${pointer}/requestBody/content/${escaped(kind)}/schema`, content);
      assert.equal(problems, null, `${what}: its body: ${problems}`);
    }
  }

  /** The operation of a path; a pattern's literal parts beat its ids. */
  #find(method, path) {
    const parts = path.split("/");
    const fits = (pattern) => {
      const wanted = pattern.split("/");
      return wanted.length === parts.length && wanted.every((one, at) => one.startsWith("{") || one === parts[at]);
    };
    const patterns = Object.keys(this.#document.paths).filter(fits).sort((a, b) => a.split("{").length - b.split("{").length);
    const operation = this.#document.paths[patterns[0]]?.[method.toLowerCase()];
    return operation && { pattern: patterns[0], operation };
  }

  /** What a pointer leads to, through a reference if it is one. */
  #resolve(pointer) {
    const keys = pointer.slice(2).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const value = keys.reduce((inside, key) => inside?.[key], this.#document);
    return value?.$ref ? this.#resolve(value.$ref) : value && { pointer, value };
  }

  #check(pointer, value) {
    const validate = this.#ajv.getSchema(BASE + encodeURI(pointer)) ?? assert.fail(`no schema at ${pointer}`);
    return validate(value) ? null : this.#ajv.errorsText(validate.errors);
  }
}

const escaped = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");
