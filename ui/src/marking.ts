// Where in a text stands what was typed: letters without their accents, digits in any notation.

/** A character as it is compared; nothing for an accent on its own. */
const plain = (letter: string) => letter.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();

/** Start and end of the part to be marked; none where it is not there. */
export function markOf(text: string, typed: string): [number, number] | null {
  const sought = typed.trim();
  if (!sought) return null;
  const digits = sought.replace(/\D/g, '');
  const digit = (c: string) => (/\d/.test(c) ? c : '');
  // Behind the code of a country there is no 0 of the trunk.
  if (!/\p{L}/u.test(sought) && digits) return among(text, digits, digit) ?? among(text, digits.replace(/^0+/, ''), digit);
  return among(text, plain(sought), plain) ?? among(text, plain(sought.split(/\s+/, 1)[0]!), plain);
}

/** The same, for a text of which only what `keep` makes of each character counts. */
function among(text: string, sought: string, keep: (letter: string) => string): [number, number] | null {
  let kept = '';
  const places: number[] = [];
  let at = 0;
  for (const letter of text) {
    for (const c of keep(letter)) {
      kept += c;
      places.push(at);
    }
    at += letter.length;
  }
  const start = sought ? kept.indexOf(sought) : -1;
  if (start < 0) return null;
  const last = places[start + sought.length - 1]!;
  return [places[start]!, last + String.fromCodePoint(text.codePointAt(last)!).length];
}
