// The words of the language in use. A key missing in a language does not compile.
import { de } from './de';
import { en, type Words } from './en';

const languages = { en, de } satisfies Record<string, Words>;
export type Language = keyof typeof languages;

let chosen = $state<Language>(firstOf(navigator.languages));
let settled = $state<Language | null>(null);

/** The words of the language in use; follows a change of language by itself. */
export function words(): Words {
  return languages[language()];
}

/** The language in use, as in `<html lang>`. */
export function language(): Language {
  return settled ?? chosen;
}

/** Changes the language. */
export function speak(to: Language): void {
  chosen = to;
}

/** Settles the language, whatever was chosen, until it is told otherwise; one the phone does not speak settles nothing. */
export function settle(tag: string | null): void {
  settled = tag === null ? null : spoken(tag);
}

/** The first of the languages asked for that the phone speaks; English where it speaks none. */
export function firstOf(asked: readonly string[]): Language {
  for (const tag of asked) {
    const known = spoken(tag);
    if (known) return known;
  }
  return 'en';
}

function spoken(tag: string): Language | null {
  const base = tag.split(/[-_]/, 1)[0]?.toLowerCase() ?? '';
  return Object.hasOwn(languages, base) ? (base as Language) : null;
}
