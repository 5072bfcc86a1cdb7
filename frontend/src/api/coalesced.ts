/**
 * Asks again, however often it is told to, one question at a time: a new one would call the one before off,
 * and where news comes faster than answers, none would arrive. `pauseMs`: the least time between two.
 */
export function coalesced(ask: () => Promise<unknown>, pauseMs = 0): { now: () => void; stop: () => void } {
  let [asking, again, over] = [false, false, false];
  const now = async () => {
    again = true;
    if (asking) return;
    asking = true;
    while (again && !over) {
      again = false;
      await ask();
      if (pauseMs) await new Promise((done) => setTimeout(done, pauseMs));
    }
    asking = false;
  };
  return { now: () => void now(), stop: () => (over = true) };
}
