// What is said after a crash.
import type { restart as en } from './restart.en';

export const restart: typeof en = { said: 'El teléfono tuvo que reiniciarse tras un fallo.', see: 'Ver el informe', dismiss: 'Ocultar' };
