// What is said after a crash.
import type { restart as en } from './restart.en';

export const restart: typeof en = { said: 'Das Telefon musste nach einem Fehler neu starten.', see: 'Bericht ansehen', dismiss: 'Ausblenden' };
