// What is said of the diagnostic bundle.
import type { bundle as english } from './bundle.en';

export const bundle: typeof english = {
  title: 'Rapport de diagnostic',
  hint: 'Tout ce dont l’assistance a besoin, en texte : versions, paramètres, appels, messages SIP, journal technique. Mots de passe et jetons n’y sont pas. Lisez-le avant de le transmettre.',
  shorten: 'Abréger les numéros',
  make: 'Créer',
  again: 'Créer à nouveau',
  text: 'Le rapport',
  save: 'Enregistrer',
  copy: 'Copier le rapport',
  saved: (path) => `Enregistré sous ${path}`,
  size: (lines) => `${lines} lignes`,
};
