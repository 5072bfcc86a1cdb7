import { renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { useClickKey } from "./useClickKey";

test("a key lasts as long as what is sent, to the letter", () => {
  const { result, rerender } = renderHook(({ goal }) => useClickKey(goal, 0), { initialProps: { goal: "add" } });
  const first = result.current;
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  rerender({ goal: "add" });
  expect(result.current).toBe(first);
  rerender({ goal: "sub" });
  expect(result.current).not.toBe(first);
});
