// The wizard of the small scripted PBX: every way in, with what can go wrong on it.
import type { AccountView, Problem, SignInPage, SignInView, TrustedView } from './backend';
import { account, certificate, preview, problem, scan, signIn, tenant } from './samples';
import type { Script, Scripted } from './scripted';

const PASSWORD = 'correct horse';
const CODE = '482013';
/** Where *Back* leads from each page. */
const before: Partial<Record<SignInPage, SignInPage>> = { code: 'user', newPassword: 'user', forgot: 'user', browser: 'user' };
const policy = { minLength: 8, maxLength: 32, letters: true, digits: true, special: false, noSequences: true, noRepeats: true, noAccountName: true };

/**
 * Domain `fairwater.example` on any server but `nowhere`; `new.*` servers show a certificate; password `correct horse`.
 * User `carol` gives the code 482013, `dave` chooses a new password; a link with `token=` leads to one, too. The browser
 * comes back once it was opened again. Of pictures any file holds a code; clipboard and screen hold none.
 */
export function smallWizard(pause: number, enter: (phone: Scripted, account: AccountView) => void, isIn: () => boolean): Script {
  let view: SignInView = signIn();
  let trusted: TrustedView[] = [];
  let turn = 0;

  const show = (phone: Scripted, change: Partial<SignInView>) => {
    view = { ...view, news: null, ...change };
    phone.emit({ what: 'signIn', view });
  };
  /** Works a while, unless something else is begun meanwhile. */
  const work = (phone: Scripted, change: Partial<SignInView>, then: () => void, steps = 1) => {
    const mine = ++turn;
    show(phone, { busy: true, problem: null, ...change });
    setTimeout(() => mine === turn && then(), steps * pause);
  };
  const fail = (phone: Scripted, what: Problem, change: Partial<SignInView> = {}) => show(phone, { busy: false, problem: what, ...change });
  const turnTo = (phone: Scripted, page: SignInPage, change: Partial<SignInView> = {}) =>
    show(phone, { busy: false, problem: null, page, code: null, newPassword: null, forgot: null, browser: null, scan: null, ...change });
  const finish = (phone: Scripted, change: Partial<AccountView> = {}) => {
    enter(phone, account(undefined, change));
    turnTo(phone, 'done');
  };

  function found(phone: Scripted) {
    if (view.server.startsWith('nowhere')) return fail(phone, problem('serverNotFound', 'dns: no record for ' + view.server));
    if (view.domain !== tenant.domain) return fail(phone, problem('domainUnknown'));
    if (view.server.startsWith('new.') && !trusted.some((known) => known.server.startsWith(view.server)))
      return fail(phone, problem('certificateUntrusted'), { certificate: certificate(view.server + ':8887') });
    turnTo(phone, 'user', { certificate: null, tenant });
  }

  function checked(phone: Scripted, password: string) {
    if (password !== PASSWORD) return fail(phone, problem('wrongCredentials', 'HTTP 400 UNAUTHORIZED'));
    if (view.username === 'carol') return turnTo(phone, 'code', { code: { sent: true, againAt: Date.now() + 60_000 } });
    if (view.username === 'dave') return turnTo(phone, 'newPassword', { newPassword: { forced: true, oldNeeded: false, policy } });
    turnTo(phone, 'sipPassword');
  }

  function look(phone: Scripted, mine: number) {
    if (mine !== turn || view.page !== 'scan') return;
    phone.emit({ what: 'preview', picture: preview() });
    setTimeout(() => look(phone, mine), 100);
  }

  return (command, phone) => {
    switch (command.do) {
      case 'findServer':
        work(phone, { page: 'server', domain: command.domain, server: command.server }, () => found(phone));
        break;
      case 'trustCertificate':
        trusted = [...trusted, { server: view.certificate!.server, fingerprint: command.fingerprint }];
        phone.emit({ what: 'trusted', trusted });
        work(phone, { certificate: null }, () => found(phone));
        break;
      case 'withdrawTrust':
        trusted = trusted.filter((known) => known.server !== command.server);
        phone.emit({ what: 'trusted', trusted });
        break;
      case 'back':
        turn++;
        if (view.certificate) fail(phone, problem('certificateUntrusted'), { certificate: null });
        else turnTo(phone, view.page === 'server' && isIn() ? 'done' : (before[view.page] ?? 'server'));
        break;
      case 'signIn':
        work(phone, { username: command.username }, () => checked(phone, command.password));
        break;
      case 'signInWithMicrosoft':
        work(phone, {}, () => turnTo(phone, 'browser', { browser: { address: null, until: Date.now() + 300_000 } }));
        break;
      case 'openBrowserAgain':
        work(phone, { busy: false }, () => finish(phone));
        break;
      case 'giveCode':
        work(phone, {}, () => (command.code === CODE ? turnTo(phone, 'sipPassword') : fail(phone, problem('secondFactorWrong', 'HTTP 400'))));
        break;
      case 'sendCodeAgain':
        work(phone, {}, () => show(phone, { busy: false, code: { sent: true, againAt: Date.now() + 60_000 }, news: 'codeSent' }));
        break;
      case 'forgotPassword':
        turnTo(phone, 'forgot', { forgot: { asked: false } });
        break;
      case 'askForReset':
        work(phone, { username: command.username }, () => turnTo(phone, 'forgot', { forgot: { asked: true } }));
        break;
      case 'giveResetLink':
        if (command.link.includes('token=')) turnTo(phone, 'newPassword', { newPassword: { forced: false, oldNeeded: false, policy } });
        else fail(phone, problem('resetLinkInvalid'));
        break;
      case 'choosePassword': {
        const forced = view.newPassword?.forced === true;
        const refused = [...command.new].length < policy.minLength;
        work(phone, {}, () =>
          refused ? fail(phone, problem('newPasswordRefused', 'HTTP 400')) : forced ? turnTo(phone, 'sipPassword') : turnTo(phone, 'user', { news: 'passwordChanged' }),
        );
        break;
      }
      case 'scan':
      case 'useCamera':
        turnTo(phone, 'scan', { scan: scan({ state: { is: 'starting' }, camera: (command.do === 'useCamera' && command.camera) || 'video0' }) });
        work(phone, { busy: false }, () => {
          show(phone, { scan: { ...view.scan!, state: { is: 'looking' } } });
          look(phone, turn);
        });
        break;
      case 'readPicture':
        work(phone, { scan: null }, () => finish(phone), 2);
        break;
      case 'readClipboard':
        show(phone, { scan: { ...view.scan!, problem: problem('clipboardEmpty') } });
        break;
      case 'readScreen':
        show(phone, { scan: { ...view.scan!, problem: problem('noCodeFound') } });
        break;
      case 'addAccount':
        turnTo(phone, 'server', { domain: '', server: '', username: '', tenant: null });
        break;
      case 'enterSipAccount':
        turnTo(phone, 'sip');
        break;
      case 'useSipAccount': {
        const { user, domain, proxy, transport, displayName, keep } = command.account;
        finish(phone, {
          id: `${user}@${domain}`, displayName: displayName ?? user, extension: user, domain, server: proxy, transport: transport === 'automatic' ? 'tls' : transport, session: { is: 'none' }, secretsInMemory: !keep,
        });
        break;
      }
      case 'giveSipPassword':
        work(phone, {}, () => finish(phone));
        break;
      case 'signInAgain':
        turnTo(phone, 'user', { tenant, domain: tenant.domain, server: 'pbx.fairwater.example', username: 'nora.lindqvist', news: 'signInAgain' });
        break;
    }
  };
}
