// How servers on the web are reached.
import type { network as en } from './network.en';

export const network: typeof en = {
  title: 'Red',
  lead: 'Cómo llega el teléfono a la interfaz web de la centralita, a SIP por WSS y a las versiones nuevas. La voz, y SIP por UDP, TCP y TLS, nunca pasan por un proxy web.',
  webProxy: 'Proxy web',
  ways: { system: 'Como indique el sistema', none: 'Ninguno, conexión directa', address: 'Esta dirección' },
  address: 'Dirección del proxy',
  addressHint: 'http:// o socks5://, y después equipo y puerto. Si pide nombre y contraseña, su administrador los pone en la directiva de este equipo.',
  save: 'Usar este proxy',
  noScripts: 'Los scripts de proxy (PAC, detección automática) no se leen.',
};
