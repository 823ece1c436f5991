// How servers on the web are reached.
import type { network as en } from './network.en';

export const network: typeof en = {
  title: 'Netzwerk',
  lead: 'Wie das Telefon die Weboberfläche der Anlage, SIP über WSS und neuere Versionen erreicht. Sprache sowie SIP über UDP, TCP und TLS gehen nie durch einen Webproxy.',
  webProxy: 'Webproxy',
  ways: { system: 'Wie das System es vorgibt', none: 'Keiner, direkt verbinden', address: 'Diese Adresse' },
  address: 'Adresse des Proxys',
  addressHint: 'http:// oder socks5://, dann Rechner und Port. Verlangt er Name und Passwort, trägt Ihre Administration sie in die Richtlinie dieses Rechners ein.',
  save: 'Diesen Proxy verwenden',
  noScripts: 'Proxy-Skripte (PAC, automatische Erkennung) werden nicht gelesen.',
};
