// The words of the language in use. A key missing in a language does not compile.
import { en, type Words } from './en';
import { firstOf, known, type Language } from './languages';

let inUse = $state.raw<{ language: Language; words: Words }>({ language: 'en', words: en });
let wanted: Language = 'en';
let system = $state.raw<readonly string[]>(navigator.languages);
addEventListener('languagechange', () => (system = navigator.languages));

/** The words of the language in use; follows a change of language by itself. */
export function words(): Words {
  return inUse.words;
}

/** The language in use. */
export function language(): Language {
  return inUse.language;
}

/** The languages the system's user asks for, best first. */
export const systemLanguages = (): readonly string[] => system;

/** Takes other languages for those of the system. */
export function pretend(tags: readonly string[]): void {
  system = tags;
}

/** Speaks the first of the languages asked for, once its words are there. Until then, and where they do not come, it stays with what it spoke. */
export async function speak(asked: readonly (string | null | undefined)[]): Promise<void> {
  const language = firstOf(asked);
  wanted = language;
  if (language === inUse.language) return;
  try {
    const words = await known(language).load();
    // Another one may have been asked for meanwhile.
    if (wanted === language) inUse = { language, words };
  } catch (error) {
    console.error(error);
  }
}
