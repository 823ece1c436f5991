// Was über die Warteschlangen gesagt wird.
import type { queues as english } from './queues.en';

export const queues: typeof english = {
  title: 'Warteschlangen',
  standing: { ready: 'Bereit', paused: 'Pause', wrapUp: 'Nachbearbeitung', inCall: 'Im Gespräch', loggedOut: 'Abgemeldet', unknown: 'Unbekannt' },
  choices: { ready: 'Bereit für Anrufe', paused: 'Pausieren', loggedOut: 'Abmelden' },
  saving: 'Wird gespeichert …',
};
