// A script that behaves like a very small PBX, so that the whole UI can be walked through in a browser.
import type { AccountView, CallView } from './backend';
import { audio, media, OWN, plainCall } from './samples';
import type { Script, Scripted } from './scripted';
import { smallWizard } from './small-wizard';

/** Every way in of the small wizard, then calls that answer themselves. */
export function smallPbx(pause = 350): Script {
  let accounts: AccountView[] = [];
  let lastCall = 0;
  let heard = audio;
  const calls = new Map<number, CallView>();

  const put = (phone: Scripted, call: CallView) => {
    calls.set(call.id, call);
    phone.emit({ what: 'call', view: call });
  };
  /** Who talks is held, but for those named. */
  const holdOthers = (phone: Scripted, but: number[]) => {
    for (const call of calls.values()) if (call.state.is === 'active' && !but.includes(call.id)) put(phone, { ...call, state: { is: 'held', since: call.state.since } });
  };
  const together = (id: number) => (calls.get(id)?.merged ? [...calls.values()].filter((call) => call.merged).map((call) => call.id) : [id]);
  const wake = (phone: Scripted, ids: number[], merged: boolean) => {
    holdOthers(phone, ids);
    for (const id of ids) {
      const call = calls.get(id);
      if (!call || !('since' in call.state)) continue;
      put(phone, { ...call, merged, state: { is: 'active', since: call.state.since } });
      if (call.state.is === 'held') speak(phone, id);
    }
  };
  const later = (steps: number, what: () => void) => setTimeout(what, steps * pause);

  function register(phone: Scripted, account: AccountView) {
    accounts = [...accounts.filter((known) => known.id !== account.id), account];
    phone.emit({ what: 'account', view: { ...account, state: { is: 'registering' } } });
    later(1, () => phone.emit({ what: 'account', view: account }));
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

  function end(phone: Scripted, id: number, reason: 'hungUpHere' | 'declinedHere' | 'cancelled' | 'transferred') {
    const call = calls.get(id);
    if (!call || call.state.is === 'ended') return;
    const answered = 'since' in call.state ? Math.floor((Date.now() - call.state.since) / 1000) : null;
    put(phone, { ...call, state: { is: 'ended', end: { reason: answered === null && reason === 'hungUpHere' ? 'cancelled' : reason, status: null, lastedS: answered } }, merged: false });
    const rest = [...calls.values()].filter((other) => other.merged);
    if (rest.length === 1) put(phone, { ...rest[0]!, merged: false });
  }

  const wizard = smallWizard(pause, register, () => accounts.length > 0);

  return (command, phone) => {
    wizard(command, phone);
    switch (command.do) {
      case 'signOut':
        accounts = accounts.filter((known) => known.id !== command.account);
        phone.emit({ what: 'accountGone', account: command.account });
        if (accounts.length === 0) wizard({ do: 'back' }, phone);
        break;
      case 'reconnect':
        accounts.filter((known) => known.id === command.account).forEach((account) => register(phone, account));
        break;
      case 'dial':
      case 'dialHidden': {
        holdOthers(phone, []);
        const id = ++lastCall;
        const peer = { number: command.target, name: command.target === '9196' ? 'Echo' : null };
        put(phone, { id, account: command.account ?? accounts[0]?.id ?? OWN, direction: 'outgoing', peer, state: { is: 'calling' }, ...plainCall });
        later(1, () => calls.get(id)?.state.is === 'calling' && put(phone, { ...calls.get(id)!, state: { is: 'ringing' } }));
        later(3, () => answer(phone, id));
        break;
      }
      case 'answer':
        holdOthers(phone, []);
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
      case 'hold':
        for (const id of together(command.call)) {
          const call = calls.get(id);
          if (call?.state.is === 'active') put(phone, { ...call, state: { is: 'held', since: call.state.since } });
        }
        break;
      case 'resume':
        wake(phone, together(command.call), calls.get(command.call)?.merged ?? false);
        break;
      case 'merge':
        wake(phone, command.calls, true);
        break;
      case 'split':
        for (const call of calls.values()) if (call.merged) put(phone, { ...call, merged: false });
        wake(phone, [command.call], false);
        break;
      case 'transfer': {
        const call = calls.get(command.call);
        if (!call) break;
        put(phone, { ...call, transfer: { to: command.target, status: null } });
        later(3, () => end(phone, command.call, 'transferred'));
        break;
      }
      case 'transferTo':
        end(phone, command.call, 'transferred');
        end(phone, command.to, 'transferred');
        break;
      case 'preferInCalls':
        phone.emit({ what: 'callPreferences', preferences: command.preferences });
        break;
      case 'preferRing':
        heard = { ...heard, ring: command.ring };
        phone.emit({ what: 'audio', view: heard });
        break;
      case 'rankDevices': {
        const view = heard[command.role];
        const all = [...view.order, ...view.others];
        const order = command.ids.flatMap((id) => all.filter((device) => device.id === id));
        heard = { ...heard, [command.role]: { ...view, order, others: all.filter((device) => device.here && !command.ids.includes(device.id)) } };
        phone.emit({ what: 'audio', view: heard });
        break;
      }
      case 'hearBack':
        for (let n = 0; n <= 10; n++) {
          const [leftMs, level] = [(5 - (n % 5)) * 1000, media(n).levelOut];
          later(n, () => phone.emit({ what: 'hearBack', view: n === 10 ? { is: 'done', heard: 'good' } : n < 5 ? { is: 'recording', leftMs, level } : { is: 'playing', leftMs, level, heard: 'good' } }));
        }
        break;
      case 'preferVoice':
        phone.emit({ what: 'voicePreferences', preferences: command.preferences });
        break;
      case 'sendDigits': {
        const call = calls.get(command.call);
        if (call) put(phone, { ...call, digits: call.digits + command.digits });
        break;
      }
    }
  };
}
