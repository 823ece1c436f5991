// Was über die Rufumleitung gesagt wird.
import type { forwarding as english } from './forwarding.en';

export const forwarding: typeof english = {
  title: 'Rufumleitung',
  lead: 'Ihre Telefonanlage befolgt diese Regeln für alle Ihre Telefone, auch wenn dieses aus ist.',
  hours: 'Wann',
  office: 'Während der Bürozeiten',
  outside: 'Außerhalb der Bürozeiten',
  states: { available: 'Sie sind erreichbar', busy: 'Sie sind im Gespräch', doNotDisturb: 'Bitte nicht stören', away: 'Sie sind abwesend', lunch: 'Sie sind beim Essen', businessTrip: 'Sie sind auf Dienstreise', offline: 'Kein Telefon ist verbunden', noAnswer: 'Niemand nimmt ab', noAnswerBusy: 'Niemand nimmt während eines Gesprächs ab' },
  does: { ring: 'Klingeln', voicemail: 'An die Mailbox', number: 'An eine Nummer', hangUp: 'Abweisen' },
  unset: 'Nicht festgelegt',
  number: (when: string) => `Nummer für „${when}“`,
  numberLabel: 'Nummer',
  after: 'Klingeln für',
  seconds: (n: number) => `${n} Sekunden`,
  unanswered: 'Wenn niemand abnimmt',
  saving: 'Wird gespeichert …',
};
