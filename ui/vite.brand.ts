// Brings the brand that CARILLON_BRAND names into the UI: its name, marks and links as a constant, its colours
// as two custom properties, its name as the pages' title. `cargo build` checks what stands in the folder.
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import type { Plugin } from 'vite';
import type { Brand, Picture } from './src/brand';

type Written = Pick<Brand, 'name'> & { colour: { hue: number; chroma: number }; links?: Brand['links'] };

const COLOURS = 'virtual:brand.css';

export function brand(name = process.env.CARILLON_BRAND || 'carillon'): Plugin {
  const folder = new URL(`../brand/${name}/`, import.meta.url);
  const file = new URL('brand.toml', folder);
  const written = parse(readFileSync(file, 'utf8')) as unknown as Written;
  const logo = picture(new URL('logo.svg', folder));
  const ringing = new URL('ringing.svg', folder);
  const given: Brand = { name: written.name, links: written.links ?? {}, logo, ringing: existsSync(ringing) ? picture(ringing) : logo };
  return {
    name: 'brand',
    config: () => ({ define: { __BRAND__: JSON.stringify(given) } }),
    resolveId: (id) => (id === COLOURS ? `\0${COLOURS}` : undefined),
    load: (id) => (id === `\0${COLOURS}` ? `:root { --brand-h: ${written.colour.hue}; --brand-c: ${written.colour.chroma}; }` : undefined),
    transformIndexHtml: (html) => html.replace('<title>Carillon', `<title>${written.name.replaceAll('&', '&amp;')}`),
  };
}

function picture(file: URL): Picture {
  const found = /^<svg [^>]*viewBox="([^"]*)"[^>]*>(.*)<\/svg>\s*$/s.exec(readFileSync(file, 'utf8'));
  if (!found) throw new Error(`${file.pathname} is not one <svg> element with a viewBox`);
  return { box: found[1]!, shapes: found[2]! };
}
