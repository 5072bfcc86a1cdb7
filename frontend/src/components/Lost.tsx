import type { Connection } from "../task/feed";
import { Notice } from "./Notice";

/** Says when what is shown is no longer live. */
export function Lost({ connection, what }: { connection: Connection; what: string }) {
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
        The host does not send {what} any more.{" "}
        <button type="button" className="underline" onClick={() => location.reload()}>
          Load the page anew
        </button>
      </Notice>
    );
  }
  return null;
}
