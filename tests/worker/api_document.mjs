// Reads an OpenAPI document and holds requests and answers against it.

import assert from "node:assert/strict";

import addFormats from "ajv-formats";
import Ajv from "ajv/dist/2020.js";

const BASE = "document";

export class ApiDocument {
  #document;
  #ajv;
  /** What was held against it, as `GET /path 200`. */
  seen = new Set();

  constructor(document) {
    this.#document = document;
    // OpenAPI's own keywords (`discriminator`) are no concern of a JSON Schema's.
    this.#ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, BASE);
  }

  /** Every operation as `{method, path, operation}`. */
  get operations() {
    const methods = ["get", "post", "patch", "delete"];
    return Object.entries(this.#document.paths).flatMap(([path, item]) =>
      methods.filter((method) => item[method]).map((method) => ({ method: method.toUpperCase(), path, operation: item[method] })),
    );
  }

  /** What is wrong with a value by one of `components.schemas`; null if nothing is. */
  problemsOf(name, value) {
    return this.#check(`#/components/schemas/${name}`, value);
  }

  /** Fails unless the document has this answer to this request: path, query, body, status, content and body of the answer. */
  mustDescribe(method, address, body, answer) {
    const [path, query] = address.split("?");
    const found = this.#find(method, path);
    assert.ok(found, `${method} ${path} is not in the document`);
    const { pattern, operation } = found;
    const what = `${method} ${pattern} ${answer.status}`;
    const pointer = `#/paths/${escaped(pattern)}/${method.toLowerCase()}`;
    const response = this.#resolve(`${pointer}/responses/${answer.status}`);
    assert.ok(response, `${what} is not in the document: ${answer.text.slice(0, 300)}`);
    this.seen.add(what);
    if (answer.status < 300) this.#mustAllow(what, pointer, operation, query, body);
    const kind = answer.headers["content-type"]?.split(";")[0];
    if (!response.value.content) {
      assert.equal(answer.text, "", `${what} has a body`);
      return;
    }
    assert.ok(response.value.content[kind], `${what} is ${kind}`);
    const content = kind === "application/json" ? answer.json : answer.text;
    const problems = this.#check(`${response.pointer}/content/${escaped(kind)}/schema`, content);
    assert.equal(problems, null, `${what}: ${problems}\n${answer.text.slice(0, 1000)}`);
  }

  /** What was taken has to be allowed. */
  #mustAllow(what, pointer, operation, query, body) {
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
      const problems = this.#check(`${pointer}/requestBody/content/application~1json/schema`, body);
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
