import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Lost } from "./Lost";

afterEach(cleanup);

test.each([
  [401, "You are logged out, so changes of tasks no longer come."],
  [403, "Your role does not allow it any more, so changes of tasks no longer come."],
  [404, "It is not there any more, so changes of tasks no longer come."],
  [410, "It is gone, so changes of tasks no longer come."],
])("after %d it says why nothing comes any more, and what to do", (status, said) => {
  render(<Lost link={{ connection: "refused", status }} what="changes of tasks" />);
  expect(screen.getByRole("alert").textContent).toContain(said);
  expect(screen.getByRole("button", { name: "Load the page anew" })).toBeTruthy();
});
