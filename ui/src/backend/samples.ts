// Samples of what a phone may say, for the scenes and the tests.
import type {
  AccountState, AccountView, AudioView, CallReport, CallSummary, CallView, CallerIdsView, CertificateView, Code, ContactsView, DeviceView, EndReason, ForwardingView, ForwardRuleView, ForwardWhen, HistoryView, PastCallView, PeerView, Problem, Quality, QueueView, ScanView, SignInView, TenantView,
} from './backend';

/** Nora's account by its name. */
export const OWN = 'nora.lindqvist@fairwater.example';

/** A problem, with what is known beyond its code. */
export const problem = (code: Code, detail: string | null = null, retryAfterS: number | null = null): Problem => ({ code, detail, retryAfterS });

const device = (id: string, name: string, kind: DeviceView['kind'], here = true): DeviceView => ({ id, name, kind, here });

/** A headset, a dock that is not here, and what the laptop has. */
export const audio: AudioView = {
  microphone: {
    order: [device('usb:jabra/mic', 'Jabra Evolve2 65', 'headset')], others: [device('pci/mic', 'Laptop microphone', 'builtIn'), device('usb:cam', 'Desk camera', 'webcam')],
    defaultName: 'Laptop microphone', inUse: 'usb:jabra/mic', inUseName: 'Jabra Evolve2 65', reason: { is: 'first' },
  },
  speaker: {
    order: [device('usb:dock', 'Office dock', 'speaker', false), device('usb:jabra/out', 'Jabra Evolve2 65', 'headset')],
    others: [device('pci/out', 'Laptop speakers', 'builtIn'), device('hdmi', 'Screen (HDMI)', 'display')],
    defaultName: 'Laptop speakers', inUse: 'usb:jabra/out', inUseName: 'Jabra Evolve2 65', reason: { is: 'better', name: 'Office dock', failed: false },
  },
  ringer: {
    order: [], others: [device('pci/out', 'Laptop speakers', 'builtIn'), device('usb:jabra/out', 'Jabra Evolve2 65', 'headset'), device('hdmi', 'Screen (HDMI)', 'display')],
    defaultName: 'Laptop speakers', inUse: 'pci/out', inUseName: 'Laptop speakers', reason: { is: 'default' },
  },
  ring: { tone: 'carillon', volume: 80, everywhere: false },
};

/** The wizard as it starts, with changes. */
export function signIn(change: Partial<SignInView> = {}): SignInView {
  return {
    page: 'server', busy: false, domain: '', server: '', username: '', tenant: null, problem: null, certificate: null,
    earlierDomains: [], earlierServers: [], ways: { password: true, microsoft: true, qr: true, sip: true, domain: 'free', server: 'free' },
    code: null, newPassword: null, forgot: null, browser: null, scan: null, news: null, ...change,
  };
}

/** Nora's account, registered unless told otherwise. */
export function account(state: AccountState = { is: 'registered', expiresS: 300, rttMs: 12 }, change: Partial<AccountView> = {}): AccountView {
  return {
    id: OWN, displayName: 'Nora Lindqvist', extension: '214', domain: 'fairwater.example', server: 'pbx.fairwater.example', transport: 'udp', srtp: 'prefer', hidden: false,
    connection: { ice: 'auto', stun: '', turn: '', turnOver: 'udp', turnUser: '' },
    state, session: { is: 'open' }, secretsInMemory: false, enforced: { theme: null, language: null, hidden: [], codecs: false }, mailbox: null, codes: null,
    certificate: null, ...change,
  };
}

/** What most calls are not. */
export const plainCall = {
  muted: false, mutedTalk: false, remoteHeld: false, merged: false, divertedBy: null, follows: null, transfer: null, digits: '', digitsWaiting: null, codec: null,
  protection: { is: 'none' }, setupMs: null, verdict: null, recording: false,
  recorded: null,
} satisfies Partial<CallView>;

/** A phone without contacts. */
export const noContacts: ContactsView = { version: 0, count: 0, state: { is: 'none' } };

/** A call list with nothing in it. */
export const nothingPast: HistoryView = { calls: [], earlier: false, problem: null };

/** What a call was like in which words came and went. */
export const summary: CallSummary = {
  codec: 'opus', encrypted: true, suite: 'AEAD_AES_256_GCM', path: 'reflexive', microphone: 'Jabra Evolve2 65', speaker: 'Jabra Evolve2 65', quality: 'choppy', rxPackets: 36_410, txPackets: 36_402,
  lost: 212, late: 14, concealedMs: 1_240, repairedMs: 2_980, lostThere: 3, mos: { least: 2.1, mean: 3.8, most: 4.5 }, mosThere: 4.3, jitterMs: { least: 1, mean: 4, most: 31 },
  jitterThereMs: { least: 1, mean: 2, most: 6 }, delayMs: { least: 20, mean: 46, most: 120 }, rttMs: { least: 18, mean: 24, most: 90 },
  verdicts: [{ verdict: 'lossHere', atS: 184, lastedS: 31 }, { verdict: 'muted', atS: 402, lastedS: 6 }],
};

/** Calls of three days, latest first; the two latest missed ones were not looked at. */
export function pastCalls(): HistoryView {
  const past = (id: number, hoursAgo: number, who: [string, string | null], reason: EndReason, lastedS: number | null, change: Partial<PastCallView> = {}): PastCallView => {
    const [number, name] = who;
    const peer: PeerView = { number, name };
    return {
      id, call: null, account: OWN, direction: 'incoming', peer, divertedBy: null, began: Date.now() - hoursAgo * 3_600_000, end: { reason, status: null, lastedS }, recorded: null, elsewhere: false,
      seen: true, summary: null, ...change,
    };
  };
  const missed = (id: number, hoursAgo: number, who: [string, string | null], seen = true) => past(id, hoursAgo, who, 'missed', null, { seen });
  return {
    ...nothingPast,
    calls: [
      past(9, 0.1, ['226', 'Marta Oduya'], 'hungUpThere', 728, { summary, recorded: '/home/nora/Recordings/2026-11-22 12.16.05.042 Z Marta Oduya.wav' }),
      missed(8, 0.3, ['231', 'Tomás Leal'], false),
      missed(7, 0.4, ['231', 'Tomás Leal'], false),
      past(6, 0.6, ['0117 496 0148', null], 'hungUpHere', 190, { direction: 'outgoing', summary: { ...summary, quality: 'clear', verdicts: [] } }),
      past(5, 24.2, ['208', 'Jonas Weller'], 'hungUpHere', 2_491),
      missed(4, 25, ['', null]),
      past(3, 26, ['020 7946 0177', 'Amélie Faure'], 'busy', null, { direction: 'outgoing', end: { reason: 'busy', status: 486, lastedS: null } }),
      past(2, 75, ['07700 900 458', 'Ingrid Sollund'], 'hungUpThere', 121, { divertedBy: { number: '231', name: 'Kenji Morita' } }),
      past(1, 76, ['07700 900 312', 'Samir Haddad'], 'transferred', 64),
    ],
  };
}

/** A call list of which a part took place on other phones of the user's: one was made there, one was taken there. */
export function sharedCalls(): HistoryView {
  const [spoken, first, , , second, ...rest] = pastCalls().calls;
  const end = (reason: EndReason, lastedS: number) => ({ reason, status: null, lastedS });
  return {
    ...nothingPast,
    calls: [
      { ...first!, direction: 'outgoing', seen: true, elsewhere: true, end: end('hungUpThere', 341), began: Date.now() - 120_000 },
      spoken!, { ...second!, elsewhere: true, end: end('answeredElsewhere', 96), began: Date.now() - 3_000_000 }, ...rest,
    ],
  };
}

/** Numbers that Nora may show. */
export const callerIds = (chosen: string | null = null): CallerIdsView => ({
  account: OWN, chosen, numbers: [{ number: '+442079460100', label: 'Main line' }, { number: '+442079460114', label: 'Direct line' }, { number: '+441174960148', label: '' }],
});

/** Queues that Nora serves. */
export const served = (): QueueView[] => [
  { account: OWN, id: 'q1', name: 'Sales', number: '8001', standing: 'ready', saving: false },
  { account: OWN, id: 'q2', name: 'Support', number: '8002', standing: 'paused', saving: false },
  { account: OWN, id: 'q3', name: 'Spare parts', number: '8003', standing: 'loggedOut', saving: false },
];

/** The rules of a PBX: some of them set. */
export function forwarding(change: Partial<ForwardingView> = {}): ForwardingView {
  const states: ForwardWhen[] = ['available', 'busy', 'doNotDisturb', 'away', 'lunch', 'businessTrip', 'offline'];
  const set: Partial<Record<ForwardWhen, Partial<ForwardRuleView>>> = {
    available: { does: 'ring' }, busy: { does: 'ring' }, doNotDisturb: { does: 'voicemail' }, away: { does: 'number', number: '07700 900 312' }, offline: { does: 'voicemail' },
    noAnswer: { does: 'voicemail', afterS: 20 },
  };
  const rule = (when: ForwardWhen, outsideOffice: boolean): ForwardRuleView => ({ when, outsideOffice, does: null, number: '', afterS: null, ...(outsideOffice ? {} : set[when]) });
  return {
    account: OWN, saving: false, problem: null, ...change,
    rules: [...states.map((when) => rule(when, false)), ...states.map((when) => rule(when, true)), rule('noAnswer', false), rule('noAnswerBusy', false)],
  };
}

/** A call list with a call of the echo line. */
export const echoed = (): HistoryView => ({
  ...nothingPast,
  calls: [{ ...pastCalls().calls[0]!, peer: { number: '9196', name: 'Echo' }, recorded: null, summary: { ...summary, quality: 'clear', verdicts: [], lost: 3, rxPackets: 2_997 } }],
});

/** A certificate that is signed by itself. */
export function certificate(server = 'pbx.fairwater.example:8887'): CertificateView {
  return {
    server, fingerprint: '3fa90c71d25e881b46e0972c5af30db8617ec4299308adf6145be730c9826d4a', subject: 'Fairwater PBX', issuer: 'Fairwater PBX',
    selfSigned: true, notBefore: Date.UTC(2026, 2, 2), notAfter: Date.UTC(2027, 2, 1),
  };
}

/** Figures as they are after so many fifths of a second; the levels look like two people taking turns. */
export function media(tick: number, quality: Quality = 'clear'): CallReport {
  const wave = (shift: number) => Math.abs(Math.sin(tick * 1.9 + shift) * Math.sin(tick * 0.7 + shift * 2));
  const turn = (tick % 100) / 100;
  const theirs = turn < 0.3 ? 0.35 + 0.65 * wave(0) : turn > 0.55 && turn < 0.75 ? 0.3 * wave(1) : 0;
  const ours = turn > 0.22 && turn < 0.52 ? 0.15 + 0.55 * wave(2) : turn > 0.88 ? 0.2 * wave(3) : 0;
  return {
    rxPackets: 50 * 277 + tick * 10, txPackets: 50 * 277 + tick * 10, lost: 3, late: 1, concealedMs: 80, jitterMs: 2.4, delayMs: 38, rttMs: 11,
    mos: 4.3, quality, levelIn: quality === 'nothing' ? 0 : Math.round(100 * theirs), levelOut: Math.round(100 * ours),
  };
}

/** The tenant Nora belongs to. */
export const tenant: TenantView = { name: 'Fairwater Instruments', domain: 'fairwater.example', picture: null, microsoft: true };

/** A camera that looks for a code. */
export function scan(change: Partial<ScanView> = {}): ScanView {
  const cameras = [{ id: 'video0', name: 'Integrated Camera' }, { id: 'video2', name: 'Desk camera (USB)' }];
  return { cameras, camera: 'video0', state: { is: 'looking' }, problem: null, ...change };
}

/** What a camera sees when somebody holds up a sheet with a code; drawn, and no code that could be read. */
export function preview(): string {
  const dark: string[] = [];
  const corner = (x: number, y: number) => (x < 8 && y < 8) || (x > 12 && y < 8) || (x < 8 && y > 12);
  for (let y = 0; y < 21; y++) for (let x = 0; x < 21; x++) if (!corner(x, y) && (x * 7 + y * 13 + x * y * 5) % 11 < 5) dark.push(`M${x} ${y}h1v1h-1z`);
  for (const [x, y] of [[0, 0], [14, 0], [0, 14]]) dark.push(`M${x} ${y}h7v7h-7zM${x! + 1} ${y! + 1}v5h5v-5zM${x! + 2} ${y! + 2}h3v3h-3z`);
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300"><rect width="400" height="300" fill="#3a3f42"/><rect y="214" width="400" height="86" fill="#2a2e30"/>`
    + `<rect x="286" y="30" width="90" height="150" fill="#454b4e"/><g transform="rotate(4 200 150)"><rect x="122" y="62" width="156" height="172" rx="5" fill="#e9e6de"/>`
    + `<path transform="translate(144 78) scale(5.34)" fill="#23282c" fill-rule="evenodd" d="${dark.join('')}"/></g></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}
