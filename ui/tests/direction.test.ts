// What a language written from right to left needs.
import { afterEach, expect, test } from 'vitest';
import { pretend, speak } from '../src/words/index.svelte';
import { part, put } from './stage';

const sources = import.meta.glob(['../src/**/*.svelte', '../src/**/*.css'], { query: '?raw', import: 'default', eager: true }) as Record<string, string>;
// Left and right instead of start and end. What is the same on both sides is no matter.
const physical = /(?:margin|padding|border)-(?:left|right)\b|border-(?:top|bottom)-(?:left|right)-radius|(?<![\w-])(?:left|right)\s*:|text-align\s*:\s*(?:left|right)|float\s*:\s*(?:left|right)|inset\s*:\s*[^;\s]+ [^;\s]+ [^;\s]+ [^;\s]+/g;

afterEach(async () => {
  pretend(navigator.languages);
  await speak(navigator.languages);
});

test('no style says left or right where it means start or end', () => {
  expect(Object.keys(sources).length).toBeGreaterThan(50);
  const found = Object.entries(sources).flatMap(([file, text]) => {
    const styles = file.endsWith('.css') ? text : (/<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '');
    return [...styles.matchAll(physical)].map(([what]) => `${file}: ${what}`);
  });
  expect(found).toEqual([]);
});

test('in a language from right to left the rail stands on the right', async () => {
  await put('contacts');
  expect(document.documentElement.dir).toBe('ltr');
  const rail = () => part('calls').element().getBoundingClientRect().left;
  const before = rail();
  pretend(['ar-xb']);
  await expect.poll(() => document.documentElement.dir).toBe('rtl');
  expect(document.documentElement.lang).toBe('ar');
  expect(rail()).toBeGreaterThan(before + 800);
});
