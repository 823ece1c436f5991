// Every scene in English disguised: what stands outside of its brackets on the screen is not translated.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brand } from '../src/brand';
import { scenes, type SceneName } from '../src/backend/scenes';
import { en } from '../src/words/en';
import { pretend, speak } from '../src/words/index.svelte';
import { languages } from '../src/words/languages';
import { disguised } from '../src/words/pseudo';
import { put } from './stage';

beforeAll(() => pretend(['en-xa']));
afterAll(async () => {
  pretend(navigator.languages);
  await speak(navigator.languages);
});

/** Text that a person reads or hears, each piece with where it stands. */
function told(): [string, string][] {
  const texts: [string, string][] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: at, data } = walker.currentNode as Text;
    if (at?.closest('script, style, noscript, [aria-hidden="true"], [data-testid="fingerprint"]') || at?.closest('[hidden]')) continue;
    // What was sought is marked within a name.
    if (at?.matches('mark, :has(> mark)')) continue;
    texts.push([at?.className.toString() ?? '', data]);
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-description', 'aria-roledescription', 'aria-valuetext']) {
    for (const element of document.body.querySelectorAll(`[${name}]`)) texts.push([name, element.getAttribute(name)!]);
  }
  return texts;
}

/** What of a text stands outside of brackets. */
function outside(text: string): string {
  let depth = 0;
  return [...text].filter((letter) => {
    if (letter === '[') depth += 1;
    const is = depth === 0;
    if (letter === ']') depth -= 1;
    return is;
  }).join('');
}

/** Everything a scene is given: names, numbers, addresses, files. */
function given(of: unknown, into: string[] = []): string[] {
  if (typeof of === 'string') into.push(of, of.replace(/\.\w+$/, ''), of.split(/\s/, 1)[0]!, ...of.split('@'));
  else if (typeof of === 'object' && of !== null) Object.values(of).forEach((value) => given(value, into));
  return into;
}

const dates = (['long', 'short'] as const).flatMap((style) => [...Array(12).keys()].flatMap((n) => {
  // Every month, and every day of the week.
  const of = (how: Intl.DateTimeFormatOptions, at: number) => ['en-GB', 'en-US', 'en'].map((tag) => new Intl.DateTimeFormat(tag, how).format(at));
  return [...of({ weekday: style }, Date.UTC(2026, 0, n + 1, 12)), ...of({ month: style }, Date.UTC(2026, n, 1, 12))];
}));

/** The same in every language: names, units, keys, and how a number is asked for. */
const same = [
  brand.name, ...dates, ...Object.values(languages).map(({ name }) => name), 'Pseudo', 'Today', 'Yesterday', 'AM', 'PM', 'at', 'ABC', 'DEF', 'GHI', 'JKL', 'MNO', 'PQRS', 'TUV', 'WXYZ',
  'Opus 48 kHz', 'G.711 µ-law', 'G.711 A-law', 'G.722 16 kHz', 'EVS', 'opus', 'SRTP', 'kHz', 'Ctrl', 'Shift', 'Esc', 'Enter', 'Tab', 'Ctrl+Shift+F9', 'https://crm.example.com/?phone=%CALLER%',
  'Microsoft 365', 'ms', 'stun.example.com', 'turn.example.com', 'UDP', 'TCP', 'TLS', 'WSS',
];

test.each(Object.keys(scenes) as SceneName[])('%s is translated throughout', async (name) => {
  const scene = scenes[name]();
  if (name === 'enforced') return;
  await put(name);
  const known = [...given({ ...scene, people: scene.people?.slice(0, 20) }), ...same].filter((text) => text.length > 1).sort((a, b) => b.length - a.length);
  const left = told().flatMap(([at, text]) => {
    let rest = outside(text);
    for (const one of known) rest = rest.replaceAll(one, ' ');
    return /\p{L}{2}/u.test(rest) ? [`${at}: ${text.trim()}`] : [];
  });
  expect(left).toEqual([]);
});

test('the disguise is longer than English by a third and more', () => {
  const sentences = Object.values(en.codes).map(({ what }) => what);
  const longer = sentences.map((text) => disguised(text).length / text.length);
  expect(longer.reduce((sum, one) => sum + one) / longer.length).toBeGreaterThan(1.3);
});
