// The rules of a PBX for passwords, read as a person would read them.
import type { PasswordPolicyView } from './backend/backend';

/** Characters in a row that make a run or a repeat. */
const RUN = 3;

/** A rule of a policy that is in force. */
export type Rule = 'length' | 'letters' | 'digits' | 'special' | 'noSequences' | 'noRepeats' | 'noAccountName';

/** The rules in force, in the order they are read, and whether a password meets each. */
export function rules(policy: PasswordPolicyView, password: string, username: string): { rule: Rule; met: boolean }[] {
  const letters = [...password];
  const lower = password.toLocaleLowerCase();
  const all: [Rule, boolean, boolean][] = [
    ['length', true, letters.length >= policy.minLength && letters.length <= policy.maxLength],
    ['letters', policy.letters, /\p{L}/u.test(password)],
    ['digits', policy.digits, /\p{Nd}/u.test(password)],
    ['special', policy.special, /[^\p{L}\p{Nd}\s]/u.test(password)],
    ['noSequences', policy.noSequences, !hasRun(lower, 1) && !hasRun(lower, -1)],
    ['noRepeats', policy.noRepeats, !hasRun(lower, 0)],
    ['noAccountName', policy.noAccountName, username === '' || !lower.includes(username.toLocaleLowerCase())],
  ];
  // Nothing typed meets no rule, not even those that only forbid.
  return all.filter(([, inForce]) => inForce).map(([rule, , met]) => ({ rule, met: met && password !== '' }));
}

/** Whether letters or digits follow each other by this step: 1 up, -1 down, 0 the same. */
function hasRun(text: string, step: number): boolean {
  const codes = [...text].map((letter) => (step === 0 || /[\p{L}\p{Nd}]/u.test(letter) ? letter.codePointAt(0)! : NaN));
  let length = 1;
  return codes.some((code, at) => {
    length = at > 0 && code - codes[at - 1]! === step ? length + 1 : 1;
    return length >= RUN;
  });
}
