// The one door between the UI and the phone. Screens see this interface and these types, nothing below them.
import type { Code, Command, DesktopView, Event, Picture, Problem } from './bindings';

export type {
  AccountId, AccountState, AccountView, AskedView, AudioView, BundleView, CallEnd, CallId, CallPreferences, CallReport, CallState, CallSummary, CallView, CallerIdsView, Check, CheckView, CameraState, CertificateView, Code, CodecPreference, Command, ComputerState, Connection, ContactDraft, ContactFilter, ContactId, ContactKind, ContactNumber, ContactPage, ContactsState, ContactsView, ContactView, DesktopPreferences, DesktopView, DeviceNews, DeviceRole, DeviceView, Diagnosis, Direction, DtmfMode, EndReason, EnforcedView, FieldIs, ForwardDoes, ForwardingView, ForwardRuleView, ForwardWhen, GlobalKeys, Finding, HearBackView, Heard, HiddenWindow, HistoryView, HitView, Ice, KeepCalls, MessageView, NoiseRemoval, NumberKind, Outcome, PasswordPolicyView, PastCallView, PastId, PeerView, Picture, PolicyView, PopWhen, Problem, ProtectionView, Quality, QueueChoice, QueueStanding, QueueView, ReasonView, RecordingNotice, RecordingPreferences, RingPreferences, RingTone, RoleView, ScanView, SessionState, SignInNews, SignInPage, SignInView, SipAccount, SrtpPolicy, TenantView, Theme, Transport, TransportChoice, TrustedView, TurnOver, UpdateState, UpdateView, Verdict, VoicePreferences, WatchedView, WaysView, PlayerState, PlayerView, SoundId, Standing, VoicemailId, VoicemailsView, VoicemailView, Appearance, GreetingsView, GreetingView, OwnPresenceView, PresenceChoice, WebProxyPreference, WebProxyWay,
} from './bindings';
export type PhoneEvent = Event;

export interface Backend {
  /** Asks something of the phone; the answer comes back as events. Refused only where there is no phone to ask. */
  send(command: Command): Promise<void>;
  /** The whole state as it is now. Refused where the phone did not start. */
  picture(): Promise<Picture>;
  /** Hears every event from now on, until the function returned is called. */
  listen(handler: (event: PhoneEvent) => void): Promise<() => void>;
  /** The desktop around the window, where there is one. */
  shell?: Shell;
}

/** What the shell does for the window and knows of the desktop around it. */
export interface Shell {
  /** Brings the main window to the front. */
  openMain(): Promise<void>;
  /** What the desktop lets the phone do. */
  desktop(): Promise<DesktopView>;
  /** Hears when that changes, until the function returned is called. */
  listen(handler: (view: DesktopView) => void): Promise<() => void>;
}

/** What a refusal of the backend says, whether it is a problem, a bare code or something unforeseen. */
export function problemOf(refusal: unknown): Problem {
  if (typeof refusal === 'object' && refusal !== null && 'code' in refusal) return refusal as Problem;
  const isCode = typeof refusal === 'string' && /^[a-z][A-Za-z]+$/.test(refusal);
  return isCode
    ? { code: refusal as Code, detail: null, retryAfterS: null }
    : { code: 'internal', detail: String(refusal), retryAfterS: null };
}
