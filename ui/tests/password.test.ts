import { expect, test } from 'vitest';
import { rules } from '../src/password';

const policy = { minLength: 8, maxLength: 12, letters: true, digits: true, special: true, noSequences: true, noRepeats: true, noAccountName: true };
const unmet = (password: string, change: Partial<typeof policy> = {}) =>
  rules({ ...policy, ...change }, password, 'nora').filter(({ met }) => !met).map(({ rule }) => rule);

test('each rule says when it is not met', () => {
  expect(unmet('Tr0ub4d&r')).toEqual([]);
  expect(unmet('Tr0ub4&')).toEqual(['length']);
  expect(unmet('Tr0ub4d&rTr0ub4d&r')).toEqual(['length']);
  expect(unmet('7395 &184')).toEqual(['letters']);
  expect(unmet('Troubad&r')).toEqual(['digits']);
  expect(unmet('Tr0ub4d r')).toEqual(['special']);
  expect(unmet('Tr0ub&123')).toEqual(['noSequences']);
  expect(unmet('Tr0ub&CbA')).toEqual(['noSequences']);
  expect(unmet('Tr0ub&ooo')).toEqual(['noRepeats']);
  expect(unmet('Tr0u&NORA')).toEqual(['noAccountName']);
});

test('a letter is a letter in every script, and signs make no run', () => {
  expect(unmet('Пароль#7и')).toEqual([]);
  expect(unmet('Tr0u!"#$')).toEqual([]);
});

test('nothing typed meets nothing; what is not in force is not shown', () => {
  expect(unmet('')).toHaveLength(7);
  expect(rules({ ...policy, letters: false, noRepeats: false }, 'x', 'nora').map(({ rule }) => rule)).toEqual(['length', 'digits', 'special', 'noSequences', 'noAccountName']);
});
