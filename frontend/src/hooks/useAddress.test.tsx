import { cleanup, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { show } from "../test-page";
import { useAddress } from "./useAddress";

function Choice() {
  const [params, change] = useAddress();
  return <button onClick={() => change({ view: "split", round: "" })}>{params.get("round") ?? "any"}</button>;
}

afterEach(cleanup);

test("a part of the address is changed, or left out, and the rest stays", async () => {
  const where = show("/?round=2&file=a", "/", <Choice />);
  await userEvent.click(screen.getByRole("button", { name: "2" }));
  expect(where()).toBe("/?file=a&view=split");
  expect(screen.getByRole("button", { name: "any" })).toBeTruthy();
});
