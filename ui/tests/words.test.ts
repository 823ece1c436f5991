import { expect, test } from 'vitest';
import source from '../src/backend/bindings.ts?raw';
import { de } from '../src/words/de';
import { en } from '../src/words/en';
import { clockTime, codecName, countdown, initials, said } from '../src/words/format';
import { firstOf, settle } from '../src/words/index.svelte';

/** The names a generated union type lists. */
function namesOf(type: string): string[] {
  const plain = source.replace(/\/\*[\s\S]*?\*\//g, '');
  const body = new RegExp(`export type ${type} =([^;]*);`).exec(plain)?.[1] ?? '';
  return [...body.matchAll(/"(\w+)"/g)].map((match) => match[1]!);
}

test.each([['en', en], ['de', de]] as const)('every code and every end has words in %s', (_, words) => {
  const codes = namesOf('Code');
  const ends = namesOf('EndReason');
  expect(codes.length).toBeGreaterThan(30);
  expect(ends.length).toBeGreaterThan(10);
  expect(Object.keys(words.codes).sort()).toEqual(codes.sort());
  expect(Object.keys(words.ends).sort()).toEqual(ends.sort());
  for (const { what, todo } of Object.values(words.codes)) {
    expect(what).toMatch(/\.$/);
    expect(todo).toMatch(/\.$/);
  }
  for (const { what } of Object.values(words.ends)) expect(what).not.toBe('');
});

test('no sentence is said twice', () => {
  for (const words of [en, de]) {
    const said = Object.values(words.codes).map(({ what }) => what);
    expect(new Set(said).size).toBe(said.length);
  }
});

test('the first language the phone speaks wins', () => {
  expect(firstOf(['fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(firstOf(['tlh'])).toBe('en');
  expect(firstOf(['constructor'])).toBe('en');
});

test('times, names and codecs are written as a person writes them', () => {
  expect([0, 59.9, 277, 3600, 3661].map(clockTime)).toEqual(['00:00', '00:59', '04:37', '1:00:00', '1:01:01']);
  expect([-3, 0, 41.2, 60, 299.5].map(countdown)).toEqual(['0:00', '0:00', '0:42', '1:00', '5:00']);
  expect(['Marta Oduya', 'Nora', 'amélie de faure', '0117 496', 'nora.lindqvist@x'].map(initials)).toEqual(['MO', 'N', 'AF', '', 'NX']);
  expect(['opus', 'PCMU', 'iLBC'].map(codecName)).toEqual(['Opus 48 kHz', 'G.711 µ-law', 'iLBC']);
});

test('what a foreign QR code seems to be is said in the language in use', () => {
  const other = (thing: string) => said({ code: 'notASignInCode', detail: `this is not a sign-in code: it seems to be ${thing}`, retryAfterS: null }).what;
  expect(other('a link to www.example.com')).toBe('This QR code is not for signing in; it seems to be a link to www.example.com.');
  settle('de-AT');
  try {
    expect(other('a link to www.example.com')).toBe('Dieser QR-Code ist nicht zum Anmelden; er ist wohl ein Link zu www.example.com.');
    expect(other('the key of a wireless network')).toMatch(/der Schlüssel eines Funknetzes\.$/);
  } finally {
    settle(null);
  }
});

test('a language the phone does not speak settles nothing', () => {
  settle('tlh');
  expect(said({ code: 'blocked', detail: null, retryAfterS: null }).what).toBe(en.codes.blocked.what);
});
