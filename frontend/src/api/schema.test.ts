// @vitest-environment node
import { readFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, test } from "vitest";

test("the types are those of docs/openapi.json; `npm run types` makes them anew", async () => {
  const description = new URL("../../../docs/openapi.json", import.meta.url);
  const made = COMMENT_HEADER + astToString(await openapiTS(description));
  expect(readFileSync(new URL("./schema.d.ts", import.meta.url), "utf8")).toBe(made);
});
