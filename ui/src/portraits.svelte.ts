// Portraits as the window has them: asked for once, when somebody is first drawn.
import { getContext, setContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { AccountId, Command, PhoneEvent } from './backend/backend';

/** Portraits kept; those that came first go first. */
const KEPT = 500;

const name = (account: AccountId, reference: string) => JSON.stringify([account, reference]);

const KEY = Symbol('portraits');

export const setPortraits = (portraits: Portraits): Portraits => setContext(KEY, portraits);

/** The window's portraits; none where components are drawn without a phone. */
export const usePortraits = (): Portraits | undefined => getContext(KEY);

export class Portraits {
  #send: (command: Command) => void;
  #known = new SvelteMap<string, string | null>();
  #asked = new Set<string>();

  constructor(send: (command: Command) => void) {
    this.#send = send;
  }

  /** The portrait, as far as it is here. */
  of(account: AccountId | null, reference: string | null): string | null {
    return account === null || reference === null ? null : (this.#known.get(name(account, reference)) ?? null);
  }

  /** Somebody is drawn: the portrait is asked for, unless that is known or on its way. */
  want(account: AccountId | null, reference: string | null): void {
    if (account === null || reference === null) return;
    const key = name(account, reference);
    if (this.#known.has(key) || this.#asked.has(key)) return;
    this.#asked.add(key);
    this.#send({ do: 'askPortrait', account, reference });
  }

  /** Takes an answer. */
  fold({ account, reference, portrait }: Extract<PhoneEvent, { what: 'portrait' }>): void {
    const key = name(account, reference);
    this.#asked.delete(key);
    this.#known.set(key, portrait);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
  }

  /** The contacts were brought up to date: those that could not be had are asked for again. */
  again(): void {
    for (const [key, portrait] of [...this.#known]) if (portrait === null) this.#known.delete(key);
  }
}
