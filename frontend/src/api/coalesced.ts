/**
 * Asks again, however often it is told to, one question at a time: a new one would call the one before off,
 * and where news comes faster than answers, none would arrive.
 */
export function coalesced(ask: () => Promise<unknown>): { now: () => void; stop: () => void } {
  let [asking, again, over] = [false, false, false];
  const now = async () => {
    again = true;
    if (asking) return;
    asking = true;
    while (again && !over) {
      again = false;
      await ask();
    }
    asking = false;
  };
  return { now: () => void now(), stop: () => (over = true) };
}
