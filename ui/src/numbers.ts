// Whether two numbers reach the same phone, as far as that can be told of how they are written.

/** Fewest digits by which that can be told of numbers with and without their country and area. */
const ALIKE = 7;

function bare(number: string): string {
  const written = number.trim().replace(/^(\+|00)([^(]*)\(0\)/, '$1$2');
  const digits = written.replace(/[^\d*#]/g, '');
  if (written.startsWith('+') || digits.length <= ALIKE) return digits;
  return digits.replace(/^00?/, '');
}

export function sameNumber(one: string, other: string): boolean {
  if (one === other) return one !== '';
  const [a, b] = [bare(one), bare(other)].sort((x, y) => x.length - y.length) as [string, string];
  return a !== '' && (a === b || (a.length >= ALIKE && b.endsWith(a)));
}
