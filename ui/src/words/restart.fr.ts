// What is said after a crash.
import type { restart as en } from './restart.en';

export const restart: typeof en = { said: 'Le téléphone a dû redémarrer après une erreur.', see: 'Voir le rapport', dismiss: 'Masquer' };
