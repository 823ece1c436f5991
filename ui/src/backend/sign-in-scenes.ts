// The scenes of the wizard, page by page.
import type { SignInView } from './backend';
import { account, audio, certificate, noContacts, nothingPast, preview, problem, scan, signIn, tenant } from './samples';
import type { Scene } from './scenes';

const wizard = (change: Partial<SignInView>, rest: Omit<Scene, 'picture'> = {}): Scene => ({
  picture: { signIn: signIn(change), accounts: [], calls: [], trusted: [], callPreferences: {}, voicePreferences: {}, watched: [], audio, history: nothingPast, hearBack: { is: 'idle' }, contacts: noContacts }, ...rest,
});
/** The wizard of a phone somebody is signed in to. */
const again = (change: Partial<SignInView>): Scene => ({
  picture: { signIn: signIn(change), accounts: [account(undefined, { session: { is: 'expired' } })], calls: [], trusted: [], callPreferences: {}, voicePreferences: {}, watched: [], audio, history: nothingPast, hearBack: { is: 'idle' }, contacts: noContacts },
});

const filled = { domain: 'fairwater.example', server: 'pbx.fairwater.example' };
const known = { ...filled, tenant, username: 'nora.lindqvist' };
const onUserPage = { ...filled, page: 'user', tenant } as const;
const onCodePage = { ...known, page: 'code' } as const;
const policy = { minLength: 8, maxLength: 32, letters: true, digits: true, special: true, noSequences: true, noRepeats: true, noAccountName: true };
const onNewPassword = { ...known, page: 'newPassword', newPassword: { forced: true, oldNeeded: false, policy } } as const;
const locked = { password: false, microsoft: true, qr: true, sip: false, domain: 'hidden', server: 'hidden' } as const;
const address = 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=7d1c2e80-8f1a-4f0e-9a51-2f7be7f1b2c4&response_type=code&redirect_uri=https%3A%2F%2Fpbx.fairwater.example%2Fcallback';
const waiting = (change: Partial<NonNullable<SignInView['browser']>> = {}) => ({ address: null, until: Date.now() + 281_000, ...change });
const seen = { events: [{ what: 'preview', picture: preview() }] } satisfies Omit<Scene, 'picture'>;

/** All scenes of the wizard by name. Made anew each time, for their clocks start when they are made. */
export const signInScenes = {
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
  'server-fixed': () => wizard({ ...filled, ways: { ...locked, password: true, sip: true, domain: 'fixed', server: 'fixed' } }),
  'server-hidden': () => wizard({ ...filled, ways: locked }),
  'server-hidden-error': () => wizard({ ...filled, ways: locked, problem: problem('serverSilent') }),
  'server-add': () => again({ ...filled, earlierDomains: ['fairwater.example'], earlierServers: ['pbx.fairwater.example'] }),
  'user-no-microsoft': () => wizard({ ...onUserPage, tenant: { ...tenant, microsoft: false } }),
  'user-microsoft-busy': () => wizard({ ...onUserPage, ways: locked, busy: true }),
  'user-only-microsoft': () => wizard({ ...onUserPage, ways: locked }),
  'user-no-way': () => wizard({ ...onUserPage, tenant: { ...tenant, microsoft: false }, ways: { ...locked, qr: false } }),
  'user-denied': () => wizard({ ...onUserPage, problem: problem('consentDenied', 'access_denied') }),
  'user-password-changed': () => wizard({ ...onUserPage, username: 'nora.lindqvist', news: 'passwordChanged' }),
  'user-again': () => again({ ...onUserPage, username: 'nora.lindqvist', news: 'signInAgain' }),
  code: () => wizard({ ...onCodePage, code: { sent: true, againAt: Date.now() + 41_900 } }),
  'code-again': () => wizard({ ...onCodePage, code: { sent: true, againAt: Date.now() - 1 } }),
  'code-news': () => wizard({ ...onCodePage, code: { sent: true, againAt: Date.now() + 59_900 }, news: 'codeSent' }),
  'code-busy': () => wizard({ ...onCodePage, busy: true, code: { sent: false, againAt: Date.now() + 59_900 } }),
  'code-wrong': () => wizard({ ...onCodePage, code: { sent: true, againAt: Date.now() + 12_900 }, problem: problem('secondFactorWrong', 'HTTP 400 INVALID_OTP') }),
  'code-not-sent': () => wizard({ ...onCodePage, code: { sent: false, againAt: Date.now() - 1 }, problem: problem('serverFailed', 'HTTP 502') }),
  'code-no-session': () => wizard({ ...onCodePage, code: { sent: true, againAt: Date.now() + 12_900 }, problem: problem('sessionMissing') }),
  'new-password': () => wizard(onNewPassword),
  'new-password-old': () => wizard({ ...onNewPassword, newPassword: { forced: true, oldNeeded: true, policy: null } }),
  'new-password-link': () => wizard({ ...onNewPassword, newPassword: { forced: false, oldNeeded: false, policy } }),
  'new-password-busy': () => wizard({ ...onNewPassword, busy: true }),
  'new-password-refused': () => wizard({ ...onNewPassword, problem: problem('newPasswordRefused', 'HTTP 400 PASSWORD_TOO_WEAK') }),
  'new-password-old-wrong': () => wizard({ ...onNewPassword, newPassword: { forced: true, oldNeeded: true, policy }, problem: problem('oldPasswordWrong') }),
  forgot: () => wizard({ ...known, page: 'forgot', forgot: { asked: false } }),
  'forgot-busy': () => wizard({ ...known, page: 'forgot', busy: true, forgot: { asked: false } }),
  'forgot-asked': () => wizard({ ...known, page: 'forgot', forgot: { asked: true } }),
  'forgot-bad-link': () => wizard({ ...known, page: 'forgot', forgot: { asked: true }, problem: problem('resetLinkInvalid') }),
  browser: () => wizard({ ...known, page: 'browser', browser: waiting() }),
  'browser-none': () => wizard({ ...known, page: 'browser', browser: waiting({ address }), problem: problem('noBrowser') }),
  scan: () => wizard({ ...filled, page: 'scan', scan: scan() }, seen),
  'scan-starting': () => wizard({ ...filled, page: 'scan', scan: scan({ cameras: [], camera: null, state: { is: 'starting' } }) }),
  'scan-no-camera': () => wizard({ ...filled, page: 'scan', scan: scan({ cameras: [], camera: null, state: { is: 'failed', problem: problem('noCamera') } }) }),
  'scan-camera-busy': () => wizard({ ...filled, page: 'scan', scan: scan({ state: { is: 'failed', problem: problem('cameraBusy', 'v4l2: VIDIOC_STREAMON: EBUSY') } }) }),
  'scan-other-code': () => wizard({ ...filled, page: 'scan', scan: scan({ problem: problem('notASignInCode', 'this is not a sign-in code: it seems to be a link to www.example.com') }) }, seen),
  'scan-busy': () => wizard({ ...filled, page: 'scan', scan: scan() }, {
    events: [...seen.events, { what: 'signIn', view: signIn({ ...filled, page: 'scan', busy: true }) }],
  }),
  'scan-outdated': () => wizard({ ...filled, page: 'scan', scan: scan(), problem: problem('codeOutdated', 'HTTP 404') }, seen),
  'scan-certificate': () => wizard({ ...filled, page: 'scan', scan: scan(), problem: problem('certificateUntrusted'), certificate: certificate() }, seen),
  sip: () => wizard({ page: 'sip' }),
  'sip-busy': () => wizard({ page: 'sip', busy: true }),
  'sip-error': () => wizard({ page: 'sip', problem: problem('serverInvalid', 'pbx fairwater') }),
} satisfies Record<string, () => Scene>;
