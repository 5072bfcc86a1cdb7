import { useState } from "react";
import { useLogIn } from "../api/mutations";
import type { Session } from "../api/client";
import { useTitle } from "../hooks/useTitle";
import { Button, buttonLook } from "./Button";
import { Failure } from "./Notice";

/** In place of every page, until somebody has logged in. */
export function LogIn({ session }: { session: Session }) {
  const [token, setToken] = useState("");
  const logIn = useLogIn();
  useTitle("Log in");
  const { sign_in: provider } = session;
  return (
    <div className="panel mx-auto mt-[10vh] max-w-sm space-y-4 p-5">
      <h1 className="text-lg font-semibold">Log in</h1>
      {provider && (
        <>
          <a href={provider.url} className={`${buttonLook("main")} w-full justify-center`}>
            <span className="foreign truncate">Continue with {provider.name}</span>
          </a>
          <p className="text-center text-xs text-soft">or with a token</p>
        </>
      )}
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          logIn.mutate(token);
        }}
      >
        <label className="block space-y-1">
          <span>Token</span>
          <input
            type="password"
            autoComplete="current-password"
            required
            className="field w-full"
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        {logIn.isError && <Failure error={logIn.error} />}
        <Button look={provider ? "plain" : "main"} type="submit" disabled={logIn.isPending}>
          Log in
        </Button>
      </form>
      <details className="text-soft">
        <summary>No token?</summary>
        <p className="mt-1">
          The operator of this host makes one: <code>aiagent-host token create NAME ROLE</code>. A viewer reads, a submitter
          also submits and cancels, an administrator also changes plugins and queues.
        </p>
      </details>
    </div>
  );
}
