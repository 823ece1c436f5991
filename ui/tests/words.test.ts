import { expect, test } from 'vitest';
import source from '../src/backend/bindings.ts?raw';
import { en, type Words } from '../src/words/en';
import { clockTime, codecName, countdown, initials, said } from '../src/words/format';
import { speak } from '../src/words/index.svelte';
import { firstOf, known, languages, type Offered } from '../src/words/languages';

const names = Object.keys(languages) as Offered[];
const all = new Map(await Promise.all(names.map(async (name) => [name, await languages[name].load()] as const)));

/** The names a generated union type lists. */
function namesOf(type: string): string[] {
  const plain = source.replace(/\/\*[\s\S]*?\*\//g, '');
  const body = new RegExp(`export type ${type} =([^;]*);`).exec(plain)?.[1] ?? '';
  return [...body.matchAll(/"(\w+)"/g)].map((match) => match[1]!);
}

test.each(names)('every code and every end has words in %s', (name) => {
  const words = all.get(name)!;
  const codes = namesOf('Code');
  const ends = namesOf('EndReason');
  expect(codes.length).toBeGreaterThan(30);
  expect(ends.length).toBeGreaterThan(10);
  expect(Object.keys(words.codes).sort()).toEqual(codes.sort());
  expect(Object.keys(words.ends).sort()).toEqual(ends.sort());
  for (const { what, todo } of Object.values(words.codes)) {
    expect(what).toMatch(/[.。]$/);
    expect(todo).toMatch(/[.。]$/);
  }
  for (const { what } of Object.values(words.ends)) expect(what).not.toBe('');
});

test('no sentence is said twice', () => {
  for (const words of all.values()) {
    const said = Object.values(words.codes).map(({ what }) => what);
    expect(new Set(said).size).toBe(said.length);
  }
});

test('the first language the phone speaks wins', () => {
  expect(firstOf(['it-IT', 'de-AT', 'en'])).toBe('de');
  expect(firstOf([null, 'zh_Hans-CN'])).toBe('zh');
  expect(firstOf(['tlh'])).toBe('en');
  expect(firstOf(['constructor'])).toBe('en');
});

test('times, names and codecs are written as a person writes them', () => {
  expect([0, 59.9, 277, 3600, 3661].map(clockTime)).toEqual(['00:00', '00:59', '04:37', '1:00:00', '1:01:01']);
  expect([-3, 0, 41.2, 60, 299.5].map(countdown)).toEqual(['0:00', '0:00', '0:42', '1:00', '5:00']);
  expect(['Marta Oduya', 'Nora', 'amélie de faure', '0117 496', 'nora.lindqvist@x'].map(initials)).toEqual(['MO', 'N', 'AF', '', 'NX']);
  expect(['opus', 'PCMU', 'iLBC'].map(codecName)).toEqual(['Opus 48 kHz', 'G.711 µ-law', 'iLBC']);
});

test('what a foreign QR code seems to be is said in the language in use', async () => {
  const other = (thing: string) => said({ code: 'notASignInCode', detail: `this is not a sign-in code: it seems to be ${thing}`, retryAfterS: null }).what;
  expect(other('a link to www.example.com')).toBe('This QR code is not for signing in; it seems to be a link to www.example.com.');
  await speak(['de-AT']);
  try {
    expect(other('a link to www.example.com')).toBe('Dieser QR-Code ist nicht zum Anmelden; er ist wohl ein Link zu www.example.com.');
    expect(other('the key of a wireless network')).toMatch(/der Schlüssel eines Funknetzes\.$/);
  } finally {
    await speak(['en']);
  }
});

test('a language the phone does not speak settles nothing', async () => {
  await speak(['tlh', 'en-GB']);
  expect(said({ code: 'blocked', detail: null, retryAfterS: null }).what).toBe(en.codes.blocked.what);
});

test('the language that was asked for last is spoken, whichever comes first', async () => {
  const slow = speak(['de']);
  await Promise.all([slow, speak(['en'])]);
  expect(said({ code: 'blocked', detail: null, retryAfterS: null }).what).toBe(en.codes.blocked.what);
});

/** Every sentence without anything to be told, by where it stands. */
function sentences(of: unknown, at = ''): [string, string][] {
  if (typeof of === 'string') return [[at, of]];
  if (typeof of !== 'object' || of === null) return [];
  return Object.entries(of).flatMap(([key, value]) => sentences(value, `${at}.${key}`));
}

/** What is the same in all languages: names, and words that every language has taken over. */
const shared = /^(UDP|TCP|TLS|WSS|VPN|SIP|Opus|G\.7\d\d.*|Codecs?|Transports?|Proxy|Server|Transport|Code|Details?|Audio|Session|Jitter|Contacts|Absent|STUN.*|TURN.*|Microsoft.*|Port.*|Name|Note|E.mail|Mobile|Fax.*|Camera|Team|Carillon|Suggestions|Website|Position|Offline|Secrets|Pause|Domain|domain|codecs|proxy|transport|server|!?)$/i;

test.each(names.filter((name) => name !== 'en'))('nothing was left in English in %s', (name) => {
  const english = new Map(sentences(en));
  const left = sentences(all.get(name)).filter(([at, text]) => text === english.get(at) && text !== '' && !shared.test(text));
  expect(left).toEqual([]);
});

test('what is counted has the form of its number', () => {
  const missed = (name: Offered, n: number) => (all.get(name) as Words).main.missedCalls(n);
  expect([0, 1, 2].map((n) => missed('fr', n))).toEqual(['0 appel manqué', '1 appel manqué', '2 appels manqués']);
  expect([0, 1, 2].map((n) => missed('es', n))).toEqual(['0 llamadas perdidas', '1 llamada perdida', '2 llamadas perdidas']);
  expect(missed('de', 12_345)).toBe('12.345 verpasste Anrufe');
});

test('every language tells the browser how it is written', () => {
  expect(names.map((name) => known(name).dir)).toEqual(names.map(() => 'ltr'));
  expect(known('ar-xb').dir).toBe('rtl');
  expect(known('zh').tag).toBe('zh-Hans');
});
