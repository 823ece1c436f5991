// Scenes of the check of the phone.
import type { CheckView, Finding } from './backend';
import type { Scene } from './scenes';

const good = (check: Finding['check'], tried = '', seen = ''): Finding => ({ check, tried, seen, outcome: 'good', diagnosis: null });

const near: Finding[] = [
  good('network', '', 'eth0 192.0.2.44'),
  { check: 'vpn', tried: '', seen: 'wg0', outcome: 'note', diagnosis: 'vpn' },
  good('keychain'),
  good('microphone', 'Jabra Evolve2 65', '-21 dBFS'),
  good('speaker', 'Jabra Evolve2 65'),
];
const far: Finding[] = [
  good('names', 'A, AAAA pbx.fairwater.example', '198.51.100.20, 2001:db8::20'),
  good('port', 'TCP 198.51.100.20:8887', '12 ms'),
  good('certificate', 'pbx.fairwater.example:8887', 'CN=pbx.fairwater.example <- CN=Fairwater CA, 2027-03-01 00:00:00Z'),
  good('info', 'GET /info, fairwater.example', 'Fairwater'),
];
const blocked: Finding[] = [
  { check: 'transport', tried: 'UDP 198.51.100.20:5060', seen: '\u2013', outcome: 'bad', diagnosis: 'udpBlocked' },
  good('transport', 'TLS 198.51.100.20:5061', 'SIP 401, 31 ms'),
  { check: 'registration', tried: '', seen: '', outcome: 'skipped', diagnosis: 'udpBlocked' },
  { check: 'signIn', tried: '', seen: '', outcome: 'skipped', diagnosis: null },
];

const text = `${Array.from({ length: 40 }, (_, n) => ['# Versions', 'Carillon/0.1.0, Linux', '# Accounts', 'nora.lindqvist@fairwater.example at pbx.fairwater.example:8887 over Udp: Registered', '# SIP', '10:21:07.310 sent to 198.51.100.20:5060', 'REGISTER sip:fairwater.example SIP/2.0', 'Authorization: Digest username="214", response="***"'][n % 8]).join('\n')}\n`;

export const checkScenes = (inside: () => Scene) => {
  const as = (check: CheckView): Scene => ({ ...inside(), events: [{ what: 'check', view: check }] });
  return {
    'settings-check': () => inside(),
    'settings-check-running': () => as({ running: true, done: false, findings: [...near, ...far], cause: null }),
    'settings-check-cause': () => as({ running: false, done: true, findings: [...near, ...far, ...blocked], cause: 'udpBlocked' }),
    'settings-check-bundle': (): Scene => ({ ...inside(), events: [{ what: 'bundle', view: { text, saved: '/home/nora/Downloads/carillon-diagnostics-1790000000000.txt' } }] }),
    'settings-check-fine': () => as({ running: false, done: true, findings: [...near, ...far], cause: null }),
  };
};
