// The scenes every screen is drawn and tested in: a picture, and what happened since.
import type {
  AccountState, AccountView, CallReport, CallState, CallView, CertificateView, Code, PhoneEvent, Picture, Problem, Quality, SignInView,
} from './backend';

export type Scene = {
  picture: Picture;
  /** What happens once the window listens. */
  events?: PhoneEvent[];
  /** The search field is open, with this in it. */
  find?: string;
  /** The keypad of the call is open. */
  keys?: boolean;
};

const OWN = 'nora.lindqvist@fairwater.example';

const problem = (code: Code, detail: string | null = null, retryAfterS: number | null = null): Problem => ({ code, detail, retryAfterS });

/** The wizard as it starts, with changes. */
export function signIn(change: Partial<SignInView> = {}): SignInView {
  return {
    page: 'server', busy: false, domain: '', server: '', username: '', tenant: null, problem: null, certificate: null,
    earlierDomains: [], earlierServers: [], ...change,
  };
}

/** Nora's account, registered unless told otherwise. */
export function account(state: AccountState = { is: 'registered', expiresS: 300, rttMs: 12 }, change: Partial<AccountView> = {}): AccountView {
  return {
    id: OWN, displayName: 'Nora Lindqvist', extension: '214', domain: 'fairwater.example', server: 'pbx.fairwater.example', transport: 'udp',
    state, session: { is: 'open' }, secretsInMemory: false, ...change,
  };
}

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

function call(id: number, state: CallState, change: Partial<CallView> = {}): CallView {
  return {
    id, account: OWN, direction: 'outgoing', peer: { number: '07700 900 312', name: 'Marta Oduya' }, state, muted: false, digits: '',
    codec: state.is === 'active' ? 'opus' : null, encrypted: false, setupMs: null, ...change,
  };
}

const active = (): CallState => ({ is: 'active', since: Date.now() - 277_400 });
const ended = (reason: Extract<CallState, { is: 'ended' }>['end']['reason'], lastedS: number | null, status: number | null = null): CallState => ({ is: 'ended', end: { reason, status, lastedS } });
const spoken = (id: number, quality: Quality = 'clear'): PhoneEvent[] => Array.from({ length: 100 }, (_, tick) => ({ what: 'media', call: id, report: media(tick, quality) }));
const said = (view: CallView): PhoneEvent => ({ what: 'call', view });

const wizard = (change: Partial<SignInView>): Scene => ({ picture: { signIn: signIn(change), accounts: [], calls: [] } });
const inside = (accounts: AccountView[], calls: CallView[] = [], rest: Omit<Scene, 'picture'> = {}): Scene => ({
  picture: { signIn: signIn({ page: 'done' }), accounts, calls }, ...rest,
});

const tenant = { name: 'Fairwater Instruments', domain: 'fairwater.example', picture: null, microsoft: true };
const filled = { domain: 'fairwater.example', server: 'pbx.fairwater.example' };
const onUserPage = { ...filled, page: 'user', tenant } as const;
const marta = { number: '07700 900 312', name: 'Marta Oduya' };
const earlierCalls = (): PhoneEvent[] => [
  said(call(1, ended('hungUpHere', 491), { peer: { number: '020 7946 0177', name: 'Amélie Faure' } })),
  said(call(2, ended('noAnswer', null, 480), { peer: { number: '231', name: 'Kenji Morita' } })),
  said(call(3, ended('missed', null, 487), { direction: 'incoming', peer: { number: '208', name: 'Tomás Leal' } })),
  said(call(4, ended('hungUpThere', 182), { peer: { number: '020 7946 0148', name: null } })),
];

/** All scenes by name. Made anew each time, for their clocks start when they are made. */
export const scenes = {
  'server-empty': () => wizard({}),
  'server-earlier': () => wizard({ domain: 'fairwater.example', earlierDomains: ['fairwater.example', 'harbour.example'], earlierServers: ['pbx.fairwater.example'] }),
  'server-busy': () => wizard({ ...filled, busy: true }),
  'server-error': () => wizard({ domain: 'fairwater.example', server: 'pbx.fairwater.exmaple', problem: problem('serverNotFound', 'no such host: pbx.fairwater.exmaple') }),
  'domain-error': () => wizard({ domain: 'fairwatr.example', server: 'pbx.fairwater.example', problem: problem('domainUnknown') }),
  certificate: () => wizard({ ...filled, problem: problem('certificateUntrusted'), certificate: certificate() }),
  'certificate-changed': () => wizard({ ...filled, problem: problem('certificateChanged'), certificate: { ...certificate(), selfSigned: false, issuer: 'Harbour Root CA' } }),
  user: () => wizard({ ...onUserPage, username: 'nora.lindqvist' }),
  'user-busy': () => wizard({ ...onUserPage, username: 'nora.lindqvist', busy: true }),
  'user-wrong': () => wizard({ ...onUserPage, username: 'nora.lindqvist', problem: problem('wrongCredentials', 'HTTP 400 UNAUTHORIZED') }),
  'user-blocked': () => wizard({ ...onUserPage, username: 'nora.lindqvist', problem: problem('blocked', null, 300) }),
  'sip-password': () => wizard({ ...onUserPage, page: 'sipPassword', username: 'nora.lindqvist', problem: problem('sipPasswordNeeded') }),
  'sip-password-wrong': () => wizard({ ...onUserPage, page: 'sipPassword', username: 'nora.lindqvist', problem: problem('sipPasswordWrong', '403 Forbidden') }),
  empty: () => inside([account()]),
  registering: () => inside([account({ is: 'registering' })]),
  reconnecting: () => inside([account({ is: 'reconnecting', retryAt: Date.now() + 3_900, problem: problem('serverSilent', 'REGISTER to 192.0.2.10:5060 timed out after 32 s'), status: 408 })], [], { events: earlierCalls() }),
  offline: () => inside([account({ is: 'offline', problem: problem('sipPasswordWrong'), status: 403 })]),
  'session-expired': () => inside([account(undefined, { session: { is: 'expired' }, secretsInMemory: true })]),
  find: () => inside([account()], [], { events: earlierCalls(), find: '020 7946' }),
  'find-empty': () => inside([account()], [], { find: '' }),
  'find-offline': () => inside([account({ is: 'registering' })], [], { find: '9196' }),
  calling: () => inside([account()], [call(5, { is: 'calling' })]),
  ringing: () => inside([account()], [call(5, { is: 'ringing' })], { events: earlierCalls() }),
  incoming: () => inside([account()], [call(5, { is: 'incoming' }, { direction: 'incoming', peer: { number: '07700 900 458', name: 'Ingrid Sollund' } })], { events: earlierCalls() }),
  'incoming-unknown': () => inside([account()], [call(5, { is: 'incoming' }, { direction: 'incoming', peer: { number: '0117 496 0148', name: null } })]),
  'active-call': () => inside([account()], [call(5, active(), { direction: 'incoming', peer: marta })], { events: [...earlierCalls(), ...spoken(5)] }),
  'active-muted': () => inside([account()], [call(5, active(), { muted: true, codec: 'PCMU' })], { events: spoken(5, 'choppy') }),
  'active-silent': () => inside([account()], [call(5, active())], { events: spoken(5, 'nothing') }),
  'active-keypad': () => inside([account()], [call(5, active(), { digits: '1#4407' })], { events: spoken(5), keys: true }),
  'active-and-incoming': () => inside([account()], [call(5, active(), { peer: marta }), call(6, { is: 'incoming' }, { direction: 'incoming', peer: { number: '07700 900 458', name: 'Ingrid Sollund' } })], { events: spoken(5) }),
  ended: () => inside([account()], [call(5, active())], { events: [...earlierCalls(), said(call(5, ended('hungUpThere', 277), { codec: 'opus' }))] }),
  'ended-busy': () => inside([account()], [call(5, { is: 'ringing' })], { events: [said(call(5, ended('busy', null, 486)))] }),
  'ended-lost': () => inside([account()], [call(5, active())], { events: [said(call(5, ended('connectionLost', 64)))] }),
  notice: () => inside([account()], [], { events: [{ what: 'notice', problem: problem('noMicrophone', 'cpal: no input device'), call: null }] }),
} satisfies Record<string, () => Scene>;

export type SceneName = keyof typeof scenes;
