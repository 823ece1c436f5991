// Ce qui est dit du renvoi d’appels.
import type { forwarding as english } from './forwarding.en';

export const forwarding: typeof english = {
  title: 'Renvoi d’appels',
  lead: 'Votre standard suit ces règles pour tous vos téléphones, même si celui-ci est éteint.',
  hours: 'Quand',
  office: 'Pendant les heures de bureau',
  outside: 'En dehors des heures de bureau',
  states: { available: 'Vous êtes disponible', busy: 'Vous êtes en communication', doNotDisturb: 'Ne pas déranger', away: 'Vous êtes absent', lunch: 'Vous êtes au déjeuner', businessTrip: 'Vous êtes en déplacement', offline: 'Aucun téléphone n’est connecté', noAnswer: 'Personne ne répond', noAnswerBusy: 'Personne ne répond pendant un appel' },
  does: { ring: 'Sonner', voicemail: 'Vers la messagerie', number: 'Vers un numéro', hangUp: 'Rejeter' },
  unset: 'Non défini',
  number: (when: string) => `Numéro pour « ${when} »`,
  numberLabel: 'Numéro',
  after: 'Sonner pendant',
  seconds: (n: number) => `${n} secondes`,
  unanswered: 'Si personne ne répond',
  saving: 'Enregistrement…',
};
