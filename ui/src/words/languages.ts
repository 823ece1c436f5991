// The languages the phone speaks. English is always there; the others come when they are wanted.
import { en, type Words } from './en';

/** `tag` is for `<html lang>` and for dates; `name` is how its speakers call it. */
type Known = { tag: string; name: string; dir: 'ltr' | 'rtl'; load: () => Promise<Words> };

/** In the order in which they are offered. */
export const languages = {
  en: { tag: 'en', name: 'English', dir: 'ltr', load: async () => en },
  de: { tag: 'de', name: 'Deutsch', dir: 'ltr', load: async () => (await import('./de')).de },
  fr: { tag: 'fr', name: 'Français', dir: 'ltr', load: async () => (await import('./fr')).fr },
  es: { tag: 'es', name: 'Español', dir: 'ltr', load: async () => (await import('./es')).es },
  ja: { tag: 'ja', name: '日本語', dir: 'ltr', load: async () => (await import('./ja')).ja },
  zh: { tag: 'zh-Hans', name: '简体中文', dir: 'ltr', load: async () => (await import('./zh')).zh },
} satisfies Record<string, Known>;

/** Not languages: English disguised, to show what is not translated and what cannot grow; and the same from right to left. */
const disguises = {
  'en-xa': { tag: 'en', name: 'Pseudo', dir: 'ltr', load: async () => (await import('./pseudo')).pseudo },
  'ar-xb': { tag: 'ar', name: 'Pseudo', dir: 'rtl', load: async () => (await import('./pseudo')).pseudo },
} satisfies Record<string, Known>;

export type Offered = keyof typeof languages;
export type Language = Offered | keyof typeof disguises;

const all: Record<Language, Known> = { ...languages, ...disguises };

/** What there is to know of a language. */
export const known = (language: Language): Known => all[language];

/** The language of a tag such as `de-AT` or `zh_CN`, where the phone speaks it. */
export function spoken(tag: string): Language | null {
  const whole = tag.toLowerCase().replaceAll('_', '-');
  const base = whole.split('-', 1)[0] ?? '';
  return [whole, base].find((name): name is Language => Object.hasOwn(all, name)) ?? null;
}

/** The first of the languages asked for that the phone speaks; English where it speaks none. */
export function firstOf(asked: readonly (string | null | undefined)[]): Language {
  for (const tag of asked) {
    const language = tag ? spoken(tag) : null;
    if (language) return language;
  }
  return 'en';
}
