// What the first window has to load, compressed: everything but fonts, with the largest of the languages that are not
// always there. Fails where that is more than the budget.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 250_000;
const dist = new URL('./dist/', import.meta.url);
const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
const files = readdirSync(new URL('assets/', dist)).filter((name) => /\.(js|css)$/.test(name));
const isLanguage = (name) => /^(de|fr|es|ja|zh|pseudo)-/.test(name);

const always = ['index.html', ...files.filter((name) => !isLanguage(name)).map((name) => `assets/${name}`)].map(size);
const languages = files.filter(isLanguage).map((name) => size(`assets/${name}`));
const bytes = always.reduce((sum, one) => sum + one, 0) + Math.max(0, ...languages);

console.log(`the window loads ${Math.round(bytes / 1000)} kB of ${BUDGET / 1000}, compressed`);
if (languages.length !== 6) throw new Error(`${languages.length} languages were built apart, not 6`);
if (bytes > BUDGET) process.exit(1);
