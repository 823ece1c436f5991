// Ce qui est dit des files d’attente.
import type { queues as english } from './queues.en';

export const queues: typeof english = {
  title: 'Files d’attente',
  standing: { ready: 'Prêt', paused: 'En pause', wrapUp: 'Post-appel', inCall: 'En communication', loggedOut: 'Déconnecté', unknown: 'Inconnu' },
  choices: { ready: 'Prêt à répondre', paused: 'Faire une pause', loggedOut: 'Se déconnecter' },
  saving: 'Enregistrement…',
};
