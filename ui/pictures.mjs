// Takes pictures of scenes: in a browser without a head, at a fixed time, without motion.
import { chromium } from 'playwright';
import { createServer } from 'vite';

export const sizes = { 360: { width: 360, height: 720 }, 1280: { width: 1280, height: 800 } };
/** The time in every picture; its figures change in no time zone's daylight. */
const NOON = new Date('2026-11-22T12:00:00Z');

/** Serves the pages and opens a browser for as long as `work` takes. */
export async function withPages(work) {
  const server = await createServer({ root: new URL('.', import.meta.url).pathname, server: { port: 0, strictPort: false, fs: { strict: false }, hmr: false }, logLevel: 'error' });
  await server.listen();
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--font-render-hinting=none'] });
  try {
    const address = `http://localhost:${server.httpServer.address().port}`;
    const scenes = Object.keys((await server.ssrLoadModule('/src/backend/scenes.ts')).scenes);
    return await work({ address, browser, scenes });
  } finally {
    await browser.close();
    await server.close();
  }
}

/** A page of one width, at noon. What goes wrong in it is put into `faults`. */
export async function openPage({ address, browser }, width, faults) {
  const page = await browser.newPage({ viewport: sizes[width], locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' });
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.clock.setFixedTime(NOON);
  // The first load brings everything there is; on a busy machine that takes its time.
  await page.goto(`${address}/?scene=empty`, { timeout: 120_000 });
  await page.waitForSelector('main', { state: 'attached' });
  return page;
}

const settled = (page) => page.evaluate(async () => {
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))));
});

/** Puts a scene on in a page that is open, and takes its picture. */
export async function photograph(page, { scene, theme, lang }, faults) {
  await page.evaluate((search) => window.startScene(search), `scene=${scene}&theme=${theme}&lang=${lang}`);
  await settled(page);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (sideways > 0) faults.push(`${scene} in ${lang} at ${page.viewportSize().width} is ${sideways} pixels too wide`);
  return page.screenshot();
}

/** The sheet of all components, whole. */
export async function photographSheet({ address }, page, theme) {
  await page.goto(`${address}/gallery.html?theme=${theme}`);
  await page.waitForSelector('main', { state: 'attached' });
  await settled(page);
  return page.screenshot({ fullPage: true });
}
