// The time, for whatever shows it; ticks only while something does.
import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const ticking = setInterval(update, 250);
  return () => clearInterval(ticking);
});

/** Milliseconds since 1970, followed by whatever reads it. */
export function now(): number {
  subscribe();
  return Date.now();
}
