// The brand this UI was built for; ../vite.brand.ts reads it out of its folder.
import 'virtual:brand.css';

/** Shapes of one colour, and the viewBox they stand in. */
export type Picture = { box: string; shapes: string };

export type Brand = {
  name: string;
  links: { website?: string; help?: string; privacy?: string };
  logo: Picture;
  /** Beside an incoming call. */
  ringing: Picture;
};

declare const __BRAND__: Brand;

export const brand: Brand = __BRAND__;
