// A picture of every scene, light and dark, narrow and wide: `npm run shots [name…]` into tests/output/ui,
// another brand's (CARILLON_BRAND) into a folder of its own.
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright';
import { createServer } from 'vite';

const brand = process.env.CARILLON_BRAND ? `-${process.env.CARILLON_BRAND}` : '';
const out = new URL(`../tests/output/ui${brand}/`, import.meta.url).pathname;
const sizes = [{ width: 360, height: 720 }, { width: 1280, height: 800 }];

await mkdir(out, { recursive: true });
const server = await createServer({ root: new URL('.', import.meta.url).pathname, server: { port: 0, strictPort: false }, logLevel: 'error' });
await server.listen();
const address = `http://localhost:${server.httpServer.address().port}`;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

const all = Object.keys((await server.ssrLoadModule('/src/backend/scenes.ts')).scenes);
const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : all;
const pages = names.map((name) => (name === 'gallery' ? ['gallery', '/gallery.html?'] : [name, `/?scene=${name}&`]));
if (asked.length === 0) pages.push(['gallery', '/gallery.html?'], ['german', '/?scene=active-call&lang=de&'], ['right-to-left', '/?scene=active-call&dir=rtl&']);

const faults = [];
try {
  for (const viewport of sizes) {
    const page = await browser.newPage({ viewport, locale: 'en-GB', reducedMotion: 'reduce' });
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(String(error)));
    for (const theme of ['light', 'dark']) {
      for (const [name, path] of pages) {
        await page.goto(`${address}${path}theme=${theme}`);
        await page.waitForSelector('main', { state: 'attached' });
        await page.evaluate(async () => {
          await document.fonts.ready;
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        });
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (sideways > 0) faults.push(`${name} at ${viewport.width} is ${sideways} pixels too wide`);
        await page.screenshot({ path: `${out}${name}-${viewport.width}-${theme}.png`, fullPage: name === 'gallery' });
      }
    }
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
for (const fault of new Set(faults)) console.error(fault);
console.log(`${pages.length * 4} pictures in ${out}`);
process.exit(faults.length > 0 ? 1 : 0);
