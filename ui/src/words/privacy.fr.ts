// Ce qui est dit de la confidentialité.
import type { privacy as english } from './privacy.en';

export const privacy: typeof english = {
  title: 'Confidentialité',
  keep: 'Conserver les appels',
  spans: { always: 'Tant qu’il y a de la place', year: 'Un an', quarter: '90 jours', month: '30 jours' },
  keepTitle: (span: string) => `Limiter la conservation : ${span.toLowerCase()} ?`,
  keepBody: 'Les appels plus anciens sont supprimés du journal. Cette action est définitive.',
  forget: 'Supprimer les anciens appels',
  others: 'Ce que les autres apprennent',
  screen: 'Sur cet écran',
  names: 'Dire qui appelle dans les notifications',
  namesHint: 'Sinon elles disent seulement qu’il y a un appel.',
  contacts: 'Contacts',
  computer: 'Afficher les contacts de cet ordinateur',
  computerHint: 'Ils viennent de son carnet d’adresses et restent ici : ni votre IPBX ni vos autres téléphones ne les reçoivent.',
  computerLoading: 'Lecture du carnet d’adresses…',
};
