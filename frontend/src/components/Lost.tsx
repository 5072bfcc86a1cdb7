import type { Link } from "../hooks/useChanges";
import { Notice } from "./Notice";

const WHY: Record<number, string> = {
  401: "You are logged out, so",
  403: "Your role does not allow it any more, so",
  404: "It is not there any more, so",
  410: "It is gone, so",
};

/** Says when what is shown is no longer live. */
export function Lost({ link: { connection, status }, what }: { link: Link; what: string }) {
  if (connection === "reconnecting") {
    return (
      <Notice look="warn">
        The connection to the host is lost. What is shown stands; this page connects again by itself.
      </Notice>
    );
  }
  if (connection === "refused") {
    return (
      <Notice look="bad">
        {WHY[status ?? 0] ?? "The host refuses:"} {what} no longer come.{" "}
        <button type="button" className="underline" onClick={() => location.reload()}>
          Load the page anew
        </button>
      </Notice>
    );
  }
  return null;
}
