import { cleanup, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { show } from "../test-page";
import { useAddress } from "./useAddress";

function Choice({ prefix }: { prefix?: string }) {
  const [params, change] = useAddress(prefix);
  return <button onClick={() => change({ view: "split", round: "" })}>{params.get("round") ?? "any"}</button>;
}

afterEach(cleanup);

test("a part of the address is changed, or left out, and the rest stays", async () => {
  const where = show("/?round=2&file=a", "/", <Choice />);
  await userEvent.click(screen.getByRole("button", { name: "2" }));
  expect(where()).toBe("/?file=a&view=split");
  expect(screen.getByRole("button", { name: "any" })).toBeTruthy();
});

test("two of a kind have names of their own", async () => {
  const where = show("/?left-round=1&right-round=2", "/", [<Choice key="l" prefix="left-" />, <Choice key="r" prefix="right-" />]);
  expect(screen.getByRole("button", { name: "1" })).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "2" }));
  expect(where()).toBe("/?left-round=1&right-view=split");
});
