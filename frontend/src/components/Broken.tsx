import { useRouteError } from "react-router";
import { Button } from "./Button";
import { Notice } from "./Notice";

/** In place of a page that failed: a bug of ours, or a script that a newer version of the host no longer has. */
export function Broken() {
  const error = useRouteError();
  return (
    <div className="mx-auto max-w-xl space-y-3 p-6">
      <h1 className="text-lg font-semibold">This page failed</h1>
      <Notice look="bad">{error instanceof Error ? error.message : String(error)}</Notice>
      <p>If the host was upgraded while the page was open, loading it anew mends this.</p>
      <Button onClick={() => location.reload()}>Load anew</Button>
    </div>
  );
}
