// The phone as the window sees it: every event folded into the picture, nothing else.
import { createContext } from 'svelte';
import {
  type AccountView, type AudioView, type Backend, type CallId, type CallPreferences, type CallReport, type CallView, type Command, type DeviceNews, type EnforcedView, type MessageView, type PhoneEvent,
  type Picture, type Problem, problemOf, type RoleView, type SignInView, type TrustedView, type VoicePreferences, type WatchedView,
} from './backend/backend';

/** Levels of both voices since the last report, 0 to 100. */
export type Level = { them: number; you: number };

/** A call of this session, running or over, with when the window first and last heard of it. */
export type SessionCall = { view: CallView; since: number; endedAt: number | null };

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

/** Before anything of the sound system is known. */
export const noAudio: AudioView = { microphone: noDevices, speaker: noDevices, ringer: noDevices, ring: { tone: 'carillon', volume: 100, everywhere: false } };

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
  /** Text messages that came and were not read yet, oldest first. */
  messages = $state.raw<MessageView[]>([]);

  /** Calls that have not ended, oldest first. */
  running = $derived(this.calls.filter((call) => call.view.state.is !== 'ended').toReversed());
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

  #backend: Backend;
  #noticeId = 0;

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
    return stop;
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
      case 'digitHeard':
      case 'summary':
        break;
      case 'notice':
        this.#tell(event.problem, event.call);
        break;
    }
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

  #turn(view: SignInView): void {
    this.signIn = view;
    if (!this.#looking) this.preview = null;
  }

  get #looking(): boolean {
    return this.signIn.page === 'scan' && this.signIn.scan?.state.is === 'looking';
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
