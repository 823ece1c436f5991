// The scenes every screen is drawn and tested in: a picture, and what happened since.
import type { SettingsPage } from '../screens/settings/SettingsList.svelte';
import { noUpdates, type Phone } from '../phone.svelte';
import type { Scripted } from './scripted';
import type { AccountState, AccountView, CallState, CallView, ContactId, ComputerState, ContactsState, ContactView, HearBackView, HistoryView, PhoneEvent, Picture, PolicyView, Quality, TrustedView, UpdateView, VoicemailId, VoicemailsView } from './backend';
import { lamps, ofComputer, people } from './small-contacts';
import { account, audio, callerIds, certificate, echoed, forwarding, media, noContacts, nothingPast, OWN, pastCalls, sharedCalls, plainCall, problem, served, signIn } from './samples';
import { checkScenes } from './check-scenes';
import { signInScenes } from './sign-in-scenes';
import { greeted, listening, voicemails as left } from './voicemail-scenes';

export type Scene = {
  picture: Picture;
  /** What happens once the window listens. */
  events?: PhoneEvent[];
  /** The search field is open, with this in it. */
  find?: string;
  /** The phone came back after a crash. */
  restarted?: boolean;
  /** The keypad of the call is open. */
  keys?: boolean;
  /** The settings are open, on this page. */
  settings?: SettingsPage;
  /** Who is found where contacts are asked for. */
  people?: ContactView[];
  /** The contacts are open: the list alone, with one of them, or with the form. */
  contacts?: 'list' | ContactId | 'new' | 'edit';
  /** The voicemails are open: the list, or one of them. */
  voicemail?: 'list' | VoicemailId | 'greeting';
  /** One of the small windows of a call. */
  window?: 'incoming' | 'compact';
};

/** What of a scene the phone of the window knows by itself. */
export function prepare(phone: Phone, backend: Scripted, scene: Scene): void {
  const { contacts, voicemail } = phone;
  backend.desk = { ...backend.desk, restarted: scene.restarted ?? false };
  voicemail.greeting = scene.voicemail === 'greeting';
  if (typeof scene.voicemail === 'number') voicemail.chosen = scene.voicemail;
  if (typeof scene.contacts === 'number') contacts.chosen = scene.contacts;
  if (scene.contacts === 'edit') [contacts.chosen, contacts.editing] = [6, 'chosen'];
  if (scene.contacts === 'new') contacts.editing = 'new';
}

/** What the window is told to begin with. */
export const beginning = (scene: Scene) => ({ findOpen: scene.find !== undefined, findText: scene.find ?? '', keysOpen: scene.keys ?? false, settings: scene.settings, contacts: scene.contacts !== undefined, voicemail: scene.voicemail !== undefined });

function call(id: number, state: CallState, change: Partial<CallView> = {}): CallView {
  return {
    id, account: OWN, direction: 'outgoing', peer: { number: '07700 900 312', name: 'Marta Oduya' }, state, ...plainCall,
    codec: state.is === 'active' || state.is === 'held' ? 'opus' : null, ...change,
  };
}

const active = (): CallState => ({ is: 'active', since: Date.now() - 277_400 });
const held = (): CallState => ({ is: 'held', since: Date.now() - 730_000 });
const ended = (reason: Extract<CallState, { is: 'ended' }>['end']['reason'], lastedS: number | null, status: number | null = null): CallState => ({ is: 'ended', end: { reason, status, lastedS } });
const spoken = (id: number, quality: Quality = 'clear'): PhoneEvent[] => Array.from({ length: 100 }, (_, tick) => ({ what: 'media', call: id, report: media(tick, quality) }));
const said = (view: CallView): PhoneEvent => ({ what: 'call', view });

const inside = (accounts: AccountView[], calls: CallView[] = [], rest: Omit<Scene, 'picture'> = {}): Scene => ({
  picture: { signIn: signIn({ page: 'done' }), accounts, calls, trusted: [], callPreferences: {}, voicePreferences: {}, watched: [], audio, history: nothingPast, hearBack: { is: 'idle' }, contacts: noContacts }, ...rest,
});

/** On a machine whose administrator settles some things, and slipped in one. */
const managed = (settings: Scene['settings'], events: Scene['events']): Scene => {
  const scene = inside([account()], [], { settings, events });
  const policy: PolicyView = { locked: ['server', 'srtp', 'codecs', 'web_proxy', 'recording', 'pins'], organisation: 'Fairwater Instruments', help: null, transport: null, proxy: null, noRecording: true, faults: ['/etc/carillon/policy.toml: locked.transport: not one of automatic, tls, tcp, udp, wss'] };
  return { ...scene, picture: { ...scene.picture, policy } };
};

const hearing = (hearBack: HearBackView, history = nothingPast): Scene => {
  const scene = inside([account()], [], { settings: 'audio' });
  return { ...scene, picture: { ...scene.picture, hearBack, history } };
};
/** Nora and those she knows, with what they are doing. */
const knowing = (contacts: Scene['contacts'], state: ContactsState = { is: 'fresh', at: Date.now() }, all = people(), computer?: ComputerState): Scene => {
  const scene = inside([account()], [], { people: all, contacts });
  return { ...scene, picture: { ...scene.picture, watched: all.length > 0 ? lamps() : [], history: pastCalls(), contacts: { version: 1, count: all.length, state, computer } } };
};
/** Nora and what was left for her. */
const messages = (voicemail: Scene['voicemail'], view: Partial<VoicemailsView> = {}, events: PhoneEvent[] = []): Scene => {
  const scene = inside([account(undefined, { mailbox: { waiting: true, new: 3, old: 4 } })], [], { voicemail, events, people: people() });
  return { ...scene, picture: { ...scene.picture, watched: lamps(), voicemails: { ...left(), ...view }, greetings: greeted() } };
};
/** Where this computer has an address book that is to be shown. */
const privately = (computer: ComputerState): Scene => {
  const scene = inside([account()], [], { settings: 'privacy', events: [{ what: 'desktop', preferences: { computerContacts: true } }] });
  return { ...scene, picture: { ...scene.picture, contacts: { ...noContacts, computer } } };
};
/** As many as a large company has. */
const crowd = (): ContactView[] => Array.from({ length: 10_000 }, (_, n) => ({ ...people()[n % 10]!, id: n + 1, name: `${people()[n % 10]!.name} ${n}`, favorite: false }));
const remembering = (history: HistoryView): Scene => {
  const scene = inside([account()]);
  return { ...scene, picture: { ...scene.picture, history } };
};
const harbour = (state?: AccountState) => account(state, {
  id: '31@harbour.example', displayName: 'Nora Lindqvist', extension: '31', domain: 'harbour.example', server: '198.51.100.7:5070', transport: 'tcp', session: { is: 'none' },
});
const trusting = (trusted: TrustedView[]): Scene => {
  const scene = inside([account()], [], { settings: 'certificates' });
  return { ...scene, picture: { ...scene.picture, trusted } };
};
/** The phone's codecs, one of a later phone among them; `off` are not used. */
const codecs = (...off: string[]): PhoneEvent => ({
  what: 'callPreferences', preferences: { codecs: ['opus', 'EVS', 'G722', 'PCMU', 'PCMA'].map((name) => ({ name, used: !off.includes(name) })) },
});
/** The PBX takes callers to a voicemail. */
const voicemails: PhoneEvent = { what: 'callPreferences', preferences: { codes: { toVoicemail: '*55' } } };
const marta = { number: '07700 900 312', name: 'Marta Oduya' };
const kenji = { number: '231', name: 'Kenji Morita' };
const ingrid = { number: '07700 900 458', name: 'Ingrid Sollund' };
const earlierCalls = (): PhoneEvent[] => [
  said(call(1, ended('hungUpHere', 491), { peer: { number: '020 7946 0177', name: 'Amélie Faure' } })),
  said(call(2, ended('noAnswer', null, 480), { peer: { number: '231', name: 'Kenji Morita' } })),
  said(call(3, ended('missed', null, 487), { direction: 'incoming', peer: { number: '208', name: 'Tomás Leal' } })),
  said(call(4, ended('hungUpThere', 182), { peer: { number: '020 7946 0148', name: null } })),
];

const newer = { version: '1.4.0', notes: 'https://carillon.example/news' };
/** A phone that knows this of newer versions. */
const updated = (settings: 'about' | undefined, view: Partial<UpdateView>): Scene => inside([account()], [], { settings, events: [...(settings ? [] : earlierCalls()), { what: 'update', view: { ...noUpdates, ...view } }] });

/** All scenes by name. Made anew each time, for their clocks start when they are made. */
export const scenes = {
  ...signInScenes,
  ...checkScenes(() => inside([account()], [], { settings: 'check' })),
  empty: () => inside([account()]),
  history: () => remembering(pastCalls()),
  'history-elsewhere': () => remembering(sharedCalls()),
  'history-earlier': () => remembering({ ...pastCalls(), earlier: true, problem: problem('historyBroken', '/home/nora/.local/share/carillon/history.unreadable-1790000000000.db') }),
  contacts: () => knowing('list'),
  'contacts-one': () => knowing(2),
  'contacts-own': () => knowing(6),
  'contacts-computer': () => knowing(11, undefined, [...people(), ofComputer()], { is: 'fresh' }),
  'contacts-offered': () => knowing('list', { is: 'none' }, [], { is: 'off' }),
  'contacts-new': () => knowing('new'),
  'contacts-edit': () => knowing('edit'),
  'contacts-empty': () => knowing('list', { is: 'fresh', at: Date.now() }, []),
  'contacts-loading': () => knowing('list', { is: 'loading' }, []),
  'contacts-stale': () => knowing('list', { is: 'stale', at: Date.now() - 7_200_000, problem: problem('serverSilent') }),
  'contacts-many': () => knowing('list', undefined, crowd()),
  'find-contacts': () => ({ ...knowing(undefined), find: '020 7946' }),
  'find-name': () => ({ ...knowing(undefined), find: 'mar' }),
  registering: () => inside([account({ is: 'registering' })]),
  reconnecting: () => inside([account({ is: 'reconnecting', retryAt: Date.now() + 3_900, problem: problem('serverSilent', 'REGISTER to 192.0.2.10:5060 timed out after 32 s'), status: 408 })], [], { events: earlierCalls() }),
  offline: () => inside([account({ is: 'offline', problem: problem('sipPasswordWrong'), status: 403 })]),
  'session-expired': () => inside([account(undefined, { session: { is: 'expired' }, secretsInMemory: true })]),
  enforced: () => inside([account(undefined, { enforced: { theme: 'dark', language: 'de-DE', hidden: ['settings'], codecs: true } })]),
  'two-accounts': () => inside([account(), harbour({ is: 'reconnecting', retryAt: Date.now() + 3_900, problem: problem('serverSilent'), status: null })], [], { events: earlierCalls() }),
  'find-shown-as': () => inside([account()], [], { events: [...earlierCalls(), { what: 'callerIds', views: [callerIds('+442079460114')] }], find: '020 7946' }),
  'find-hidden': () => inside([account(undefined, { hidden: true })], [], { events: [...earlierCalls(), { what: 'callerIds', views: [callerIds()] }], find: '020 7946' }),
  'find-both-as': () => inside([account(), harbour()], [], { events: [...earlierCalls(), { what: 'callerIds', views: [callerIds()] }], find: '020 7946' }),
  'settings-shown-as': () => inside([account()], [], { settings: 'accounts', events: [{ what: 'callerIds', views: [callerIds('+442079460114')] }] }),
  'find-call-as': () => inside([account(), harbour()], [], { events: earlierCalls(), find: '020 7946' }),
  'settings-accounts': () => inside([account()], [], { settings: 'accounts' }),
  'settings-connection': () => inside([
    account(undefined, { connection: { ice: 'auto', stun: 'stun.fairwater.example', turn: 'turn.fairwater.example', turnOver: 'tls', turnUser: 'nora' } }),
  ], [], { settings: 'accounts' }),
  'settings-accounts-trouble': () => inside([
    account({ is: 'offline', problem: problem('sipPasswordWrong', 'REGISTER refused'), status: 403 }, { session: { is: 'expired' }, secretsInMemory: true }),
    harbour({ is: 'reconnecting', retryAt: Date.now() + 3_900, problem: problem('serverSilent', 'REGISTER timed out after 32 s'), status: 408 }),
  ], [], { settings: 'accounts' }),
  'settings-voice': () => inside([account()], [], { settings: 'voice', events: [{ what: 'levels', microphone: 78, speaker: 0 }, { what: 'levels', microphone: 62, speaker: 41 }] }),
  'settings-certificates': () => trusting([
    { server: 'pbx.fairwater.example:8887', fingerprint: certificate().fingerprint },
    { server: '192.0.2.10:8887', fingerprint: certificate().fingerprint.split('').reverse().join('') },
  ]),
  'settings-certificates-empty': () => trusting([]),
  find: () => inside([account()], [], { events: earlierCalls(), find: '020 7946' }),
  'find-empty': () => inside([account()], [], { find: '' }),
  'find-offline': () => inside([account({ is: 'registering' })], [], { find: '9196' }),
  calling: () => inside([account()], [call(5, { is: 'calling' })]),
  ringing: () => inside([account()], [call(5, { is: 'ringing' })], { events: earlierCalls() }),
  incoming: () => inside([account()], [call(5, { is: 'incoming' }, { direction: 'incoming', peer: { number: '07700 900 458', name: 'Ingrid Sollund' } })], { events: earlierCalls() }),
  'incoming-unknown': () => inside([account()], [call(5, { is: 'incoming' }, { direction: 'incoming', peer: { number: '0117 496 0148', name: null } })]),
  'active-call': () => inside([account()], [call(5, active(), { direction: 'incoming', peer: marta })], { events: [...earlierCalls(), ...spoken(5)] }),
  'active-muted': () => inside([account()], [call(5, active(), { muted: true, codec: 'PCMU' })], { events: spoken(5, 'choppy') }),
  'muted-talk': () => inside([account()], [call(5, active(), { peer: marta, muted: true, mutedTalk: true })], { events: spoken(5) }),
  'active-silent': () => inside([account()], [call(5, active())], { events: spoken(5, 'nothing') }),
  'verdict-microphone': () => inside([account()], [call(5, active(), { verdict: 'microphoneSilent' })], { events: spoken(5) }),
  'verdict-muted': () => inside([account()], [call(5, active(), { muted: true, verdict: 'muted' })], { events: spoken(5) }),
  'verdict-nothing': () => inside([account()], [call(5, active(), { verdict: 'blockedInward' })], { events: spoken(5, 'nothing') }),
  'active-recording': () => inside([account()], [call(5, active(), { recording: true, recorded: '/home/nora/Recordings/2026-11-22 12.16.05.042 Z Marta Oduya.wav' })], { events: spoken(5) }),
  'active-keypad': () => inside([account()], [call(5, active(), { digits: '1#4407' })], { events: spoken(5), keys: true }),
  'active-and-incoming': () => inside([account()], [call(5, active(), { peer: marta }), call(6, { is: 'incoming' }, { direction: 'incoming', peer: { number: '07700 900 458', name: 'Ingrid Sollund' } })], { events: spoken(5) }),
  'held-there': () => inside([account()], [call(5, active(), { remoteHeld: true })], { events: spoken(5, 'nothing') }),
  'two-calls': () => inside([account()], [call(4, held(), { peer: kenji }), call(5, active(), { peer: marta })], { events: spoken(5) }),
  'three-calls': () => inside([account()], [call(3, held(), { peer: ingrid, remoteHeld: true }), call(4, held(), { peer: kenji }), call(5, active(), { peer: marta, muted: true })], { events: spoken(5) }),
  'all-held': () => inside([account()], [call(4, held(), { peer: kenji }), call(5, held(), { peer: marta })]),
  conference: () => inside([account()], [call(4, active(), { peer: kenji, merged: true }), call(5, active(), { peer: marta, merged: true })], { events: [...spoken(4, 'choppy'), ...spoken(5)] }),
  'conference-held': () => inside([account()], [call(3, held(), { peer: ingrid, merged: true }), call(4, held(), { peer: kenji, merged: true }), call(5, active(), { peer: marta })], { events: spoken(5) }),
  transferring: () => inside([account()], [call(5, active(), { transfer: { to: '231', status: 180 }, digitsWaiting: '1234#' })], { events: spoken(5) }),
  forwarded: () => inside([account()], [call(5, { is: 'incoming' }, { direction: 'incoming', peer: ingrid, divertedBy: kenji })]),
  'sip-certificate': () => inside([account({ is: 'offline', problem: problem('certificateUntrusted'), status: null }, { transport: 'tls', certificate: certificate('pbx.fairwater.example:5061') })]),
  voicemail: () => messages('list'),
  'voicemail-one': () => messages(7),
  'voicemail-playing': () => messages(7, {}, [listening()]),
  'voicemail-loading-sound': () => messages(7, {}, [listening({ is: 'loading' })]),
  'voicemail-unplayable': () => messages(7, {}, [listening({ is: 'failed', problem: problem('soundUnknown', '48213 bytes, audio/x-gsm') })]),
  'voicemail-saved': () => messages(7, {}, [{ what: 'soundSaved', sound: { is: 'voicemail', id: 7 }, path: '/home/nora/Downloads/2026-11-22 12.31.05.000 Z Priya Raman.wav' }]),
  'voicemail-empty': () => messages('list', { messages: [] }),
  'voicemail-loading': () => messages('list', { messages: [], state: { is: 'loading' } }),
  'voicemail-stale': () => messages('list', { state: { is: 'stale', at: Date.now() - 7_200_000, problem: problem('serverSilent') } }),
  'voicemail-never': () => messages('list', { messages: [], state: { is: 'stale', at: null, problem: problem('serverFailed', 'HTTP 500') } }),
  'settings-forwarding': () => inside([account()], [], { settings: 'forwarding', events: [{ what: 'forwarding', views: [forwarding()] }] }),
  'settings-forwarding-refused': () => inside([account()], [], { settings: 'forwarding', events: [{ what: 'forwarding', views: [forwarding({ problem: problem('serverSilent') })] }] }),
  queues: () => inside([account()], [], { events: [{ what: 'ownPresence', views: [{ account: OWN, presence: 'available', note: '' }] }, { what: 'queues', views: served() }] }),
  status: () => inside([account()], [], { events: [{ what: 'ownPresence', views: [{ account: OWN, presence: 'lunch', note: 'Back at two' }] }] }),
  greeting: () => messages('greeting'),
  'greeting-recording': () => messages('greeting', {}, [{ what: 'greetings', view: { ...greeted(), draft: { is: 'recording', ms: 7_300, level: 62 } } }]),
  'greeting-ready': () => messages('greeting', {}, [{ what: 'greetings', view: { ...greeted(), draft: { is: 'ready', lengthMs: 12_400 } } }]),
  'greeting-failed': () => messages('greeting', {}, [{ what: 'greetings', view: { ...greeted(), draft: { is: 'failed', problem: problem('soundUnknown', 'not a WAV file of PCM or G.711') } } }]),
  'voicemail-call': () => messages('list', { messages: [], state: { is: 'none' } }),
  'do-not-disturb': () => inside([account()], [], { events: [...earlierCalls(), { what: 'callPreferences', preferences: { doNotDisturb: true } }] }),
  message: () => inside([account()], [], { events: [...earlierCalls(), { what: 'message', view: { id: 7, account: OWN, peer: marta, text: 'The courier is at the gate.\nShall I let him in?', at: Date.now(), state: { is: 'received' } } }] }),
  'settings-codecs': () => inside([account()], [], { settings: 'codecs', events: [codecs()] }),
  'settings-about': () => updated('about', { state: 'unknown' }),
  'settings-about-off': () => updated('about', { state: 'off' }),
  'settings-about-current': () => updated('about', { state: 'current' }),
  'settings-about-available': () => updated('about', { state: 'available', installable: true, ...newer }),
  'settings-about-failed': () => updated('about', { state: 'failed', problem: problem('updateRefused', 'not signed by who makes the product') }),
  'update-available': () => updated(undefined, { state: 'available', installable: true, ...newer }),
  'update-elsewhere': () => updated(undefined, { state: 'available', ...newer }),
  'update-fetching': () => updated(undefined, { state: 'fetching', installable: true, percent: 62, ...newer }),
  'update-ready': () => updated(undefined, { state: 'ready', installable: true, percent: 100, ...newer }),
  'update-replaced': () => updated(undefined, { state: 'replaced', installable: true, percent: 100, ...newer }),
  'settings-policy': () => managed('accounts', []),
  restarted: () => inside([account()], [], { restarted: true }),
  'settings-network': () => inside([account()], [], { settings: 'network' }),
  'settings-network-address': () => inside([account()], [], { settings: 'network', events: [{ what: 'webProxy', preference: { way: 'address', address: 'http://proxy.example.com:3128' } }] }),
  'settings-network-settled': () => managed('network', [{ what: 'webProxy', preference: { way: 'address', address: 'socks5://gateway.fairwater.example:1080' } }]),
  'settings-policy-calls': () => managed('calls', []),
  'settings-policy-codecs': () => managed('codecs', [codecs('opus', 'PCMA')]),
  'settings-codecs-settled': () => inside([account(undefined, { enforced: { theme: null, language: null, hidden: [], codecs: true } })], [], { settings: 'codecs', events: [codecs('G722', 'opus')] }),
  'settings-audio': () => inside([account()], [], { settings: 'audio' }),
  'hear-back-recording': () => hearing({ is: 'recording', leftMs: 2_900, level: 58 }),
  'hear-back-quiet': () => hearing({ is: 'done', heard: 'tooQuiet' }, echoed()),
  'device-changed': () => inside([account()], [call(5, active())], { events: [...spoken(5), { what: 'deviceChanged', news: { role: 'speaker', name: 'Laptop speakers', insteadOf: 'Jabra Evolve2 65', unplugged: true, gapMs: 40 } }] }),
  'settings-privacy': () => { const scene = inside([account()], [], { settings: 'privacy', events: [{ what: 'callPreferences', preferences: { keepCalls: 'quarter', publishPresence: true } }] }); return { ...scene, picture: { ...scene.picture, history: pastCalls() } }; },
  'settings-privacy-computer': () => privately({ is: 'fresh' }),
  'settings-privacy-failed': () => privately({ is: 'failed', problem: problem('addressBookFailed', 'it takes too long') }),
  'settings-calls': () => inside([account()], [], { settings: 'calls' }),
  ended: () => inside([account()], [call(5, active())], { events: [...earlierCalls(), said(call(5, ended('hungUpThere', 277), { codec: 'opus' }))] }),
  'ended-busy': () => inside([account()], [call(5, { is: 'ringing' })], { events: [said(call(5, ended('busy', null, 486)))] }),
  'ended-lost': () => inside([account()], [call(5, active())], { events: [said(call(5, ended('connectionLost', 64)))] }),
  asked: () => inside([account()], [], { events: [{ what: 'asked', view: { target: '+4930901820', waits: false, plain: true } }] }),
  'asked-code': () => inside([account()], [], { events: [{ what: 'asked', view: { target: '*72900', waits: false, plain: false } }] }),
  'asked-waits': () => inside([account({ is: 'registering' })], [], { events: [{ what: 'asked', view: { target: '+4930901820', waits: true, plain: true } }] }),
  'settings-appearance': () => inside([account()], [], { settings: 'appearance', events: [{ what: 'desktop', preferences: { appearance: { theme: null, language: null } } }] }),
  'settings-keyboard': () => inside([account()], [], { settings: 'keyboard', events: [{ what: 'desktop', preferences: { keys: { answer: 'Ctrl+Shift+F9' } } }] }),
  'settings-desktop': () => inside([account()], [], { settings: 'desktop', events: [{ what: 'desktop', preferences: { closeToTray: true, incomingWindow: true, notifications: true, compactWindow: true, stayAwake: true, keys: { answer: 'Ctrl+Shift+F9' }, screenPop: { when: 'ring', url: '' } } }] }),
  'window-incoming': () => inside([account()], [call(5, { is: 'incoming' }, { direction: 'incoming', peer: ingrid })], { window: 'incoming', events: [voicemails] }),
  'window-incoming-forwarded': () => inside([account(), harbour()], [call(5, { is: 'incoming' }, { direction: 'incoming', peer: { number: '0117 496 0148', name: null }, divertedBy: kenji })], { window: 'incoming', events: [voicemails] }),
  'window-compact': () => inside([account()], [call(5, active(), { peer: marta })], { window: 'compact', events: spoken(5) }),
  'window-compact-held': () => inside([account()], [call(4, held(), { peer: kenji }), call(5, held(), { peer: marta })], { window: 'compact' }),
  'window-compact-calling': () => inside([account()], [call(5, { is: 'calling' })], { window: 'compact' }),
  notice: () => inside([account()], [], { events: [{ what: 'notice', problem: problem('noMicrophone', 'cpal: no input device'), call: null }] }),
} satisfies Record<string, () => Scene>;

export type SceneName = keyof typeof scenes;
