// A picture of every scene, light and dark, narrow and wide, in two languages, and a page that shows them all:
// `npm run gallery [scene…]` into tests/output/ui, another brand's (CARILLON_BRAND) into a folder of its own.
import { mkdir, writeFile } from 'node:fs/promises';
import { openPage, photograph, photographSheet, sizes, withPages } from './pictures.mjs';

const brand = process.env.CARILLON_BRAND ? `-${process.env.CARILLON_BRAND}` : '';
const out = new URL(`../tests/output/ui${brand}/`, import.meta.url).pathname;
const asked = process.argv.slice(2);
const languages = process.env.LANGUAGES?.split(',') ?? ['en', 'de'];
const themes = ['light', 'dark'];
const faults = [];
const file = (scene, width, theme, lang) => `${scene}-${width}-${theme}${lang === 'en' ? '' : `-${lang}`}.png`;

/** Everything beside everything else, a row for each scene. */
function index(scenes) {
  const cell = (scene, width, theme, lang) => `<a href="${file(scene, width, theme, lang)}"><img loading="lazy" height="240" alt="${scene}, ${width}, ${theme}, ${lang}" src="${file(scene, width, theme, lang)}"></a>`;
  const row = (scene) => `<h2 id="${scene}">${scene}</h2><p>${languages.flatMap((lang) => themes.flatMap((theme) => Object.keys(sizes).map((width) => cell(scene, width, theme, lang)))).join(' ')}</p>`;
  return `<!doctype html><meta charset="utf-8"><title>Gallery</title><style>body{font:14px system-ui;margin:16px;background:#888}p{display:flex;gap:8px;overflow:auto}h2{font-size:14px;margin:16px 0 4px}</style>${scenes.map(row).join('\n')}\n`;
}

await mkdir(out, { recursive: true });
const count = await withPages(async (stand) => {
  const names = asked.length > 0 ? asked.filter((name) => name !== 'gallery') : stand.scenes;
  let count = 0;
  await Promise.all(Object.keys(sizes).map(async (width) => {
    const page = await openPage(stand, width, faults);
    const keep = async (name, picture) => {
      await writeFile(out + name, picture);
      count += 1;
    };
    for (const theme of themes) for (const lang of languages) for (const scene of names) await keep(file(scene, width, theme, lang), await photograph(page, { scene, theme, lang }, faults));
    if (asked.length === 0) for (const scene of ['contacts', 'active-call']) await keep(`right-to-left-${scene}-${width}.png`, await photograph(page, { scene, theme: 'light', lang: 'ar-xb' }, faults));
    if (asked.length === 0 || asked.includes('gallery')) for (const theme of themes) await keep(`gallery-${width}-${theme}.png`, await photographSheet(stand, page, theme));
  }));
  await writeFile(`${out}index.html`, index(names));
  return count;
});
for (const fault of new Set(faults)) console.error(fault);
console.log(`${count} pictures and index.html in ${out}`);
process.exit(faults.length > 0 ? 1 : 0);
