// What is said of the diagnostic bundle.
import type { bundle as english } from './bundle.en';

export const bundle: typeof english = {
  title: 'Diagnosebericht',
  hint: 'Alles, was der Support braucht, als Text: Versionen, Einstellungen, Anrufe, SIP-Nachrichten, Protokoll. Passwörter und Tokens fehlen darin. Lesen Sie ihn, bevor Sie ihn weitergeben.',
  shorten: 'Rufnummern kürzen',
  make: 'Erstellen',
  again: 'Neu erstellen',
  text: 'Der Bericht',
  save: 'Speichern',
  copy: 'Bericht kopieren',
  saved: (path) => `Gespeichert als ${path}`,
  size: (lines) => `${lines} Zeilen`,
};
