// The words of the language in use. A key missing in a language does not compile.
import { de } from './de';
import { en, type Words } from './en';

const languages = { en, de } satisfies Record<string, Words>;
export type Language = keyof typeof languages;

let chosen = $state<Language>(firstOf(navigator.languages));

/** The words of the language in use; follows a change of language by itself. */
export function words(): Words {
  return languages[chosen];
}

/** The language in use, as in `<html lang>`. */
export function language(): Language {
  return chosen;
}

/** Changes the language. */
export function speak(to: Language): void {
  chosen = to;
}

/** The first of the languages asked for that the phone speaks; English where it speaks none. */
export function firstOf(asked: readonly string[]): Language {
  for (const tag of asked) {
    const base = tag.split('-', 1)[0] ?? '';
    if (Object.hasOwn(languages, base)) return base as Language;
  }
  return 'en';
}
