// Does every scene still look as it did? `npm run looks` compares with tests/looks, where each has a small picture narrow
// and light, and one wide and dark; what differs is shown in tests/output/looks: as it was, as it is, and where.
// `npm run looks -- --accept [scene…]` takes what it is for what it should be.
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { openPage, photograph, withPages } from './pictures.mjs';

const looks = new URL('./tests/looks/', import.meta.url).pathname;
const out = new URL('../tests/output/looks/', import.meta.url).pathname;
const forms = [{ width: 360, theme: 'light' }, { width: 1280, theme: 'dark' }];
const words = process.argv.slice(2);
const accept = words.includes('--accept');
const asked = words.filter((word) => !word.startsWith('--'));
/** A scene that is spoilt on purpose: the comparison has to see it. */
const spoilt = { scene: 'active-call', style: '[data-testid="hold"] { opacity: 0.4 !important; }' };

/** Runs in a page: makes the picture small, and finds the blocks in which it differs from the one that is kept. */
async function compare({ picture, kept }) {
  // A block of 4 by 4 small pixels is 16 by 16 of the screen: about two letters.
  const [SMALLER, BLOCK, NOTICED] = [4, 4, 5];
  const load = async (base64, type) => createImageBitmap(await (await fetch(`data:image/${type};base64,${base64}`)).blob());
  const drawn = (image, width, height) => {
    const canvas = new OffscreenCanvas(width, height);
    const brush = canvas.getContext('2d', { willReadFrequently: true });
    brush.imageSmoothingQuality = 'high';
    brush.drawImage(image, 0, 0, width, height);
    return { canvas, brush };
  };
  const encoded = async (canvas, type, quality) => {
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: `image/${type}`, quality })).arrayBuffer());
    return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
  };
  const now = await load(picture, 'png');
  const [width, height] = [now.width / SMALLER, now.height / SMALLER];
  const small = await encoded(drawn(now, width, height).canvas, 'webp', 0.85);
  if (!kept) return { small, blocks: [], worst: 0 };

  const pixels = async (base64) => drawn(await load(base64, 'webp'), width, height).brush.getImageData(0, 0, width, height).data;
  const was = await load(kept, 'webp');
  if (was.width !== width || was.height !== height) return { small, blocks: [[0, 0]], worst: 255 };
  const [before, after] = [await pixels(kept), await pixels(small)];
  const blocks = [];
  let worst = 0;
  for (let y = 0; y < height; y += BLOCK) for (let x = 0; x < width; x += BLOCK) {
    const sums = [0, 0, 0];
    let n = 0;
    for (let dy = 0; dy < BLOCK && y + dy < height; dy += 1) for (let dx = 0; dx < BLOCK && x + dx < width; dx += 1) {
      const at = 4 * ((y + dy) * width + x + dx);
      for (let channel = 0; channel < 3; channel += 1) sums[channel] += Math.abs(after[at + channel] - before[at + channel]);
      n += 1;
    }
    const most = Math.max(...sums) / n;
    worst = Math.max(worst, most);
    if (most > NOTICED) blocks.push([x, y]);
  }
  if (blocks.length === 0) return { small, blocks, worst };

  // As it was above, as it is below, the blocks that differ framed.
  const sheet = new OffscreenCanvas(now.width, 2 * now.height + 8);
  const brush = sheet.getContext('2d');
  brush.drawImage(was, 0, 0, now.width, now.height);
  brush.drawImage(now, 0, now.height + 8);
  brush.strokeStyle = 'magenta';
  const side = BLOCK * SMALLER;
  for (const [x, y] of blocks) for (const down of [0, now.height + 8]) brush.strokeRect(x * SMALLER + 0.5, y * SMALLER + 0.5 + down, side - 1, side - 1);
  return { small, blocks, worst, shown: await encoded(sheet, 'png') };
}

await rm(out, { recursive: true, force: true });
await mkdir(looks, { recursive: true });
const [faults, differ, fresh] = [[], [], []];
let worst = 0;
const names = await withPages(async (stand) => {
  const names = asked.length > 0 ? asked : stand.scenes;
  await Promise.all(forms.map(async ({ width, theme }) => {
    const page = await openPage(stand, width, faults);
    const table = await stand.browser.newPage();
    const look = async (scene, style) => {
      const name = `${scene}-${width}`;
      const file = `${looks}${name}.webp`;
      const sheet = style && (await page.addStyleTag({ content: style }));
      const picture = await photograph(page, { scene, theme, lang: 'en' }, faults);
      if (sheet) await sheet.evaluate((element) => element.remove());
      const kept = existsSync(file) && (!accept || style) ? await readFile(file, 'base64') : null;
      return { name, file, kept, ...(await table.evaluate(compare, { picture: picture.toString('base64'), kept })) };
    };
    for (const scene of names) {
      const { name, file, kept, small, blocks, shown, worst: most } = await look(scene);
      worst = Math.max(worst, most);
      if (accept) await writeFile(file, small, 'base64');
      else if (!kept) fresh.push(name);
      else if (blocks.length > 0) {
        await mkdir(out, { recursive: true });
        await writeFile(`${out}${name}.png`, shown, 'base64');
        differ.push(`${name}: ${blocks.length} of its blocks differ, see ${out}${name}.png`);
      }
    }
    if (!accept && asked.length === 0 && (await look(spoilt.scene, spoilt.style)).blocks.length === 0) faults.push(`a spoilt ${spoilt.scene} at ${width} was not seen`);
  }));
  return names;
});
const known = new Set(names.flatMap((scene) => forms.map(({ width }) => `${scene}-${width}.webp`)));
const stale = asked.length > 0 ? [] : (await readdir(looks)).filter((file) => !known.has(file));
if (accept) for (const file of stale) await rm(looks + file);
else differ.push(...stale.map((file) => `${file} is of no scene`), ...fresh.map((name) => `${name} has no picture yet`));

const wrong = [...new Set(faults), ...differ];
for (const one of wrong) console.error(one);
console.log(accept ? `${names.length} scenes accepted` : `${names.length} scenes in ${forms.length} forms, ${wrong.length} faults; the largest difference of a block is ${worst.toFixed(1)} of 255`);
if (differ.length > 0) console.log('If they should look so: npm run looks -- --accept');
process.exit(wrong.length > 0 ? 1 : 0);
