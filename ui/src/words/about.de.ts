// What is said of the phone itself and of newer versions.
import type { about as english } from './about.en';

export const about: typeof english = {
  title: 'Über',
  version: (version) => `Version ${version}`,
  look: 'Nach neuerer Version suchen',
  looking: 'Es wird nach einer neueren Version gesucht …',
  current: 'Das ist die neueste Version.',
  unknown: 'Einmal am Tag wird nach einer neueren Version gesucht.',
  off: 'Neuere Versionen kommen von Ihrer Verwaltung.',
  available: (version) => `Version ${version} ist da.`,
  byOthers: 'Ihre Verwaltung oder die Stelle, von der das Telefon stammt, hat sie.',
  whatIsNew: 'Was ist neu',
  fetch: 'Holen',
  fetching: (percent) => `Sie wird geholt: ${percent}`,
  ready: (version) => `Version ${version} kann installiert werden.`,
  install: 'Jetzt installieren',
  notInCall: 'Sie kann installiert werden, wenn Ihr Gespräch vorbei ist.',
  installing: 'Die Installation läuft. Das Telefon wird vielleicht geschlossen.',
  replaced: 'Die neuere Version liegt bereit. Sie läuft, sobald Sie das Telefon das nächste Mal starten.',
  later: 'Später',
};
