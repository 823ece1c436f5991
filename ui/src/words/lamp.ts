// What somebody is doing, as a shape and in words.
import type { ContactView, WatchedView } from '../backend/backend';
import type { PresenceState } from '../components/Presence.svelte';
import { words } from './index.svelte';

export type Shown = { shape: PresenceState; word: string };

/** What a watched extension tells; nothing until it does. */
export function lampOf(watched: WatchedView | undefined): Shown | null {
  const say = words().contacts.presence;
  const { lamp, presence } = watched ?? {};
  if (presence?.activity === 'doNotDisturb') return { shape: 'dnd', word: presence.note ?? say.dnd };
  if (lamp?.is === 'ringing') return { shape: 'busy', word: say.ringing };
  if (lamp?.is === 'talking' || lamp?.is === 'calling' || presence?.activity === 'onThePhone') return { shape: 'busy', word: say.inCall };
  if (presence?.activity === 'busy') return { shape: 'busy', word: presence.note ?? say.busy };
  if (presence?.activity === 'away') return { shape: 'away', word: presence.note ?? say.away };
  if (presence && !presence.open) return { shape: 'off', word: say.off };
  if (lamp || presence) return { shape: 'free', word: say.free };
  return null;
}

/** What a contact is doing, where it has an extension that is watched. */
export function lampOfContact(contact: ContactView, watched: WatchedView[]): Shown | null {
  const extension = contact.numbers.find((number) => number.kind === 'extension')?.number;
  return extension ? lampOf(watched.find((known) => known.account === contact.account && known.number === extension)) : null;
}
