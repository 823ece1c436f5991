// The phone as the window sees it: every event folded into the picture, nothing else.
import { createContext } from 'svelte';
import {
  type AccountView, type AskedView, type AudioView, type Backend, type BundleView, type CallId, type CallPreferences, type CallReport, type CallView, type CallerIdsView, type CheckView, type Command, type DesktopPreferences, type DesktopView, type DeviceNews, type EnforcedView, type ForwardingView, type HearBackView, type HistoryView, type MessageView, type OwnPresenceView, type PastCallView, type PhoneEvent, type Picture, type PolicyView, type Problem, problemOf, type QueueView, type RoleView, type SignInView, type TrustedView, type UpdateView, type VoicePreferences, type WatchedView, type WebProxyPreference,
} from './backend/backend';
import { Contacts } from './contacts.svelte';
import { Portraits } from './portraits.svelte';
import { noGreetings, noVoicemails, Voicemail } from './voicemail.svelte';

/** Levels of both voices since the last report, 0 to 100. */
export type Level = { them: number; you: number };

/** A call of this session, running or over, with when the window first and last heard of it. */
export type SessionCall = { view: CallView; since: number; endedAt: number | null };

/** A call of the list: in progress, or over, then with what the phone keeps of it. */
export type ListedCall = SessionCall & { past: PastCallView | null };

/** It rang here in vain. */
export const isMissed = ({ view }: SessionCall) => view.state.is === 'ended' && view.state.end.reason === 'missed';

/** How loud microphone and speaker are, 0 to 100. */
export type DeviceLevels = { microphone: number; speaker: number };

/** Levels kept while somebody looks at them: 3 seconds, ten a second. */
const LEVELS_KEPT = 30;

/** Something to be told once. */
export type Notice = { id: number; problem: Problem; call: CallId | null };

/** Calls kept in the list of this session. */
const CALLS_KEPT = 200;

/** Text messages shown at once; older ones step back. */
const MESSAGES_KEPT = 3;

/** Reports kept per call: 20 seconds, five a second. */
export const TRACE_LENGTH = 100;

const nothingYet: SignInView = {
  page: 'server', busy: false, domain: '', server: '', username: '', tenant: null, problem: null, certificate: null,
  earlierDomains: [], earlierServers: [],
  ways: { password: true, microsoft: true, qr: true, sip: true, domain: 'free', server: 'free' },
  code: null, newPassword: null, forgot: null, browser: null, scan: null, news: null,
};

const noDevices: RoleView = { order: [], others: [], defaultName: null, inUse: null, inUseName: null, reason: { is: 'nothing' } };

/** A call out of the list as if it had just ended. Those of earlier runs have no number of their own: theirs is below zero. */
function listed(past: PastCallView): ListedCall {
  const { account, direction, peer, divertedBy, end, recorded, summary } = past;
  const view: CallView = {
    id: past.call ?? -past.id, account, direction, peer, state: { is: 'ended', end }, muted: false, mutedTalk: false, remoteHeld: false, merged: false, divertedBy,
    follows: null, transfer: null, digits: '', digitsWaiting: null, codec: summary?.codec ?? null, protection: { is: 'none' }, setupMs: null, verdict: null,
    recording: false, recorded,
  };
  return { view, since: past.began, endedAt: past.began + 1000 * (end.lastedS ?? 0), past };
}

/** Before anything of the sound system is known. */
export const noAudio: AudioView = { microphone: noDevices, speaker: noDevices, ringer: noDevices, ring: { tone: 'carillon', volume: 100, everywhere: false } };

/** Nobody has asked for a check of the phone. */
const noCheck: CheckView = { running: false, done: false, findings: [], cause: null };

/** Nobody looks for newer versions. */
export const noUpdates: UpdateView = { state: 'off', version: null, notes: null, installable: false, percent: 0, problem: null };

export class Phone {
  /** Whether the first picture has arrived. */
  ready = $state(false);
  /** Why there is no phone, where there is none. */
  failure = $state.raw<Problem | null>(null);
  signIn = $state.raw<SignInView>(nothingYet);
  accounts = $state.raw<AccountView[]>([]);
  /** Certificates trusted on purpose. */
  trusted = $state.raw<TrustedView[]>([]);
  /** What the user prefers in calls. */
  preferences = $state.raw<CallPreferences>({});
  /** What is done to the user's voice. */
  voice = $state.raw<VoicePreferences>({});
  /** How loud it has been of late while the meters are looked at, newest last. */
  levels = $state.raw<DeviceLevels[]>([]);
  /** Other extensions that are watched. */
  watched = $state.raw<WatchedView[]>([]);
  /** What the camera sees, only while a code is looked for through it. */
  preview = $state.raw<string | null>(null);
  /** Calls of this session, newest first. */
  calls = $state.raw<SessionCall[]>([]);
  reports = $state.raw<Record<CallId, CallReport>>({});
  traces = $state.raw<Record<CallId, Level[]>>({});
  notices = $state.raw<Notice[]>([]);
  /** Microphone, speaker and ringing device. */
  audio = $state.raw<AudioView>(noAudio);
  /** Changes of devices under a call, to be told once. */
  deviceNews = $state.raw<{ id: number; news: DeviceNews }[]>([]);
  /** How it stands with the hear-back test. */
  hearBack = $state.raw<HearBackView>({ is: 'idle' });
  /** How it stands with the check of the phone. */
  check = $state.raw<CheckView>(noCheck);
  /** The diagnostic bundle that was made last. */
  bundle = $state.raw<BundleView | null>(null);
  /** How it stands with newer versions of the phone. */
  update = $state.raw<UpdateView>(noUpdates);
  /** The call list, as far as it is known here, newest first. */
  history = $state.raw<HistoryView>({ calls: [], earlier: false, problem: null });
  /** Portraits, as far as they were asked for. */
  readonly portraits = new Portraits((command) => void this.send(command));
  /** The contacts, as far as they were asked for. */
  readonly contacts = new Contacts((command) => void this.send(command));
  /** What others are told of one's being there, for each account whose PBX keeps it. */
  ownPresence = $state.raw<OwnPresenceView[]>([]);
  /** The numbers that calls can show. */
  callerIds = $state.raw<CallerIdsView[]>([]);
  /** The queues that the user serves. */
  queues = $state.raw<QueueView[]>([]);
  /** Where the PBXs send calls. */
  forwarding = $state.raw<ForwardingView[]>([]);
  /** The voicemails, and what is listened to. */
  readonly voicemail = new Voicemail();
  /** How the phone lives in the desktop around its window. */
  desktop = $state.raw<DesktopPreferences>({});
  /** How servers on the web are reached. */
  webProxy = $state.raw<WebProxyPreference>({});
  /** What that desktop lets it do. */
  desk = $state.raw<DesktopView>({ tray: false, globalKeys: false, refusedKeys: [], autostartFailed: false, restarted: false });
  /** What is said after a crash was read. */
  restartRead = $state(false);
  /** A number out of a link that is asked about. */
  asked = $state.raw<AskedView | null>(null);
  /** What the machine's administrator settles; nothing where that is nothing. */
  policy = $state.raw<PolicyView | null>(null);
  /** Text messages that came and were not read yet, oldest first. */
  messages = $state.raw<MessageView[]>([]);

  /** Calls that have not ended, oldest first. */
  running = $derived(this.calls.filter((call) => call.view.state.is !== 'ended').toReversed());
  /** All calls that are known of the accounts there are, newest first. */
  listed = $derived.by((): ListedCall[] => {
    const known = new Set(this.calls.map((call) => call.view.id));
    const kept = new Map(this.history.calls.map((past) => [past.call, past]));
    const former = this.history.calls.filter((past) => (past.call === null || !known.has(past.call)) && this.accounts.some((account) => account.id === past.account));
    const ours = this.calls.map((call) => {
      const past = kept.get(call.view.id) ?? null;
      return { ...call, since: past?.began ?? call.since, past };
    });
    // The window may have come back after a call had begun; its number knows better.
    const later = (a: ListedCall, b: ListedCall) => (a.view.id > 0 && b.view.id > 0 ? b.view.id - a.view.id : b.since - a.since);
    return [...ours, ...former.map(listed)].sort(later);
  });
  /** Missed calls that were not looked at. */
  unseen = $derived(this.listed.filter((call) => isMissed(call) && call.past?.seen === false));
  /** The account the state sentence speaks of: the first that needs a look, else the first. */
  account = $derived(this.accounts.find((account) => account.state.is !== 'registered') ?? this.accounts[0] ?? null);
  /** Whether a call can be made. */
  reachable = $derived(this.accounts.some((account) => account.state.is === 'registered'));
  /** What the PBX settles for the window: each setting as the first account has it that has it. */
  enforced = $derived<EnforcedView>({
    theme: this.accounts.find((account) => account.enforced.theme)?.enforced.theme ?? null,
    language: this.accounts.find((account) => account.enforced.language)?.enforced.language ?? null,
    hidden: this.accounts.find((account) => account.enforced.hidden.length > 0)?.enforced.hidden ?? [],
    codecs: this.accounts.some((account) => account.enforced.codecs),
  });

  /** The languages asked for before those of the system: what the PBX settles, then what the user chose. */
  languages = $derived([this.enforced.language, this.desktop.appearance?.language]);

  /** Whether the machine's policy keeps users from choosing this otherwise. */
  locks(key: string): boolean {
    return this.policy?.locked.includes(key) ?? false;
  }

  #backend: Backend;
  #noticeId = 0;
  #looksBack = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Starts following the phone; the function returned stops it. */
  async follow(): Promise<() => void> {
    const early: PhoneEvent[] = [];
    const stop = await this.#backend.listen((event) => (this.ready ? this.fold(event) : early.push(event)));
    try {
      this.show(await this.#backend.picture());
    } catch (error) {
      this.failure = problemOf(error);
      return stop;
    }
    early.forEach((event) => this.fold(event));
    const leave = await this.#followDesk();
    return () => [stop, leave].forEach((end) => end());
  }

  /** Brings the main window to the front. */
  openMain(): void {
    void this.#backend.shell?.openMain();
  }

  /** Asks something of the phone. */
  async send(command: Command): Promise<void> {
    try {
      await this.#backend.send(command);
    } catch (error) {
      this.#tell(problemOf(error), null);
    }
  }

  /** Takes a whole picture. */
  show(picture: Picture): void {
    this.#turn(picture.signIn);
    this.accounts = picture.accounts;
    this.trusted = picture.trusted;
    this.preferences = picture.callPreferences;
    this.voice = picture.voicePreferences;
    this.watched = picture.watched;
    this.audio = picture.audio;
    this.history = picture.history;
    this.hearBack = picture.hearBack;
    this.check = picture.check ?? noCheck;
    this.update = picture.update ?? noUpdates;
    this.contacts.show(picture.contacts);
    this.policy = picture.policy ?? null;
    this.desktop = picture.desktop ?? {};
    this.webProxy = picture.webProxy ?? {};
    this.asked = picture.asked ?? null;
    this.ownPresence = picture.ownPresence ?? [];
    this.forwarding = picture.forwarding ?? [];
    this.queues = picture.queues ?? [];
    this.callerIds = picture.callerIds ?? [];
    this.voicemail.show(picture.voicemails ?? noVoicemails, picture.player ?? null, picture.greetings ?? noGreetings);
    picture.calls.forEach((view) => this.#put(view));
    this.ready = true;
  }

  /** Takes one change. */
  fold(event: PhoneEvent): void {
    switch (event.what) {
      case 'signIn':
        this.#turn(event.view);
        break;
      case 'account':
        this.accounts = this.accounts.some((known) => known.id === event.view.id)
          ? this.accounts.map((known) => (known.id === event.view.id ? event.view : known))
          : [...this.accounts, event.view];
        break;
      case 'accountGone':
        this.accounts = this.accounts.filter((known) => known.id !== event.account);
        this.calls = this.calls.filter((call) => call.view.account !== event.account);
        break;
      case 'call':
        this.#put(event.view);
        break;
      case 'media': {
        this.reports = { ...this.reports, [event.call]: event.report };
        const level = { them: event.report.levelIn, you: event.report.levelOut };
        this.traces = { ...this.traces, [event.call]: [...(this.traces[event.call] ?? []), level].slice(-TRACE_LENGTH) };
        break;
      }
      case 'preview':
        if (this.#looking) this.preview = event.picture;
        break;
      case 'trusted':
        this.trusted = event.trusted;
        break;
      case 'callPreferences':
        this.preferences = event.preferences;
        break;
      case 'audio':
        this.audio = event.view;
        break;
      case 'deviceChanged': {
        // The latest word on a device is the only true one.
        const rest = this.deviceNews.filter((told) => told.news.role !== event.news.role);
        if (event.news.insteadOf !== null) this.deviceNews = [...rest, { id: ++this.#noticeId, news: event.news }];
        break;
      }
      case 'levels':
        this.levels = [...this.levels, { microphone: event.microphone, speaker: event.speaker }].slice(-LEVELS_KEPT);
        break;
      case 'voicePreferences':
        this.voice = event.preferences;
        break;
      case 'watched':
      case 'watchedGone': {
        const { account, number } = event.what === 'watched' ? event.view : event;
        const rest = this.watched.filter((known) => known.account !== account || known.number !== number);
        this.watched = event.what === 'watched' ? [...rest, event.view] : rest;
        break;
      }
      case 'message':
        if (event.view.state.is === 'received') this.messages = [...this.messages.filter((known) => known.id !== event.view.id), event.view].slice(-MESSAGES_KEPT);
        break;
      case 'contacts':
        this.contacts.show(event.view);
        this.portraits.again();
        break;
      case 'portrait':
        this.portraits.fold(event);
        break;
      case 'contactsFound':
      case 'found':
      case 'contactSaved':
        this.contacts.fold(event);
        break;
      case 'webProxy':
        this.webProxy = event.preference;
        break;
      case 'desktop':
        this.desktop = event.preferences;
        break;
      case 'asked':
        this.asked = event.view;
        break;
      case 'check':
        this.check = event.view;
        break;
      case 'bundle':
        this.bundle = event.view;
        break;
      case 'update':
        this.update = event.view;
        break;
      case 'hearBack':
        this.hearBack = event.view;
        break;
      case 'history':
        this.#keep(event.view);
        break;
      case 'past': {
        const rest = this.history.calls.filter((past) => past.id !== event.view.id);
        const calls = [...rest, event.view].sort((a, b) => b.began - a.began || b.id - a.id);
        // Whoever does not look back needs no more than a few.
        const some = this.#looksBack ? calls : calls.slice(0, CALLS_KEPT);
        this.history = { ...this.history, calls: some, earlier: this.history.earlier || some.length < calls.length };
        break;
      }
      case 'pastGone':
        this.#keep({ ...this.history, calls: this.history.calls.filter((past) => past.id !== event.id) });
        break;
      case 'earlierCalls':
        this.#keep({ ...this.history, calls: [...this.history.calls, ...event.calls], earlier: event.earlier });
        break;
      case 'callerIds':
        this.callerIds = event.views;
        break;
      case 'queues':
        this.queues = event.views;
        break;
      case 'forwarding':
        this.forwarding = event.views;
        break;
      case 'ownPresence':
        this.ownPresence = event.views;
        break;
      case 'voicemails':
      case 'greetings':
      case 'player':
      case 'playedTo':
      case 'soundSaved':
        this.voicemail.fold(event);
        break;
      case 'digitHeard':
      case 'summary':
        break;
      case 'notice':
        this.#tell(event.problem, event.call);
        break;
    }
  }

  /** The missed calls have been looked at. */
  see(): void {
    const latest = this.unseen.map((call) => call.past!).reduce<PastCallView | null>((last, past) => (last && (last.began - past.began || last.id - past.id) > 0 ? last : past), null);
    if (latest) void this.send({ do: 'seeCalls', upTo: latest.id });
  }

  /** Asks for calls before those that are known. */
  askEarlier(): void {
    const earliest = this.history.calls.at(-1);
    this.#looksBack = true;
    if (earliest) void this.send({ do: 'earlierCalls', before: earliest.id });
  }

  /** Takes a text message away that was read. */
  read(id: MessageView['id']): void {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  /** Takes a word on a device away. */
  dismissNews(id: number): void {
    this.deviceNews = this.deviceNews.filter((told) => told.id !== id);
  }

  /** Takes a notice away. */
  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  async #followDesk(): Promise<() => void> {
    const { shell } = this.#backend;
    if (!shell) return () => {};
    const stop = await shell.listen((view) => (this.desk = view));
    this.desk = await shell.desktop();
    return stop;
  }

  #turn(view: SignInView): void {
    this.signIn = view;
    if (!this.#looking) this.preview = null;
  }

  get #looking(): boolean {
    return this.signIn.page === 'scan' && this.signIn.scan?.state.is === 'looking';
  }

  /** Takes the call list as it stands; what was taken off it is forgotten here too. */
  #keep(view: HistoryView): void {
    const gone = this.history.calls.filter((before) => !view.calls.some((past) => past.id === before.id)).map((past) => past.call);
    this.calls = this.calls.filter((call) => call.endedAt === null || !gone.includes(call.view.id));
    this.history = view;
  }

  #put(view: CallView): void {
    const now = Date.now();
    const known = this.calls.find((call) => call.view.id === view.id);
    const endedAt = view.state.is === 'ended' ? (known?.endedAt ?? now) : null;
    this.calls = known
      ? this.calls.map((call) => (call === known ? { ...call, view, endedAt } : call))
      : [...this.calls, { view, since: now, endedAt }].sort((a, b) => b.view.id - a.view.id).slice(0, CALLS_KEPT);
    if (endedAt !== null) {
      const { [view.id]: _report, ...reports } = this.reports;
      const { [view.id]: _trace, ...traces } = this.traces;
      [this.reports, this.traces] = [reports, traces];
    }
  }

  #tell(problem: Problem, call: CallId | null): void {
    this.notices = [...this.notices, { id: ++this.#noticeId, problem, call }].slice(-3);
  }
}

/** The phone of this window, for every component below the root. */
export const [usePhone, setPhone] = createContext<Phone>();
