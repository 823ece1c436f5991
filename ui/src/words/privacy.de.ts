// Was über die Privatsphäre gesagt wird.
import type { privacy as english } from './privacy.en';

export const privacy: typeof english = {
  title: 'Privatsphäre',
  keep: 'Anrufe aufbewahren',
  spans: { always: 'Solange Platz ist', year: 'Ein Jahr', quarter: '90 Tage', month: '30 Tage' },
  keepTitle: (span: string) => `Aufbewahrung begrenzen: ${span}?`,
  keepBody: 'Frühere Anrufe werden aus der Liste gelöscht. Das lässt sich nicht rückgängig machen.',
  forget: 'Frühere Anrufe löschen',
  others: 'Was andere erfahren',
  screen: 'Auf diesem Bildschirm',
  names: 'In Benachrichtigungen sagen, wer anruft',
  namesHint: 'Sonst sagen sie nur, dass jemand anruft.',
  contacts: 'Kontakte',
  computer: 'Kontakte dieses Computers zeigen',
  computerHint: 'Sie kommen aus seinem Adressbuch und bleiben hier: Weder die Telefonanlage noch Ihre anderen Telefone bekommen sie.',
  computerLoading: 'Das Adressbuch wird gelesen …',
};
