import { afterEach, describe, expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { parse } from 'smol-toml';
import { brand } from '../src/brand';
import Mark from '../src/components/Mark.svelte';
import '../src/styles/index.css';

const files: Record<string, string> = import.meta.glob('../../brand/*/brand.toml', { query: '?raw', import: 'default', eager: true });
const brands = Object.entries(files).map(([path, text]) => {
  const { colour } = parse(text) as { colour: { hue: number; chroma: number } };
  return { name: path.split('/').at(-2)!, ...colour };
});
/** The most colourful a brand may be, all around. */
const extremes = Array.from({ length: 24 }, (_, n) => ({ name: `hue ${n * 15}`, hue: n * 15, chroma: 0.13 }));

const root = document.documentElement;
const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;

/** Relative luminance of a token as it is painted (WCAG 2.2). */
function luminance(token: string): number {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = `var(${token})`;
  canvas.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  canvas.fillRect(0, 0, 1, 1);
  const linear = (eight: number) => (eight <= 10.31475 ? eight / 255 / 12.92 : ((eight / 255 + 0.055) / 1.055) ** 2.4);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return 0.2126 * linear(red!) + 0.7152 * linear(green!) + 0.0722 * linear(blue!);
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

afterEach(() => {
  delete root.dataset.theme;
  root.removeAttribute('style');
});

describe.each(['light', 'dark'])('in the %s', (theme) => {
  test.each([...brands, ...extremes])('the colours of $name can be read', ({ hue, chroma }) => {
    root.dataset.theme = theme;
    root.style.setProperty('--brand-h', String(hue));
    root.style.setProperty('--brand-c', String(chroma));
    const words = [
      ...['--sunken', '--ground', '--surface', '--raised', '--accent-soft', '--select'].map((behind) => ['--accent', behind]),
      ...['--accent', '--accent-2'].map((behind) => ['--on-accent', behind]),
      ...['--ink', '--ink-2'].flatMap((ink) => [[ink, '--accent-soft'], [ink, '--select']]),
    ] as [string, string][];
    for (const [ink, behind] of words) expect(contrast(ink, behind), `${ink} on ${behind}`).toBeGreaterThanOrEqual(4.5);
  });
});

test('this build has the colours of its brand', () => {
  expect(brands.length).toBeGreaterThanOrEqual(2);
  const style = getComputedStyle(root);
  const own = { hue: Number(style.getPropertyValue('--brand-h')), chroma: Number(style.getPropertyValue('--brand-c')) };
  expect(brands.map(({ hue, chroma }) => ({ hue, chroma }))).toContainEqual(own);
});

test('the mark is drawn from the brand, ringing and at rest', async () => {
  for (const [swung, picture] of [[false, brand.logo], [true, brand.ringing]] as const) {
    const { container, unmount } = await render(Mark, { size: 40, swung });
    const svg = container.querySelector('svg')!;
    expect(svg.getAttribute('viewBox')).toBe(picture.box);
    const shape = svg.querySelector('path')!;
    expect(shape.namespaceURI).toBe('http://www.w3.org/2000/svg');
    expect(shape.getBoundingClientRect().width).toBeGreaterThan(4);
    unmount();
  }
});
