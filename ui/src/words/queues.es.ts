// Lo que se dice de las colas.
import type { queues as english } from './queues.en';

export const queues: typeof english = {
  title: 'Colas',
  standing: { ready: 'Listo', paused: 'En pausa', wrapUp: 'Posllamada', inCall: 'En una llamada', loggedOut: 'Desconectado', unknown: 'No se sabe' },
  choices: { ready: 'Listo para llamadas', paused: 'Pausar', loggedOut: 'Desconectarse' },
  saving: 'Guardando…',
};
