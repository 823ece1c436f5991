// The state of an account, said.
import type { AccountView, SessionState } from '../backend/backend';
import { said } from './format';
import { words } from './index.svelte';

/** One sentence for the state of an account at a time (milliseconds since 1970). */
export function stateSentence(account: AccountView | null, now: number): string {
  const say = words().account;
  if (!account) return say.none;
  switch (account.state.is) {
    case 'registering':
      return say.registering;
    case 'registered':
      return say.registered(words().transports[account.transport]);
    case 'reconnecting': {
      const left = Math.ceil((account.state.retryAt - now) / 1000);
      return left > 0 ? say.reconnectingIn(left) : say.reconnectingNow;
    }
    case 'offline': {
      const { code } = account.state.problem;
      const short = say.shortly;
      return say.offline(code in short ? short[code as keyof typeof short] : short.other);
    }
  }
}

/** Technical detail of what keeps an account from working, where there is any. */
export function stateDetail(account: AccountView): string | undefined {
  if (account.state.is !== 'reconnecting' && account.state.is !== 'offline') return undefined;
  const { status, problem } = account.state;
  return [status === null ? null : words().common.status(status), problem.detail].filter(Boolean).join(' · ') || undefined;
}

/** Why an account does not work and what to do, where there is something to say. */
export function stateHelp(account: AccountView): string | undefined {
  if (account.state.is !== 'reconnecting' && account.state.is !== 'offline') return undefined;
  const { what, todo } = said(account.state.problem);
  return account.state.is === 'offline' ? `${what} ${todo}` : what;
}

/** One sentence for the session at the PBX. */
export function sessionSentence(session: SessionState): string {
  const say = words().settings;
  return session.is === 'unconfirmed' ? say.unconfirmed(said(session.problem).what) : say.sessions[session.is];
}

/** What an account is called beside others: its extension, with its domain where there are several accounts. */
export function lineName(account: AccountView, alone: boolean): string {
  const say = words().account;
  return alone ? say.extension(account.extension) : say.extensionAt(account.extension, account.domain);
}
