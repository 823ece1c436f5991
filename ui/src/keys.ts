// Keys that work wherever the focus is, and how they are written in a tooltip.

/** Whether a key press belongs to a text field, which it must never be taken from. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

/** Whether this is a plain key: no Control, Alt or Command with it. */
export function isPlain(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.altKey && !event.metaKey;
}

/** Whether this is Control (Command on a Mac) with the letter given, with Shift or without. */
export function isChord(event: KeyboardEvent, letter: string, shift = false): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey && event.shiftKey === shift && event.key.toLowerCase() === letter;
}

/** The digit a key stands for on a telephone's keypad, if it stands for one. */
export function digitOf(event: KeyboardEvent): string | null {
  return isPlain(event) && /^[0-9*#]$/.test(event.key) ? event.key : null;
}

const mac = /Mac/.test(navigator.platform);

/** A key as it is written on this system's keyboards. */
export const keyNames = (key: string): string => (mac ? key.replace('Ctrl', '⌘').replace('Shift', '⇧') : key);

/** A tooltip's text: the word and its key, `Mute (M)`. */
export function withKey(word: string, key: string): string {
  return `${word} (${keyNames(key)})`;
}

/** The key that reaches the field, as it is drawn on it. */
export const findKey = mac ? '⌘ K' : 'Ctrl K';
