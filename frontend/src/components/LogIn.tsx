import { useState } from "react";
import { useLogIn } from "../api/mutations";
import { useTitle } from "../hooks/useTitle";
import { Button } from "./Button";
import { Failure } from "./Notice";

export function LogIn() {
  const [token, setToken] = useState("");
  const logIn = useLogIn();
  useTitle("Log in");
  return (
    <form
      className="panel mx-auto mt-[10vh] max-w-sm space-y-3 p-5"
      onSubmit={(event) => {
        event.preventDefault();
        logIn.mutate(token);
      }}
    >
      <h1 className="text-lg font-semibold">Log in</h1>
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
      <p className="text-soft">
        The operator of this host has set it: <code>token</code> in aiagent.toml, or <code>AIAGENT_TOKEN</code>.
      </p>
      {logIn.isError && <Failure error={logIn.error} />}
      <Button look="main" type="submit" disabled={logIn.isPending}>
        Log in
      </Button>
    </form>
  );
}
