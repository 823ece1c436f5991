// Was über den eigenen Status gesagt wird.
import type { presence as english } from './presence.en';

export const presence: typeof english = {
  title: 'Ihr Status',
  choices: { available: 'Erreichbar', away: 'Abwesend', lunch: 'Beim Essen', businessTrip: 'Auf Dienstreise', doNotDisturb: 'Bitte nicht stören' },
  addNote: 'Notiz hinzufügen …',
  noteTitle: 'Eine Notiz neben Ihrem Status',
  note: 'Notiz',
  noteHint: 'Kollegen sehen sie neben Ihrem Namen. Leer lassen, wenn keine da sein soll.',
  cancel: 'Abbrechen',
  save: 'Sichern',
};
