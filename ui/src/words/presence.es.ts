// Lo que se dice del estado propio.
import type { presence as english } from './presence.en';

export const presence: typeof english = {
  title: 'Su estado',
  choices: { available: 'Disponible', away: 'Ausente', lunch: 'En el almuerzo', businessTrip: 'De viaje de trabajo', doNotDisturb: 'No molestar' },
  addNote: 'Añadir una nota…',
  noteTitle: 'Una nota junto a su estado',
  note: 'Nota',
  noteHint: 'Sus compañeros la ven junto a su nombre. Déjela en blanco si no quiere ninguna.',
  cancel: 'Cancelar',
  save: 'Guardar',
};
