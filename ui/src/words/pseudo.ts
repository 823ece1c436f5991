// English disguised: accents on every letter, vowels twice, brackets around. What stands outside of brackets on a
// screen is not translated; what is cut off there would be so in other languages.
import { en, type Words } from './en';

const plain = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const accented = 'ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýž';
const disguise = new Map([...plain].map((letter, at) => [letter, [...accented][at]!]));

/** A stand-in for what a sentence is told, so that names and numbers in it stay as they are. */
const standIn = (n: number) => String.fromCharCode(0xe000 + n);

export function disguised(text: string): string {
  const letters = [...text].map((letter) => {
    const other = disguise.get(letter) ?? letter;
    return /[aeiou]/.test(letter) ? other + other : other;
  });
  return text === '' ? '' : `[${letters.join('')}]`;
}

function disguisedAll(said: unknown): unknown {
  if (typeof said === 'string') return disguised(said);
  if (typeof said === 'function') return (...told: unknown[]) => sentence(said as (...told: unknown[]) => unknown, told);
  if (Array.isArray(said)) return said.map(disguisedAll);
  if (typeof said !== 'object' || said === null) return said;
  return Object.fromEntries(Object.entries(said).map(([key, value]) => [key, disguisedAll(value)]));
}

function sentence(say: (...told: unknown[]) => unknown, told: unknown[]): unknown {
  const kept: string[] = [];
  const keep = (value: unknown): unknown => {
    if (typeof value === 'string') return standIn(kept.push(value) - 1);
    return Array.isArray(value) ? value.map(keep) : value;
  };
  const restored = (said: unknown): unknown => {
    if (typeof said === 'string') return said.replace(/[\ue000-\uf8ff]/g, (mark) => kept[mark.charCodeAt(0) - 0xe000] ?? mark);
    if (typeof said !== 'object' || said === null) return said;
    return Object.fromEntries(Object.entries(said).map(([key, value]) => [key, restored(value)]));
  };
  return restored(disguisedAll(say(...told.map(keep))));
}

export const pseudo = disguisedAll(en) as Words;
