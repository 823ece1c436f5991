// Without a mouse: sign in, call, hold, transfer, hang up, by nothing but keys and what has the focus.
import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { smallPbx } from '../src/backend/small-pbx';
import { begin, focused, part } from './stage';

/** Presses Tab until what is called so has the focus. */
async function tabTo(name: string): Promise<void> {
  for (let n = 0; n < 40; n += 1) {
    if (focused() === name) return;
    await userEvent.keyboard('{Tab}');
  }
  expect(focused(), `${name} is not reached by Tab`).toBe(name);
}

test('a phone is signed in, calls, hands on and hangs up without a mouse', async () => {
  await begin(smallPbx());
  await tabTo('domain');
  await userEvent.keyboard('fairwater.example');
  await tabTo('server');
  await userEvent.keyboard('pbx.fairwater.example{Enter}');
  await expect.element(part('username')).toBeInTheDocument();
  await tabTo('username');
  await userEvent.keyboard('nora');
  await tabTo('password');
  await userEvent.keyboard('correct horse{Enter}');
  await expect.element(part('sip-password')).toBeInTheDocument();
  await tabTo('sip-password');
  await userEvent.keyboard('extension secret{Enter}');
  await expect.element(part('calls')).toBeInTheDocument();
  await expect.element(part('account-state')).toHaveTextContent('Registered');

  await userEvent.keyboard('{Control>}k{/Control}');
  await expect.poll(focused).toBe('find');
  await userEvent.keyboard('9196{Enter}');
  await expect.element(part('call-state')).toHaveAttribute('data-state', 'active');
  await userEvent.keyboard('m');
  await expect.element(part('mute')).toHaveAttribute('aria-pressed', 'true');
  await userEvent.keyboard('mh');
  await expect.element(part('resume')).toBeInTheDocument();
  await tabTo('resume');
  await userEvent.keyboard('{Enter}');
  await expect.element(part('hold')).toBeInTheDocument();

  await userEvent.keyboard('t');
  await expect.poll(focused).toBe('transfer-target');
  await userEvent.keyboard('231{Enter}');
  await expect.element(part('end')).not.toBeInTheDocument();

  await userEvent.keyboard('{Control>}k{/Control}');
  await expect.poll(focused).toBe('find');
  await userEvent.keyboard('9196{Enter}');
  await expect.element(part('call-state')).toHaveAttribute('data-state', 'active');
  await userEvent.keyboard('{Control>}{Shift>}e{/Shift}{/Control}');
  await expect.element(part('end')).not.toBeInTheDocument();
});
