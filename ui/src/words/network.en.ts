// How servers on the web are reached.
export const network = {
  title: 'Network',
  lead: 'How the phone gets to the PBX’s web interface, to SIP over WSS and to newer versions. Voice, and SIP over UDP, TCP and TLS, never go through a web proxy.',
  webProxy: 'Web proxy',
  ways: { system: 'As the system says', none: 'None, go straight', address: 'This address' },
  address: 'Address of the proxy',
  addressHint: 'http:// or socks5://, then host and port. If it asks for a name and a password, your administrator sets them in the policy of this computer.',
  save: 'Use this proxy',
  noScripts: 'Proxy scripts (PAC, automatic discovery) are not read.',
};
