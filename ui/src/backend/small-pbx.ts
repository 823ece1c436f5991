// A script that behaves like a very small PBX, so that the whole UI can be walked through in a browser.
import type { AccountView, CallView, PhoneEvent, Problem, SignInView } from './backend';
import type { Script, Scripted } from './scripted';
import { account, certificate, media, signIn } from './samples';

const problem = (code: Problem['code'], detail: string | null = null): Problem => ({ code, detail, retryAfterS: null });

/** Domain `fairwater.example` on any server but `nowhere`; `new.*` servers show a certificate; password `correct horse`. */
export function smallPbx(pause = 350): Script {
  let view: SignInView = signIn();
  let own: AccountView = account();
  let trusted = false;
  let lastCall = 0;
  const calls = new Map<number, CallView>();

  const show = (phone: Scripted, change: Partial<SignInView>) => {
    view = { ...view, ...change };
    phone.emit({ what: 'signIn', view });
  };
  const put = (phone: Scripted, call: CallView, ...more: PhoneEvent[]) => {
    calls.set(call.id, call);
    phone.emit({ what: 'call', view: call }, ...more);
  };
  const later = (steps: number, what: () => void) => setTimeout(what, steps * pause);

  function lookUp(phone: Scripted) {
    if (view.server.startsWith('nowhere')) return show(phone, { busy: false, problem: problem('serverNotFound', 'dns: no record for ' + view.server) });
    if (view.domain !== 'fairwater.example') return show(phone, { busy: false, problem: problem('domainUnknown') });
    if (view.server.startsWith('new.') && !trusted)
      return show(phone, { busy: false, problem: problem('certificateUntrusted'), certificate: certificate(view.server) });
    show(phone, { busy: false, page: 'user', problem: null, certificate: null, tenant: { name: 'Fairwater Instruments', domain: view.domain, picture: null, microsoft: false } });
  }

  function speak(phone: Scripted, id: number, tick = 0) {
    if (calls.get(id)?.state.is !== 'active') return;
    phone.emit({ what: 'media', call: id, report: media(tick) });
    setTimeout(() => speak(phone, id, tick + 1), 200);
  }

  function answer(phone: Scripted, id: number) {
    const call = calls.get(id);
    if (!call || call.state.is === 'ended') return;
    put(phone, { ...call, state: { is: 'active', since: Date.now() }, codec: 'opus', setupMs: 120 });
    speak(phone, id);
  }

  function end(phone: Scripted, id: number, reason: 'hungUpHere' | 'declinedHere' | 'cancelled') {
    const call = calls.get(id);
    if (!call || call.state.is === 'ended') return;
    const answered = call.state.is === 'active' ? Math.floor((Date.now() - call.state.since) / 1000) : null;
    put(phone, { ...call, state: { is: 'ended', end: { reason: answered === null && reason === 'hungUpHere' ? 'cancelled' : reason, status: null, lastedS: answered } } });
  }

  return (command, phone) => {
    switch (command.do) {
      case 'findServer':
        show(phone, { busy: true, problem: null, domain: command.domain, server: command.server });
        later(1, () => lookUp(phone));
        break;
      case 'trustCertificate':
        trusted = true;
        show(phone, { busy: true, problem: null, certificate: null });
        later(1, () => lookUp(phone));
        break;
      case 'back':
        show(phone, view.certificate ? { certificate: null, problem: problem('certificateUntrusted') } : { page: 'server', problem: null, busy: false });
        break;
      case 'signIn':
        show(phone, { busy: true, problem: null, username: command.username });
        later(1, () => (command.password === 'correct horse' ? show(phone, { busy: false, page: 'sipPassword' }) : show(phone, { busy: false, problem: problem('wrongCredentials', 'HTTP 400 UNAUTHORIZED') })));
        break;
      case 'giveSipPassword':
        show(phone, { busy: true, problem: null });
        later(1, () => {
          phone.emit({ what: 'account', view: { ...own, state: { is: 'registering' } } });
          show(phone, { busy: false, page: 'done' });
          later(1, () => phone.emit({ what: 'account', view: own }));
        });
        break;
      case 'signOut':
        phone.emit({ what: 'accountGone', account: command.account });
        show(phone, { page: 'server', busy: false, problem: null });
        break;
      case 'reconnect':
        own = { ...own, state: { is: 'registered', expiresS: 300, rttMs: 9 } };
        phone.emit({ what: 'account', view: own });
        break;
      case 'dial': {
        const id = ++lastCall;
        const peer = { number: command.target, name: command.target === '9196' ? 'Echo' : null };
        put(phone, { id, account: own.id, direction: 'outgoing', peer, state: { is: 'calling' }, muted: false, digits: '', codec: null, encrypted: false, setupMs: null });
        later(1, () => calls.get(id)?.state.is === 'calling' && put(phone, { ...calls.get(id)!, state: { is: 'ringing' } }));
        later(3, () => answer(phone, id));
        break;
      }
      case 'answer':
        answer(phone, command.call);
        break;
      case 'decline':
        end(phone, command.call, 'declinedHere');
        break;
      case 'hangUp':
        end(phone, command.call, 'hungUpHere');
        break;
      case 'mute':
        if (calls.has(command.call)) put(phone, { ...calls.get(command.call)!, muted: command.muted });
        break;
      case 'sendDigit': {
        const call = calls.get(command.call);
        if (call) put(phone, { ...call, digits: call.digits + command.digit });
        break;
      }
      case 'useSipAccount':
        break;
    }
  };
}
