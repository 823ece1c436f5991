import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { brand } from './vite.brand.ts';

export default defineConfig({
  plugins: [brand(), svelte()],
  clearScreen: false,
  server: { port: 5173, strictPort: true },
  // Icons are served as they are: one found only while a page runs would have all of them bundled anew, and the page loaded anew.
  optimizeDeps: { entries: ['index.html', 'src/**/*.{ts,svelte}', 'tests/**/*.ts'], exclude: ['@lucide/svelte'] },
  build: {
    target: ['safari18', 'chrome123'],
    cssTarget: ['safari18', 'chrome123'],
    // Everything is a file of its own, so that the content security policy needs no data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    include: ['tests/**/*.test.ts'],
    browser: {
      enabled: true,
      // Two working copies may test at once.
      api: { port: 63315, strictPort: false },
      headless: true,
      provider: playwright({
        launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
      }),
      instances: [{ browser: 'chromium', viewport: { width: 1100, height: 720 } }],
      screenshotFailures: false,
    },
  },
});
