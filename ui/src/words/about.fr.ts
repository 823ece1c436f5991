// What is said of the phone itself and of newer versions.
import type { about as english } from './about.en';

export const about: typeof english = {
  title: 'À propos',
  version: (version) => `Version ${version}`,
  look: 'Chercher une nouvelle version',
  looking: 'Recherche d’une nouvelle version…',
  current: 'C’est la version la plus récente.',
  unknown: 'Une nouvelle version est recherchée une fois par jour.',
  off: 'Les nouvelles versions viennent de votre administrateur.',
  available: (version) => `La version ${version} est disponible.`,
  byOthers: 'Votre administrateur, ou l’endroit d’où vient le téléphone, la propose.',
  whatIsNew: 'Nouveautés',
  fetch: 'Télécharger',
  fetching: (percent) => `Téléchargement : ${percent}`,
  ready: (version) => `La version ${version} est prête à être installée.`,
  install: 'Installer maintenant',
  notInCall: 'Elle pourra être installée après votre appel.',
  installing: 'L’installation a commencé. Le téléphone va peut-être se fermer.',
  replaced: 'La nouvelle version est en place. Elle démarrera au prochain lancement du téléphone.',
  later: 'Plus tard',
};
