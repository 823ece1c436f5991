import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { scenes, type SceneName } from '../src/backend/scenes';
import Gallery from '../src/gallery/Gallery.svelte';
import { complaints } from './axe';
import { put } from './stage';

const names = Object.keys(scenes) as SceneName[];

describe.each(['light', 'dark'])('in the %s', (theme) => {
  beforeEach(() => {
    document.documentElement.dataset.theme = theme;
    document.documentElement.lang = 'en';
    document.title = 'Carillon';
  });
  afterEach(() => delete document.documentElement.dataset.theme);

  test.each(names)('axe finds nothing in %s', async (name) => {
    await put(name);
    expect(await complaints()).toEqual([]);
  });
});

test('axe finds nothing in the gallery', async () => {
  await render(Gallery);
  expect(await complaints()).toEqual([]);
});

test.each(names)('%s fits a window of 360 pixels', async (name) => {
  await page.viewport(360, 720);
  try {
    await put(name);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
  } finally {
    await page.viewport(1100, 720);
  }
});
