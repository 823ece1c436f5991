// How a language counts.

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Says a number with the form of the words that belongs to it; `#` stands for the number as the language writes it. */
export function counting(tag: string): (n: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(tag);
  const digits = new Intl.NumberFormat(tag);
  return (n, forms) => (forms[rules.select(n)] ?? forms.other).replace('#', digits.format(n));
}
