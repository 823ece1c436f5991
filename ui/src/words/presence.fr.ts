// Ce qui se dit de son propre statut.
import type { presence as english } from './presence.en';

export const presence: typeof english = {
  title: 'Votre statut',
  choices: { available: 'Disponible', away: 'Absent', lunch: 'En pause déjeuner', businessTrip: 'En déplacement', doNotDisturb: 'Ne pas déranger' },
  addNote: 'Ajouter une note…',
  noteTitle: 'Une note à côté de votre statut',
  note: 'Note',
  noteHint: 'Vos collègues la voient à côté de votre nom. Laissez vide pour n’en avoir aucune.',
  cancel: 'Annuler',
  save: 'Enregistrer',
};
