// Voicemails for the scenes.
import type { GreetingsView, PhoneEvent, PlayerState, VoicemailsView, VoicemailView } from './backend';
import { OWN } from './samples';

const hour = 3_600_000;
const message = (id: number, who: [string, string | null, string?], hoursAgo: number, lengthS: number | null, heard: boolean): VoicemailView => ({
  id, account: OWN, from: { number: who[0], name: who[1], picture: who[2] }, at: Date.now() - hoursAgo * hour, lengthS, heard,
});

/** Three that were not heard yet, four that were. */
export const voicemails = (): VoicemailsView => ({
  messages: [
    message(7, ['020 7946 0177', 'Priya Raman', 'priya'], 0.2, 47, false),
    message(6, ['020 7946 0950', null], 1.4, 6, false),
    message(5, ['020 7946 0820', 'Owen Pritchard'], 2.6, 22, false),
    message(4, ['208', 'Jonas Weller'], 76, 11, true),
    message(3, ['', null], 99, null, true),
    message(2, ['07700 900 312', 'Samir Haddad'], 300, 18, true),
    message(1, ['07700 900 458', 'Ingrid Sollund'], 700, 33, true),
  ],
  state: { is: 'fresh', at: Date.now() },
});

/** Two greetings, of which callers hear the second. */
export const greeted = (): GreetingsView => ({
  accounts: [OWN],
  greetings: [{ id: 1, account: OWN, name: 'Holidays.wav', on: false }, { id: 2, account: OWN, name: 'Greeting 2026-11-02 09.14.05Z.wav', on: true }],
  draft: { is: 'none' },
});

/** The newest is listened to, seventeen seconds into it. */
export const listening = (state: PlayerState = { is: 'playing' }): PhoneEvent => ({
  what: 'player',
  view: {
    sound: { is: 'voicemail', id: 7 }, state, atMs: state.is === 'loading' ? 0 : 17_300, lengthMs: state.is === 'loading' ? 0 : 47_000,
    peaks: state.is === 'loading' ? [] : Array.from({ length: 96 }, (_, n) => Math.round(12 + 88 * Math.abs(Math.sin(n * 1.7) * Math.sin(n * 0.19 + 0.4)))),
  },
});
