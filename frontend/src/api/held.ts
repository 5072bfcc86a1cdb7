import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";

const SESSION = "session";

/** What the host has answered, for as long as the page holds it. */
export function held({ retry = true } = {}): QueryClient {
  // Logged out meanwhile: then the page asks for the token. Many may learn so at once; one question is enough.
  const refused = (error: Error, key: unknown) => {
    if (key === SESSION || !(error instanceof ApiError) || error.status !== 401) return;
    void queries.invalidateQueries({ queryKey: [SESSION] }, { cancelRefetch: false });
  };
  const queries = new QueryClient({
    queryCache: new QueryCache({ onError: (error, query) => refused(error, query.queryKey[0]) }),
    mutationCache: new MutationCache({
      onError: (error, _variables, _result, mutation) => refused(error, mutation.options.mutationKey?.[0]),
    }),
    defaultOptions: {
      queries: {
        // An answer below 500 will be the same next time.
        retry: (failures, error) => retry && failures < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
        staleTime: 2_000,
      },
    },
  });
  return queries;
}
