// What is said of one’s own status.
import type { PresenceChoice } from '../backend/backend';

export const presence = {
  title: 'Your status',
  choices: { available: 'Available', away: 'Away', lunch: 'At lunch', businessTrip: 'On a business trip', doNotDisturb: 'Do not disturb' } satisfies Record<PresenceChoice, string> as Record<PresenceChoice, string>,
  addNote: 'Add a note…',
  noteTitle: 'A note beside your status',
  note: 'Note',
  noteHint: 'Colleagues see it beside your name. Leave it blank for none.',
  cancel: 'Cancel',
  save: 'Save',
};
