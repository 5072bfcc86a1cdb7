import { render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { useKeys } from "./useKeys";

function Page({ keys }: { keys: Record<string, () => void> }) {
  useKeys(keys);
  return <a href="#there">There</a>;
}

test("Enter goes to what has the focus, and to the page where nothing has", async () => {
  const enter = vi.fn();
  render(<Page keys={{ Enter: enter }} />);
  screen.getByRole("link").focus();
  await userEvent.keyboard("{Enter}");
  expect(enter).not.toHaveBeenCalled();
  screen.getByRole("link").blur();
  await userEvent.keyboard("{Enter}");
  expect(enter).toHaveBeenCalledOnce();
});
