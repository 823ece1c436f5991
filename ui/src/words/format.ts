// Times, lengths and names the way a person writes them.
import type { CallView, PeerView, Problem } from '../backend/backend';
import { language, words } from './index.svelte';
import { known } from './languages';

/** Seconds as `04:37`, from an hour on `1:04:37`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** Seconds that are left, as `0:42`. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The user's own variety of the language in use: `en-GB` where they asked for it. */
function locale(): string {
  return navigator.languages.find((tag) => tag.split('-', 1)[0] === language()) ?? known(language()).tag;
}

/** A number with one place behind the point. */
export function decimal(n: number): string {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(n);
}

/** A whole number. */
export function whole(n: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 0 }).format(n);
}

/** A part of the whole, given in hundredths. */
export function share(percent: number): string {
  return new Intl.NumberFormat(locale(), { style: 'percent' }).format(percent / 100);
}

/** A day in full, as in a certificate. */
export function day(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long' }).format(ms);
}

/** A day as a heading: today, yesterday, else its date, both given by their midnights. */
export function dayName(day: number, today: number): string {
  // A day with another clock is an hour longer or shorter.
  const ago = Math.round((today - day) / 86_400_000);
  if (ago === 0 || ago === 1) {
    const name = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-ago, 'day');
    return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
  }
  const sameYear = new Date(day).getFullYear() === new Date(today).getFullYear();
  return new Intl.DateTimeFormat(locale(), sameYear ? { weekday: 'long', day: 'numeric', month: 'long' } : { dateStyle: 'long' }).format(day);
}

/** Day and time, as in a log. */
export function dayAndTime(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(ms);
}

/** Hours and minutes. */
export function timeOfDay(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'short' }).format(ms);
}

/** The time of a moment of today, the day of an earlier one, as a list has it; `today` is the midnight it began with. */
export function shortDay(ms: number, today: number): string {
  if (ms >= today) return timeOfDay(ms);
  const lately = today - ms < 6 * 86_400_000;
  return new Intl.DateTimeFormat(locale(), lately ? { weekday: 'short' } : { day: 'numeric', month: 'short' }).format(ms);
}

/** What a person is called: their name, else their number. */
export function nameOf(peer: PeerView): string {
  return peer.name || peer.number || words().call.unknown;
}

/** The first word of a name, for a narrow place; nothing where there is no name. */
export function firstName(peer: PeerView): string | null {
  return peer.name?.split(/\s+/, 1)[0] || null;
}

/** Up to two letters that stand for a name; none for a number. */
export function initials(name: string): string {
  const parts = name.split(/[\s.@_-]+/).filter((part) => /^\p{L}/u.test(part));
  const letters = [parts[0], parts.length > 1 ? parts.at(-1) : undefined].map((part) => (part ? [...part][0] : ''));
  return letters.join('').toLocaleUpperCase();
}

/** Codec as a person may have heard of it. */
export function codecName(codec: string): string {
  const known: Record<string, string> = { opus: 'Opus 48 kHz', pcmu: 'G.711 µ-law', pcma: 'G.711 A-law', g722: 'G.722 16 kHz' };
  return known[codec.toLowerCase()] ?? codec;
}

/** A problem in one line of what and one of what to do, with the wait the server asked for. */
export function said(problem: Problem): { what: string; todo: string } {
  const { what: plain, todo } = words().codes[problem.code];
  const thing = problem.code === 'notASignInCode' && / seems to be (.+)$/.exec(problem.detail ?? '')?.[1];
  const what = thing ? words().seems(thing) : plain;
  const wait = problem.retryAfterS ? words().common.waitSeconds(problem.retryAfterS) : '';
  return { what, todo: wait || todo };
}

/** How a call ended, with its length where it was answered. */
export function ending(call: CallView): string {
  if (call.state.is !== 'ended') return '';
  const { reason, lastedS } = call.state.end;
  const what = words().ends[reason].what;
  return lastedS === null ? what : `${what} · ${clockTime(lastedS)}`;
}
