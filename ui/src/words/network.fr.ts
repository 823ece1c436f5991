// How servers on the web are reached.
import type { network as en } from './network.en';

export const network: typeof en = {
  title: 'Réseau',
  lead: 'Comment le téléphone atteint l’interface web de l’IPBX, SIP sur WSS et les nouvelles versions. La voix, et SIP sur UDP, TCP et TLS, ne passent jamais par un proxy web.',
  webProxy: 'Proxy web',
  ways: { system: 'Comme l’indique le système', none: 'Aucun, connexion directe', address: 'Cette adresse' },
  address: 'Adresse du proxy',
  addressHint: 'http:// ou socks5://, puis l’hôte et le port. S’il demande un nom et un mot de passe, votre administrateur les inscrit dans la stratégie de cet ordinateur.',
  save: 'Utiliser ce proxy',
  noScripts: 'Les scripts de proxy (PAC, détection automatique) ne sont pas lus.',
};
